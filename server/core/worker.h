// One worker process, as the core sees it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/node.h"
#include "core/pool/lives.h"
#include "core/timers.h"
#include "core/types.h"
#include "core/worker_counts.h"
#include "core/worker_mark.h"

namespace poold::core {

struct Pool;

// A worker from the moment at which Staffing asks for its process until the process has ended. As a node it is in
// Pool::idle while it has nothing and takes work. Staffing changes the members about its process and its life, the
// scheduler those about its work.
struct Worker : Node {
  Worker() : Node(NodeKind::kList) { places.fill(kNoPlace); }

  // Grows with starts; unique among all cores of the daemon.
  WorkerId id{};
  // Never null.
  std::shared_ptr<Pool> pool;
  // 0 until the worker is ready.
  std::int64_t pid = 0;
  // Given to tasks that run here; empty until the worker is ready.
  WorkerMark mark;
  // Number of its zygote.
  std::uint32_t generation = 0;
  // Generation::first of the generation that it came from.
  std::uint32_t origin = 0;
  // StartTries::round when it was asked for.
  std::uint32_t start_round = 0;
  // When it was asked for.
  Nanos started_at = 0;
  // 0 until it is ready.
  Nanos ready_at = 0;
  // PoolSpec::max_worker_age (TimerKind::kWorkerAge).
  TimerId age_timer = kNoTimer;
  // Resident memory when it was last measured; 0: it was not.
  std::uint64_t rss_bytes = 0;
  Life<WorkerLife> life{WorkerLife::kStarting};
  // The worker claims tasks in its page: work that it has not begun can be taken back. Valid from ready on.
  bool uses_page = false;
  // The worker is to be replaced when its present work is done.
  bool replacement_due = false;
  // Why the worker is being killed; kUnspecified exactly while it is not.
  KilledBy killed_by = KilledBy::kUnspecified;
  // When SIGKILL comes; kNever: nobody kills it.
  Nanos kill_at = kNever;

  // Tasks and chunks that it has, in the order in which it runs them: the front one is its present one.
  NodeList sent;
  // A lower bound of the priorities of what it has and another one could get; only Scheduler changes it.
  int lowest = 0;
  // Nanoseconds that all in `sent` probably take.
  Nanos load = 0;
  // Tasks and chunks in `sent` of functions that were not measured: `load` knows nothing of them.
  std::uint32_t unmeasured = 0;
  // When its present task or item became the present one, as far as the core knows.
  Nanos progress_at = 0;
  // Tasks and chunks that it was given so far.
  std::uint64_t dispatches = 0;
  // Tasks and items that came back from it so far.
  std::uint64_t tasks_done = 0;
  // By the pool's number of a function: the worker's own number of it; -1: the worker has no such function. Null until
  // it is ready.
  std::shared_ptr<const std::vector<std::int32_t>> functions;

  // Its part of Pool::counts.
  WorkerCounts counted;
  // Of WorkerIndex alone: its places in the orders there (kNoPlace: not in it), and which of them may be wrong since
  // something of the worker has changed.
  static constexpr std::uint32_t kNoPlace = 0xffffffff;
  std::array<std::uint32_t, 6> places;
  std::uint8_t touched = 0;

  // It has been ready, and its process has not ended.
  bool ready() const {
    return life == WorkerLife::kReady || life == WorkerLife::kStopping || life == WorkerLife::kKilled;
  }
  // It was told to go and is not being killed: it finishes what it has and gets no more.
  bool stopping() const { return life == WorkerLife::kStopping || life == WorkerLife::kStartingStopped; }
  // It was neither told to go nor killed.
  bool live() const { return life == WorkerLife::kReady || life == WorkerLife::kStarting; }
  bool takes_work() const { return life == WorkerLife::kReady; }
  bool idle() const { return takes_work() && sent.empty(); }
};

inline Worker* AsWorker(Node* node) { return static_cast<Worker*>(node); }

}  // namespace poold::core
