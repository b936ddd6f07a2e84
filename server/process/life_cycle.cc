#include "process/life_cycle.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace poold::process {
namespace {

using W = WorkerPhase;
using Z = ZygotePhase;

constexpr PhaseChange<W> kWorkerTransitions[] = {
    {W::kNew, W::kCloning},           //
    {W::kNew, W::kNeverMade},         // something that it needs could not be made
    {W::kCloning, W::kDoomed},        //
    {W::kCloning, W::kStarting},      //
    {W::kCloning, W::kKilled},        // it could not be guarded
    {W::kCloning, W::kNeverMade},     // the zygote could not clone, or is gone
    {W::kDoomed, W::kKilled},         //
    {W::kDoomed, W::kNeverMade},      //
    {W::kStarting, W::kReady},        //
    {W::kStarting, W::kStopping},     //
    {W::kStarting, W::kTerminating},  //
    {W::kStarting, W::kKilled},       //
    {W::kStarting, W::kDead},         //
    {W::kReady, W::kStopping},        //
    {W::kReady, W::kTerminating},     //
    {W::kReady, W::kKilled},          //
    {W::kReady, W::kDead},            //
    {W::kStopping, W::kTerminating},  //
    {W::kStopping, W::kKilled},       //
    {W::kStopping, W::kDead},         //
    {W::kTerminating, W::kKilled},    //
    {W::kTerminating, W::kDead},      //
    {W::kKilled, W::kDead},           //
    {W::kNeverMade, W::kGone},        //
    {W::kDead, W::kGone},
};

constexpr PhaseChange<Z> kZygoteTransitions[] = {
    {Z::kNew, Z::kStarting},       //
    {Z::kNew, Z::kKilled},         // it was spawned, but could not be set up
    {Z::kNew, Z::kGone},           // it could not be spawned
    {Z::kStarting, Z::kReady},     //
    {Z::kStarting, Z::kStopping},  //
    {Z::kStarting, Z::kKilled},    //
    {Z::kStarting, Z::kDead},      //
    {Z::kReady, Z::kStopping},     //
    {Z::kReady, Z::kKilled},       //
    {Z::kReady, Z::kDead},         //
    {Z::kStopping, Z::kKilled},    //
    {Z::kStopping, Z::kDead},      //
    {Z::kKilled, Z::kDead},        //
    {Z::kDead, Z::kGone},
};

template <typename Phase>
void ChangeOrAbort(std::span<const PhaseChange<Phase>> table, Phase* phase, Phase to) {
  if (std::find(table.begin(), table.end(), PhaseChange<Phase>{*phase, to}) == table.end()) {
    const std::string_view from_name = PhaseName(*phase);
    const std::string_view to_name = PhaseName(to);
    std::fprintf(stderr, "no transition from %.*s to %.*s\n", static_cast<int>(from_name.size()), from_name.data(),
                 static_cast<int>(to_name.size()), to_name.data());
    std::abort();
  }
  *phase = to;
}

}  // namespace

std::span<const PhaseChange<WorkerPhase>> WorkerTransitions() { return kWorkerTransitions; }
std::span<const PhaseChange<ZygotePhase>> ZygoteTransitions() { return kZygoteTransitions; }

void Transition(WorkerPhase* phase, WorkerPhase to) { ChangeOrAbort(WorkerTransitions(), phase, to); }
void Transition(ZygotePhase* phase, ZygotePhase to) { ChangeOrAbort(ZygoteTransitions(), phase, to); }

bool HasProcess(WorkerPhase phase) {
  switch (phase) {
    case W::kStarting:
    case W::kReady:
    case W::kStopping:
    case W::kTerminating:
    case W::kKilled:
      return true;
    default:
      return false;
  }
}

bool HasProcess(ZygotePhase phase) {
  return phase == Z::kStarting || phase == Z::kReady || phase == Z::kStopping || phase == Z::kKilled;
}

std::string_view PhaseName(WorkerPhase phase) {
  constexpr std::string_view kNames[] = {"kNew",         "kCloning", "kDoomed",    "kStarting", "kReady", "kStopping",
                                         "kTerminating", "kKilled",  "kNeverMade", "kDead",     "kGone"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(W::kGone) + 1);
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view PhaseName(ZygotePhase phase) {
  constexpr std::string_view kNames[] = {"kNew", "kStarting", "kReady", "kStopping", "kKilled", "kDead", "kGone"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Z::kGone) + 1);
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace poold::process
