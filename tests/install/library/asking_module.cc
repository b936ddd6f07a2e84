// A task module whose task asks another pool with a client of its own. FUNCTION names the task.
#include <poold/client.h>
#include <poold/worker.h>

namespace {

absl::StatusOr<int> Twice(const std::string& address, int x) {
  auto client = poold::client::Client::Connect({.address = address});
  if (!client.ok()) return client.status();
  auto pool = client->GetPool("module");
  if (!pool.ok()) return pool.status();
  return pool->Apply<int>("twice", x);
}
POOLD_TASK(FUNCTION, Twice);

}  // namespace
