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

// A node while it is idle: of Pool::idle.
struct Worker : Node {
  Worker() : Node(NodeKind::kList) { places.fill(kNoPlace); }

  WorkerId id{};
  std::shared_ptr<Pool> pool;
  std::int64_t pid = 0;
  WorkerMark mark;
  std::uint32_t generation = 0;   // number of its zygote
  std::uint32_t origin = 0;       // Generation::first of where it came from
  std::uint32_t start_round = 0;  // StartTries::round when it was asked for
  Nanos started_at = 0;
  Nanos ready_at = 0;
  TimerId age_timer = kNoTimer;
  std::uint64_t rss_bytes = 0;  // when it was last looked at
  Life<WorkerLife> life{WorkerLife::kStarting};
  bool uses_page = false;
  bool replacement_due = false;  // to be replaced
  // Why it is being killed, if it is.
  KilledBy killed_by = KilledBy::kUnspecified;
  Nanos kill_at = kNever;  // then with SIGKILL

  // What it has, in the order in which it runs it: tasks and chunks.
  NodeList sent;
  int lowest = 0;                // nothing that it has is of a lower priority; only Scheduler changes it
  Nanos load = 0;                // how long that probably takes
  std::uint32_t unmeasured = 0;  // of these, work of functions that were never measured
  Nanos progress_at = 0;         // when its present task or item became the present one
  std::uint64_t dispatches = 0;
  std::uint64_t tasks_done = 0;
  // The worker's number of each function of the pool; -1: it has no such function.
  std::shared_ptr<const std::vector<std::int32_t>> functions;

  WorkerCounts counted;  // its part of Pool::counts
  // Of WorkerIndex: its places in the orders there, and which of them may be wrong since something of it has changed.
  static constexpr std::uint32_t kNoPlace = 0xffffffff;
  std::array<std::uint32_t, 6> places;
  std::uint8_t touched = 0;

  // It has been ready, and its process has not ended.
  bool ready() const {
    return life == WorkerLife::kReady || life == WorkerLife::kStopping || life == WorkerLife::kKilled;
  }
  // It was told to go, and is not killed: it gets no more.
  bool stopping() const { return life == WorkerLife::kStopping || life == WorkerLife::kStartingStopped; }
  // It was neither told to go nor killed.
  bool live() const { return life == WorkerLife::kReady || life == WorkerLife::kStarting; }
  bool takes_work() const { return life == WorkerLife::kReady; }
  bool idle() const { return takes_work() && sent.empty(); }
};

inline Worker* AsWorker(Node* node) { return static_cast<Worker*>(node); }

}  // namespace poold::core
