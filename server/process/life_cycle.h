// The life cycles of the processes that a process thread looks after: their phases, and which may follow which.
//
// Role: one enum, one table of transitions and one Transition() for workers and for zygotes each. Non-role: does
// nothing in a phase (WorkerProcess and ZygoteClient do) and knows no deadline.
// Threads: pure functions. Errors: a transition that is not in the table is a bug, and aborts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace poold::process {

// The phases of a WorkerProcess, from kNew to kGone. Phases with a deadline say so.
enum class WorkerPhase : std::uint8_t {
  kNew,          // Start was not called
  kCloning,      // the zygote was asked for the process; deadline for its answer
  kDoomed,       // as kCloning, but the process is to be killed as soon as the zygote tells of it; deadline as above
  kStarting,     // the process runs; deadline for its READY
  kReady,        // the core was told of the worker
  kStopping,     // it was sent STOP and has no work, or it closed its channel; deadline for its exit
  kTerminating,  // it was sent SIGTERM; deadline after which SIGKILL is sent
  kKilled,       // it was sent SIGKILL
  kNeverMade,    // there is no process, and there will be none
  kDead,         // the process was reaped; what it left running is being killed
  kGone,         // the core was told of the loss; the object may be destroyed
};

// The phases of a ZygoteClient, from kNew to kGone.
enum class ZygotePhase : std::uint8_t {
  kNew,       // Start was not called
  kStarting,  // the process runs; deadline for its READY
  kReady,     // the core was told of the zygote; it can be asked for clones
  kStopping,  // it is not needed any more, but lives as long as its workers do
  kKilled,    // it was sent SIGKILL
  kDead,      // the process was reaped; what it left running is being killed
  kGone,      // the core was told of the loss; the object may be destroyed
};

template <typename Phase>
struct PhaseChange {
  Phase from;
  Phase to;
  friend bool operator==(const PhaseChange&, const PhaseChange&) = default;
};

// The tables: every transition that may be made.
std::span<const PhaseChange<WorkerPhase>> WorkerTransitions();
std::span<const PhaseChange<ZygotePhase>> ZygoteTransitions();

// Sets `*phase`. Aborts when the table has no such transition; the message on stderr names both phases.
void Transition(WorkerPhase* phase, WorkerPhase to);
void Transition(ZygotePhase* phase, ZygotePhase to);

// Whether there is a process in this phase: its pid is known, and it was not reaped yet.
bool HasProcess(WorkerPhase phase);
bool HasProcess(ZygotePhase phase);

// "kReady", for messages.
std::string_view PhaseName(WorkerPhase phase);
std::string_view PhaseName(ZygotePhase phase);

}  // namespace poold::process
