// The life cycles of pools, their reloads, zygotes and workers: the states, and which may follow which. See
// core/life.h. Thread safety: none; one Lives for each core, used under the core's mutex.
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

// A zygote, seen from the generation that it belongs to.
enum class ZygoteState : std::uint8_t {
  kGone,      // there is none, or it was told to end
  kStarting,  // it was asked for
  kReady,     // workers can be cloned from it
};

// A worker process. Its end may come at any time.
enum class WorkerLife : std::uint8_t {
  kStarting,         // it was asked for
  kReady,            // takes work, unless it is kept back by other rules
  kStartingStopped,  // told to go before it was ready
  kStopping,         // told to go: finishes what it has, and gets no more
  kStartingKilled,   // being killed before it was ready
  kKilled,           // being killed
  kLost,             // its process has ended
};

// A reload of a pool.
enum class ReloadLife : std::uint8_t {
  kNone,       // none is under way
  kPreparing,  // the next generation's zygote starts, and nothing else changes
  kReplacing,  // that zygote was ready: workers of the present generation are replaced
};

// A pool that FAILED may be terminated, so that its last processes go sooner.
inline constexpr Transition<PoolState> kPoolTransitions[] = {
    {PoolState::kStarting, PoolState::kRunning},  // all its workers are ready
    {PoolState::kStarting, PoolState::kClosing},  // closed before it ran
    {PoolState::kStarting, PoolState::kTerminating},
    {PoolState::kStarting, PoolState::kFailed},  // it does not start
    {PoolState::kRunning, PoolState::kClosing},
    {PoolState::kRunning, PoolState::kTerminating},
    {PoolState::kRunning, PoolState::kFailed},  // it is strict, and a worker died
    {PoolState::kClosing, PoolState::kClosed},  // all is done, and all processes are gone
    {PoolState::kClosing, PoolState::kTerminating},
    {PoolState::kClosing, PoolState::kFailed},          // it is strict, or its workers do not start any more
    {PoolState::kTerminating, PoolState::kTerminated},  // all processes are gone
    {PoolState::kFailed, PoolState::kTerminating},
};

inline constexpr Transition<ZygoteState> kZygoteTransitions[] = {
    {ZygoteState::kGone, ZygoteState::kStarting},
    {ZygoteState::kStarting, ZygoteState::kReady},
    {ZygoteState::kStarting, ZygoteState::kGone},  // did not start, or was told to end
    {ZygoteState::kReady, ZygoteState::kGone},     // ended, or was told to
};

inline constexpr Transition<ReloadLife> kReloadTransitions[] = {
    {ReloadLife::kNone, ReloadLife::kPreparing},
    {ReloadLife::kPreparing, ReloadLife::kReplacing},
    {ReloadLife::kPreparing, ReloadLife::kNone},  // its zygote does not start, or the pool ends
    {ReloadLife::kReplacing, ReloadLife::kNone},  // done; or its workers do not start, or the pool ends
};

inline constexpr Transition<WorkerLife> kWorkerTransitions[] = {
    {WorkerLife::kStarting, WorkerLife::kReady},
    {WorkerLife::kStarting, WorkerLife::kStartingStopped},
    {WorkerLife::kStarting, WorkerLife::kStartingKilled},
    {WorkerLife::kStarting, WorkerLife::kLost},  // did not start
    {WorkerLife::kReady, WorkerLife::kStopping},
    {WorkerLife::kReady, WorkerLife::kKilled},
    {WorkerLife::kReady, WorkerLife::kLost},                // crashed
    {WorkerLife::kStartingStopped, WorkerLife::kStopping},  // was ready before it heard that it is to go
    {WorkerLife::kStartingStopped, WorkerLife::kStartingKilled},
    {WorkerLife::kStartingStopped, WorkerLife::kLost},
    {WorkerLife::kStopping, WorkerLife::kKilled},
    {WorkerLife::kStopping, WorkerLife::kLost},
    {WorkerLife::kStartingKilled, WorkerLife::kKilled},  // was ready before it was killed
    {WorkerLife::kStartingKilled, WorkerLife::kLost},
    {WorkerLife::kKilled, WorkerLife::kLost},
};

class Lives {
 public:
  // Makes the transition, or aborts.
  void Move(Life<PoolState>& pool, PoolState to) { pools_.Move(pool, to); }
  void Move(Life<ZygoteState>& zygote, ZygoteState to) { zygotes_.Move(zygote, to); }
  void Move(Life<WorkerLife>& worker, WorkerLife to) { workers_.Move(worker, to); }
  void Move(Life<ReloadLife>& reload, ReloadLife to) { reloads_.Move(reload, to); }

  // Transitions that were made so far: a bit for each, by its place in the table.
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
