// A plugin with a client of its own.
#include <poold/client.h>
#include <poold/client/proto.h>

#include <atomic>
#include <cstdio>
#include <ranges>

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return -1;
}

}  // namespace

// Asks a pool for a task, a map, a callback and itself as a message of the contract. Returns 2 * x; -1: something
// failed.
extern "C" int Twice(int x) {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) return Fail(client.status());
  auto pool = client->OpenPool({.name = "module", .workers = 1, .modules = {"mine"}});
  if (!pool.ok()) return Fail(pool.status());
  absl::StatusOr<std::vector<int>> map = pool->Map<int>("twice", std::views::iota(0, 1000)).Get();
  if (!map.ok()) return Fail(map.status());
  const auto handle = pool->Submit<int>("twice", x);
  std::atomic<int> called{-1};
  handle.OnDone([&called](const poold::client::TaskHandle<int>& done) {
    called = done.Get().value_or(-1);
    called.notify_one();
  });
  called.wait(-1);
  const absl::StatusOr<int> wrong = pool->Submit<int>("twice", "x").Get();
  if (poold::client::ReasonOf(wrong.status()) != "TASK_FAILED") return Fail(wrong.status());
  const absl::StatusOr<poold::client::PoolInfo> info = pool->Info();
  if (!info.ok()) return Fail(info.status());
  poold::v1::Pool message;
  if (!message.ParseFromString(poold::client::ToProto(*info).SerializeAsString()) || message.workers_size() != 1)
    return -1;
  return (*map)[999] == 1998 ? called.load() : -1;
}
