// A module, or program, that starts a thread when it is loaded.
#include <chrono>
#include <cstdint>
#include <thread>

#include "poold/worker.h"

namespace {

const bool started = [] {
  std::thread(+[] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
  return true;
}();

std::int64_t twice(std::int64_t number) { return 2 * number; }
POOLD_TASK(twice);

}  // namespace

#ifdef IS_PROGRAM
int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
#endif
