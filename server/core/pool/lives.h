// The life cycles of pools, their reloads, zygotes and workers: the states, and which may follow which. See
// core/life.h.
//
// Transitions say which event leads to them. Role: the order of states. Non-role: does nothing that a transition
// brings with it.
// Thread safety: none; one Lives for each core, used under the core's mutex. Errors: a transition that is not in its
// table aborts.
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

// The zygote of a generation. Clients see it only as PoolView::start_failure, and as a pool that stays STARTING.
enum class ZygoteState : std::uint8_t {
  // None runs, or the one that runs was told to end.
  kGone,
  // StartZygote was called; OnZygoteReady or OnZygoteLost will come.
  kStarting,
  // Workers can be cloned from it.
  kReady,
};

// A worker process. Its end may come at any time. Clients see a WorkerState: STARTING until it has been ready, then
// IDLE or BUSY in kReady, and STOPPING in kStopping and kKilled.
enum class WorkerLife : std::uint8_t {
  // StartWorker was called; OnWorkerReady or OnWorkerLost will come.
  kStarting,
  // Takes work, unless it is to be replaced and replacements are ready (Pool::draining).
  kReady,
  // StopWorker was called before it was ready.
  kStartingStopped,
  // StopWorker was called: it finishes what it has and gets no more.
  kStopping,
  // KillWorker was called before it was ready.
  kStartingKilled,
  // KillWorker was called; Worker::killed_by says why.
  kKilled,
  // OnWorkerLost came. The worker is forgotten within the same event.
  kLost,
};

// A reload of a pool. Clients see it as PoolView::reloading while it is not kNone.
enum class ReloadLife : std::uint8_t {
  // None is under way.
  kNone,
  // The next generation's zygote starts, and nothing else changes.
  kPreparing,
  // That zygote was ready: workers of the present generation are replaced one after the other.
  kReplacing,
};

// A pool that FAILED may be terminated, so that its last processes go sooner.
inline constexpr Transition<PoolState> kPoolTransitions[] = {
    // OnWorkerReady (or OnResize to fewer): as many workers as wanted are ready.
    {PoolState::kStarting, PoolState::kRunning},
    // OnClose before it ran, OnShutdown, or its owners were away for too long.
    {PoolState::kStarting, PoolState::kClosing},
    // OnTerminate, OnTerminateAll, or its owners were away for too long.
    {PoolState::kStarting, PoolState::kTerminating},
    // Starts failed too often by their own fault; or it is strict, and a ready worker died.
    {PoolState::kStarting, PoolState::kFailed},
    // As from kStarting.
    {PoolState::kRunning, PoolState::kClosing},
    {PoolState::kRunning, PoolState::kTerminating},
    // It is strict, and a worker died.
    {PoolState::kRunning, PoolState::kFailed},
    // All that it had has ended, and its last process is gone.
    {PoolState::kClosing, PoolState::kClosed},
    // OnTerminate or OnTerminateAll while it finishes.
    {PoolState::kClosing, PoolState::kTerminating},
    // It is strict and a worker died; or no worker is left, and none starts.
    {PoolState::kClosing, PoolState::kFailed},
    // Its last process is gone, and all handles have ended.
    {PoolState::kTerminating, PoolState::kTerminated},
    // OnTerminate of a pool that failed, so that its last processes go sooner.
    {PoolState::kFailed, PoolState::kTerminating},
};

inline constexpr Transition<ZygoteState> kZygoteTransitions[] = {
    // Workers are wanted, and no pause is under way.
    {ZygoteState::kGone, ZygoteState::kStarting},
    // OnZygoteReady.
    {ZygoteState::kStarting, ZygoteState::kReady},
    // OnZygoteLost, or it was told to end.
    {ZygoteState::kStarting, ZygoteState::kGone},
    // OnZygoteLost, or it was told to end.
    {ZygoteState::kReady, ZygoteState::kGone},
};

inline constexpr Transition<ReloadLife> kReloadTransitions[] = {
    // OnReload of a RUNNING pool, or the reload before it is over and another one is wanted.
    {ReloadLife::kNone, ReloadLife::kPreparing},
    // OnZygoteReady of the next generation.
    {ReloadLife::kPreparing, ReloadLife::kReplacing},
    // Its zygote does not start (rolled back), or the pool ends.
    {ReloadLife::kPreparing, ReloadLife::kNone},
    // No worker of the present generation is left (took over); or new ones do not start (rolled back), or the pool
    // ends.
    {ReloadLife::kReplacing, ReloadLife::kNone},
};

inline constexpr Transition<WorkerLife> kWorkerTransitions[] = {
    // OnWorkerReady.
    {WorkerLife::kStarting, WorkerLife::kReady},
    // The pool winds down or wants fewer workers.
    {WorkerLife::kStarting, WorkerLife::kStartingStopped},
    // The pool ends, its generation was dropped, or it is above the memory limit.
    {WorkerLife::kStarting, WorkerLife::kStartingKilled},
    // It did not start.
    {WorkerLife::kStarting, WorkerLife::kLost},
    // Too many workers, replaced, used up, or the pool winds down.
    {WorkerLife::kReady, WorkerLife::kStopping},
    // A cancel or a limit of time or memory, or the pool ends.
    {WorkerLife::kReady, WorkerLife::kKilled},
    // It died by itself or by somebody else.
    {WorkerLife::kReady, WorkerLife::kLost},
    // It was ready before it heard that it is to go.
    {WorkerLife::kStartingStopped, WorkerLife::kStopping},
    {WorkerLife::kStartingStopped, WorkerLife::kStartingKilled},
    {WorkerLife::kStartingStopped, WorkerLife::kLost},
    {WorkerLife::kStopping, WorkerLife::kKilled},
    {WorkerLife::kStopping, WorkerLife::kLost},
    // It was ready before it was killed.
    {WorkerLife::kStartingKilled, WorkerLife::kKilled},
    {WorkerLife::kStartingKilled, WorkerLife::kLost},
    {WorkerLife::kKilled, WorkerLife::kLost},
};

class Lives {
 public:
  // All make the transition, or abort where the table does not have it.
  void Move(Life<PoolState>& pool, PoolState to) { pools_.Move(pool, to); }
  void Move(Life<ZygoteState>& zygote, ZygoteState to) { zygotes_.Move(zygote, to); }
  void Move(Life<WorkerLife>& worker, WorkerLife to) { workers_.Move(worker, to); }
  void Move(Life<ReloadLife>& reload, ReloadLife to) { reloads_.Move(reload, to); }

  // Transitions that were made so far: a bit for each, by its place in the table. The simulator wants each bit set in
  // the end.
  std::uint32_t pools() const { return pools_.made(); }
  std::uint32_t zygotes() const { return zygotes_.made(); }
  std::uint32_t workers() const { return workers_.made(); }
  std::uint32_t reloads() const { return reloads_.made(); }

 private:
  LifeCycle<kPoolTransitions> pools_;
  LifeCycle<kZygoteTransitions> zygotes_;
  LifeCycle<kWorkerTransitions> workers_;
  LifeCycle<kReloadTransitions> reloads_;
};

}  // namespace poold::core
