// poold_sim --seed N --steps M --runs K [--fault NAME] [--wide | --sliced] [--digest | --trace]: lives through K
// histories, seeds N, N+1, ...
//
// --digest prints one number for each history, of everything that the core said in it: what two builds are compared by.
// --trace prints everything that the core said, a line for each call of its ports.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "world.h"

namespace {

using poold::core::CoreFaults;

std::uint64_t NumberAfter(int argc, char** argv, const char* flag, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

bool HasFlag(int argc, char** argv, const char* flag) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return true;
  }
  return false;
}

CoreFaults FaultNamed(const char* name) {
  CoreFaults faults;
  faults.scheduler.requeue_begun = std::strcmp(name, "requeue_begun") == 0;
  faults.forget_unbegun = std::strcmp(name, "forget_unbegun") == 0;
  faults.scheduler.never_end_turn = std::strcmp(name, "never_end_turn") == 0;
  faults.forget_tries = std::strcmp(name, "forget_tries") == 0;
  faults.staffing.replace_early = std::strcmp(name, "replace_early") == 0;
  faults.scheduler.no_floors = std::strcmp(name, "no_floors") == 0;
  faults.outcomes.never_wake = std::strcmp(name, "never_wake") == 0;
  faults.scheduler.hold_drains = std::strcmp(name, "hold_drains") == 0;
  faults.outcomes.drop_newest = std::strcmp(name, "drop_newest") == 0;
  faults.drop_awaited = std::strcmp(name, "drop_awaited") == 0;
  faults.outcomes.keep_count = std::strcmp(name, "keep_count") == 0;
  faults.scheduler.forget_touch = std::strcmp(name, "forget_touch") == 0;
  faults.sweep_at_once = std::strcmp(name, "sweep_at_once") == 0;
  return faults;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = NumberAfter(argc, argv, "--seed", 1);
  const std::uint64_t steps = NumberAfter(argc, argv, "--steps", 1000);
  const std::uint64_t runs = NumberAfter(argc, argv, "--runs", 1);
  CoreFaults faults;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--fault") == 0) faults = FaultNamed(argv[i + 1]);
  }
  using Shape = poold::core::sim::World::Shape;
  Shape shape = Shape::kSmall;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--wide") == 0) shape = Shape::kWide;
    if (std::strcmp(argv[i], "--sliced") == 0) shape = Shape::kSliced;
  }
  std::uint64_t events = 0;
  for (std::uint64_t run = seed; run < seed + runs; ++run) {
    poold::core::sim::World world(run, faults, shape);
    if (HasFlag(argc, argv, "--trace")) world.PrintTrace();
    const std::string wrong = world.Run(steps);
    events += world.events();
    if (HasFlag(argc, argv, "--digest")) {
      std::printf("seed %llu: %016llx\n", static_cast<unsigned long long>(run),
                  static_cast<unsigned long long>(world.digest()));
    }
    if (wrong.empty()) continue;
    std::printf("seed %llu, event %llu: %s\nreplay: poold_sim --seed %llu --steps %llu%s\n",
                static_cast<unsigned long long>(run), static_cast<unsigned long long>(world.events()), wrong.c_str(),
                static_cast<unsigned long long>(run), static_cast<unsigned long long>(steps),
                shape == Shape::kWide     ? " --wide"
                : shape == Shape::kSliced ? " --sliced"
                                          : "");
    return 1;
  }
  std::printf("%llu histories, %llu events: nothing wrong\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(events));
  return 0;
}
