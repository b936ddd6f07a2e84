// The life cycles of pools, their reloads, zygotes and workers: the states, which may follow which, and the one
// function that makes a transition. It aborts on one that is not in the table: only a bug would make it.
//
// Role: order of states. Non-role: does nothing that a transition brings with it; its callers do.
// Thread safety: none; one Lives for each core, used under the core's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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

template <typename State>
struct Transition {
  State from;
  State to;
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

// A state that only Lives changes. Read as the state itself.
template <typename State>
class Life {
 public:
  explicit constexpr Life(State first) : state_(first) {}
  constexpr operator State() const { return state_; }

 private:
  friend class Lives;
  State state_;
};

class Lives {
 public:
  // Makes the transition, or aborts.
  void Move(Life<PoolState>& pool, PoolState to) { MoveIn<PoolState>(kPoolTransitions, pool, to, &pools_); }
  void Move(Life<ZygoteState>& zygote, ZygoteState to) {
    MoveIn<ZygoteState>(kZygoteTransitions, zygote, to, &zygotes_);
  }
  void Move(Life<WorkerLife>& worker, WorkerLife to) { MoveIn<WorkerLife>(kWorkerTransitions, worker, to, &workers_); }

  void Move(Life<ReloadLife>& reload, ReloadLife to) { MoveIn<ReloadLife>(kReloadTransitions, reload, to, &reloads_); }

  // Transitions that were made so far: a bit for each, by its place in the table.
  std::uint32_t pools() const { return pools_; }
  std::uint32_t zygotes() const { return zygotes_; }
  std::uint32_t workers() const { return workers_; }
  std::uint32_t reloads() const { return reloads_; }

 private:
  template <typename State>
  static void MoveIn(std::span<const Transition<State>> table, Life<State>& life, State to, std::uint32_t* made) {
    *made |= 1u << PlaceIn(table, life.state_, to);
    life.state_ = to;
  }
  template <typename State>
  static std::size_t PlaceIn(std::span<const Transition<State>> table, State from, State to) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i].from == from && table[i].to == to) return i;
    }
    Refuse(static_cast<int>(from), static_cast<int>(to));
  }
  [[noreturn]] static void Refuse(int from, int to);

  std::uint32_t pools_ = 0;
  std::uint32_t zygotes_ = 0;
  std::uint32_t workers_ = 0;
  std::uint32_t reloads_ = 0;
};

}  // namespace poold::core
