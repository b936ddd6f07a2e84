// Terminate ends the workers at once; what was not finished ends CANCELLED, and no Get hangs.
#include <vector>

#include "example.h"

int main() {
  using std::chrono::seconds;
  auto pool = example::OpenPool("seed_terminate");
  std::vector<poold::client::TaskHandle<void>> results;
  for (int i = 0; i < 4; ++i) {
    results.push_back(pool.Submit<void>("func", "hello " + std::to_string(i)));
  }
  // Three run, one waits; a second later none is finished.
  poold::client::Wait(results, poold::client::WaitMode::kFirstCompleted, seconds(1));
  auto cancelled = pool.Terminate();
  if (!cancelled.ok()) example::Fail(cancelled.status());
  example::Check(pool.Join());
  for (const auto& result : results) std::printf("%s\n", std::string(result.Get().message()).c_str());
  std::printf("Sub-process(es) done.\n");
}
