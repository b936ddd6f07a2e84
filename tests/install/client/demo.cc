// A stranger's program on the installed SDK: a module of its own, and a worker program of its own.
#include <poold/client.h>

#include <cstdio>

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

// Calls twice(21) in a pool.
int Ask(poold::client::Client& client, poold::client::PoolSpec spec) {
  auto pool = client.OpenPool(spec);
  if (!pool.ok()) return Fail(pool.status());
  auto twice = pool->Submit<int>("twice", 21).Get();
  if (!twice.ok()) return Fail(twice.status());
  std::printf("%d\n", *twice);
  return *twice == 42 ? 0 : 1;
}

}  // namespace

int main() {
  auto client = poold::client::Client::Connect();
  if (!client.ok()) return Fail(client.status());
  if (Ask(*client, {.name = "module", .workers = 1, .modules = {"mine"}}) != 0) return 1;
  return Ask(*client, {.name = "program", .workers = 1, .program = "my-worker"});
}
