// A pool: its spec, its processes, its queue, its counters.
//
// Role: the state, in sections by which class changes it. Others read it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/handle.h"
#include "core/map_run.h"
#include "core/outcome/kept_outcomes.h"
#include "core/pool/lives.h"
#include "core/pool/owners.h"
#include "core/pool/start_tries.h"
#include "core/scheduler/circuit_breaker.h"
#include "core/scheduler/ready_queue.h"
#include "core/scheduler/worker_index.h"
#include "core/views.h"
#include "core/worker.h"
#include "core/worker_counts.h"

namespace poold::core {

struct PoolFunction {
  std::string name;
  std::shared_ptr<const std::string> result_type;
  std::shared_ptr<const FunctionSignature> signature;  // of the newest worker
  bool known = false;                                  // some worker has it
  double average = 0;                                  // nanoseconds of one call; 0: not measured
  double result_bytes = 0;                             // of one call: about so many, rather more
  std::uint64_t calls = 0;                             // that came back
  std::uint32_t deaths = 0;                            // of workers under it, since a call came back
  std::unique_ptr<CircuitBreaker> breaker;             // null: it never had one
};

// What of a pool ends at once, though it takes more than one slice: see unfinished.cc. Each includes those before it.
enum class Sweep : std::uint8_t {
  kNone,
  kOpenMaps,  // maps that are not complete take no more items
  kUnbegun,   // what has not begun is cancelled
  kAll,       // everything is cancelled
};

// Where workers come from: one zygote (and the next, should it die), and how well starts go there. A pool has one, and
// a second one while it is reloaded.
struct Generation {
  Pool* pool = nullptr;
  std::uint32_t first = 0;   // number of its first zygote: its name
  std::uint32_t number = 0;  // of the present one
  Life<ZygoteState> zygote{ZygoteState::kGone};
  Nanos zygote_ready_at = 0;
  StartTries tries;  // of the zygote and its workers

  Generation(Pool* p, Timers* timers) : pool(p), tries(timers, this) {}
  bool may_start() const { return zygote == ZygoteState::kReady && !tries.pauses(); }
};

// Whether the workers of a pool are to be looked at. Anybody asks for it, and only Staffing does it.
class ScalingRequest {
 public:
  void Ask() { asked_ = true; }
  bool asked() const { return asked_; }

 private:
  friend class Staffing;
  void Done() { asked_ = false; }
  bool asked_ = false;
};

struct Pool : std::enable_shared_from_this<Pool> {
  // `max_prefetch`: Limits::max_prefetch.
  explicit Pool(std::uint32_t max_prefetch) : index(max_prefetch) {}

  // ---- Changed by Pools, and by what puts the rooms together ----
  PoolId id{};
  PoolSpec spec;
  Nanos opened_at = 0;
  HandleId creation;  // of the request that made it; zero: it said none
  Life<PoolState> state{PoolState::kStarting};
  std::string failure;
  std::uint32_t opened_workers = 0;  // as it was opened; the spec says what it was resized to
  PoolOwners owners;
  TimerId owner_timer = kNoTimer;  // they are lost
  bool forget = false;             // when it is gone nobody wants to look at it
  bool gone = false;               // it has ended, and its last process is gone
  std::uint64_t ended = 0;         // its number in the order in which pools ended; 0: it has not
  bool runs_only = false;          // it was closed so that only what had begun still runs: nothing is queued again
  std::vector<MapRun*> maps;       // that have not ended
  std::uint64_t unfinished = 0;    // tasks and maps
  KeptCounts kept_counts;
  PoolCalls calls;  // that wait for it
  PoolWatchers watchers;

  // ---- Changed by Staffing ----
  bool has_run = false;  // it was RUNNING: starts that fail do not end it any more
  bool broken = false;   // strict, and a worker died
  bool functions_known = false;
  std::unique_ptr<Generation> present;  // never null once the pool is open
  Life<ReloadLife> reload{ReloadLife::kNone};
  std::unique_ptr<Generation> next;             // of the reload; null: none is under way
  std::vector<std::uint32_t> stopping_zygotes;  // their numbers
  std::uint32_t last_zygote = 0;                // the number that was given last
  std::uint32_t stale_below = 0;                // workers of an earlier origin are to be replaced
  std::string reload_failure;
  bool reload_wanted = false;    // once more, after the one that is under way
  ScalingRequest scaling;        // something about its workers, or about what they are wanted for, has changed
  bool draining = false;         // workers that are to be replaced take nothing more: their replacements are ready
  std::vector<Worker*> workers;  // in the order of their starts
  WorkerCounts counts;           // of them

