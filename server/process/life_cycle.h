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
  // Start was not called.
  kNew,
  // The zygote was asked for the process. Deadline for its answer.
  kCloning,
  // As kCloning, but the process is to be killed as soon as the zygote tells of it. Deadline as above.
  kDoomed,
  // The process runs. Deadline for its READY.
  kStarting,
  // The core was told of the worker (OnWorkerReady).
  kReady,
  // It was sent STOP and has no work, or it closed its channel. Deadline for its exit.
  kStopping,
  // It was sent SIGTERM. Deadline after which SIGKILL is sent.
  kTerminating,
  // It was sent SIGKILL.
  kKilled,
  // There is no process, and there will be none.
  kNeverMade,
  // The process was reaped; the processes that it left are being killed.
  kDead,
  // The core was told of the loss (OnWorkerLost); the object may be destroyed.
  kGone,
};

// The phases of a ZygoteClient, from kNew to kGone.
enum class ZygotePhase : std::uint8_t {
  // Start was not called.
  kNew,
  // The process runs. Deadline for its READY.
  kStarting,
  // The core was told of the zygote (OnZygoteReady); it can be asked for clones.
  kReady,
  // It is not needed any more, but lives as long as its workers do.
  kStopping,
  // It was sent SIGKILL.
  kKilled,
  // The process was reaped; the processes that it left are being killed.
  kDead,
  // The core was told of the loss (OnZygoteLost); the object may be destroyed.
  kGone,
};

// One row of a table of transitions.
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