  // ---- Changed by Scheduler ----
  ReadyQueue ready;
  ReadyQueue ready_fresh;             // what wants a worker that ran nothing, where that is not the rule
  bool fresh_turn = false;            // between equals, the next one comes from ready_fresh
  NodeList delayed;                   // tasks that wait for their time
  NodeList idle;                      // of workers: the most recently used one last, unused ones first
  WorkerIndex index;                  // of all workers
  std::uint64_t sent = 0;             // tasks and chunks that are with workers
  std::uint64_t chunks_sent = 0;      // of these, chunks
  std::uint64_t busy = 0;             // workers that have something
  Nanos steal_at = kNever;            // no worker has work that another one may take before then
  TimerId watchful_timer = kNoTimer;  // looks at work that waits behind something long
  // Nothing that could come back has a lower priority than this: see MakeWayForPriority.
  int way_made = std::numeric_limits<int>::max();
  std::uint32_t breakers_open = 0;   // that stand
  TimerId breaker_timer = kNoTimer;  // when the next one may try

  // ---- Changed by Core::State: see unfinished.cc ----
  Sweep sweep = Sweep::kNone;
  std::string sweep_why;       // why, for the outcomes
  std::uint64_t swept = 0;     // handles that ended by it
  WorkerId swept_worker{};     // workers up to this one were looked at
  std::size_t swept_maps = 0;  // as many of `maps` are still to be looked at

  // ---- Each number changed by one of them ----
  std::vector<PoolFunction> functions;
  absl::flat_hash_map<std::string, std::uint32_t> function_numbers;
  PoolStats stats;  // without what is kept of it

  bool live() const {
    return state != PoolState::kClosed && state != PoolState::kTerminated && state != PoolState::kFailed;
  }
  bool has_processes() const {
    return !workers.empty() || present->zygote != ZygoteState::kGone || next != nullptr || !stopping_zygotes.empty();
  }
  // What it has not begun is being cancelled: nothing is sent.
  bool cancels() const { return sweep >= Sweep::kUnbegun; }
  bool dispatches() const {
    return state == PoolState::kRunning || state == PoolState::kStarting || state == PoolState::kClosing;
  }
  // Every task has a worker of its own.
  bool fresh() const { return spec.start_method == StartMethod::kFresh; }
  // It runs on a worker that ran nothing before, and ends with it.
  bool RunsAlone(const Handle& handle) const { return fresh() || handle.group->options->fresh; }
  // The next one is from ready_fresh.
  bool FreshIsNext() const;
  // A worker that ran nothing before; null if there is none.
  Worker* UnusedIdle() const {
    Worker* const first = AsWorker(idle.front());
    return first == nullptr || first->dispatches > 0 ? nullptr : first;
  }
  // At most so many have work at a time.
  std::uint64_t slots() const { return busy < spec.workers ? spec.workers - busy : 0; }
  bool has_slot() const { return slots() > 0; }
  // It is to be replaced.
  bool Leaving(const Worker& worker) const { return worker.replacement_due || worker.origin < stale_below; }
  Generation& OriginOf(const Worker& worker) {
    return next != nullptr && worker.origin == next->first ? *next : *present;
  }
  // Null if it is not theirs, or is being stopped.
  Generation* FindZygote(std::uint32_t number) {
    if (next != nullptr && next->number == number && next->zygote != ZygoteState::kGone) return next.get();
    return present->number == number && present->zygote != ZygoteState::kGone ? present.get() : nullptr;
  }
  // Workers that were asked of this zygote are not ready yet. If it ends now, their ends tell: they did not start.
  bool StartsFrom(std::uint32_t number) const {
    return std::any_of(workers.begin(), workers.end(),
                       [number](const Worker* worker) { return worker->generation == number && !worker->ready(); });
  }
  // The number of a function; makes one that is not known yet.
  std::uint32_t FunctionNumber(std::string_view name);
  // Those that its workers have.
  std::vector<std::string> FunctionNames() const;
  void NoteRun(std::uint32_t function, Nanos elapsed, std::uint64_t calls, std::uint64_t result_bytes);
  // What one worker adds to `counts`.
  WorkerCounts CountsOf(const Worker& worker) const;
  // Call when anything has changed that a worker is counted by, and, for all of them, when `stale_below` has.
  void Recount(Worker& worker);
  void RecountAll();
  // It is gone.
  void Remove(Worker& worker);
  void ListIdle(Worker* worker);
  void UnlistIdle(Worker* worker);
};

// The line of this group has changed: workers are kept ready for what waits in Pool::ready_fresh.
inline void NoteFresh(const Group& group) {
  if (group.ready == &group.pool->ready_fresh) group.pool->scaling.Ask();
}

// Keeps the pool, too. REQUIRES: it is not null.
inline std::shared_ptr<PoolCalls> CallsOf(const std::shared_ptr<Pool>& pool) { return {pool, &pool->calls}; }

}  // namespace poold::core
