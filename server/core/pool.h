// A pool: its spec, its processes, its queue, its counters.
//
// Role: the state of one pool, in sections by the class that changes them. Everybody in the core reads it. Non-role:
// decides nothing; its functions answer from the state or keep it consistent.
// Ownership: Pools owns pools; groups and workers keep theirs alive. Thread safety: none; used under the core's mutex.
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

// A function that tasks of the pool name or that its workers have. Its number (index in Pool::functions) stays for the
// life of the pool.
struct PoolFunction {
  std::string name;
  // As in FunctionInfo; null: none was told.
  std::shared_ptr<const std::string> result_type;
  // Of the newest worker that told one; null: none did.
  std::shared_ptr<const FunctionSignature> signature;
  // Some worker of the pool has the function. False: only tasks have named it.
  bool known = false;
  // Nanoseconds of one call, of late: falls faster than it rises. 0: no call came back yet.
  double average = 0;
  // Bytes of one result: rises at once, falls slowly, so that room for outcomes is rather over-estimated.
  double result_bytes = 0;
  // Calls that came back from workers.
  std::uint64_t calls = 0;
  // Workers that died under the function since a call of it came back; only those that CircuitBreakers counts.
  std::uint32_t deaths = 0;
  // Null: its breaker never tripped.
  std::unique_ptr<CircuitBreaker> breaker;
};

// What of a pool is to end at once, though it takes more than one slice: see unfinished.cc. Each value includes those
// before it.
enum class Sweep : std::uint8_t {
  // Nothing.
  kNone,
  // Maps that are not complete take no more items (OnClose).
  kOpenMaps,
  // Whatever has not begun is cancelled (OnClose with cancel_queued).
  kUnbegun,
  // Everything is cancelled (OnTerminate, or the pool failed).
  kAll,
};

// An origin of workers: one zygote (and its successor, should it die), and how well starts from it go. A pool has one,
// and a second one while it is reloaded.
struct Generation {
  Pool* pool = nullptr;
  // Number of its first zygote, by which the generation is named; 0: none was started yet.
  std::uint32_t first = 0;
  // Number of its present or latest zygote.
  std::uint32_t number = 0;
  Life<ZygoteState> zygote{ZygoteState::kGone};
  // Valid while `zygote` is kReady.
  Nanos zygote_ready_at = 0;
  // Failures and pauses of the zygote and of the workers from it.
  StartTries tries;

  Generation(Pool* p, Timers* timers) : pool(p), tries(timers, this) {}
  // Whether a worker can be cloned now.
  bool may_start() const { return zygote == ZygoteState::kReady && !tries.pauses(); }
};

// A note that the number of a pool's workers is to be looked at. Everybody may ask; only Staffing reads and clears the
// note, so several requests cost one look.
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
  // OnOpenPool's `creation` of the call that made the pool; zero: that call gave none.
  HandleId creation;
  Life<PoolState> state{PoolState::kStarting};
  // Why the pool is kFailed; empty in every other state.
  std::string failure;
  // PoolSpec::workers as the pool was opened with; `spec.workers` is what it was resized to.
  std::uint32_t opened_workers = 0;
  PoolOwners owners;
  // Runs while all owners are absent; when it fires, on_owner_lost is done.
  TimerId owner_timer = kNoTimer;
  // Terminate was called with `forget`: the pool is not shown once it is gone.
  bool forget = false;
  // The pool has ended, and its last process is gone. Only Pools::IsGone sets it.
  bool gone = false;
  // Its place in the order in which pools ended, from 1; 0: it has not ended.
  std::uint64_t ended = 0;
  // The pool was closed with cancel_queued: whatever comes back from a worker is cancelled and not queued again.
  bool runs_only = false;
  // Maps that have not ended, in no order: MapRun::place_in_pool.
  std::vector<MapRun*> maps;
  // Tasks and maps that have not ended.
  std::uint64_t unfinished = 0;
  KeptCounts kept_counts;
  // Calls that wait for the pool to open, reload, close or end.
  PoolCalls calls;
  PoolWatchers watchers;

  // ---- Changed by Staffing ----
  // As many workers as wanted were ready once: failing starts do not end the pool any more.
  bool has_run = false;
  // The pool is strict, and a worker died that the daemon had not killed.
  bool broken = false;
  // The first worker was ready: `functions` tells what can be called. Nothing is sent before.
  bool functions_known = false;
  std::unique_ptr<Generation> present;  // never null once the pool is open
  Life<ReloadLife> reload{ReloadLife::kNone};
  // The generation of the reload that is under way; null exactly while `reload` is kNone.
  std::unique_ptr<Generation> next;
  // Numbers of zygotes that were told to end and have not.
  std::vector<std::uint32_t> stopping_zygotes;
  // The number that was given to a zygote last; 0: none yet.
  std::uint32_t last_zygote = 0;
  // Workers whose Worker::origin is below are to be replaced.
  std::uint32_t stale_below = 0;
  // Why the latest reload was rolled back; empty: it took over, or there was none.
  std::string reload_failure;
  // A reload was asked for that has not begun.
  bool reload_wanted = false;
  // Asked for when anything has changed that decides on the number of workers.
  ScalingRequest scaling;
  // Replacements are ready, so workers that are to be replaced get nothing more.
  bool draining = false;
  // All that have not ended, in the order of their starts. Staffing owns them.
  std::vector<Worker*> workers;
  // The sum of Worker::counted over `workers`.
  WorkerCounts counts;

  // ---- Changed by Scheduler ----
  // Tasks, and maps with items to send, that may run now.
  ReadyQueue ready;
  // As `ready`, for TaskOptions::fresh in a pool whose start method is not kFresh: each wants a worker that ran
  // nothing.
  ReadyQueue ready_fresh;
  // Between equal priorities the next one comes from `ready_fresh`.
  bool fresh_turn = false;
  // Tasks that wait for their start delay or for the pause before a retry.
  NodeList delayed;
  // Workers that have nothing and take work: those that ran nothing at the front, the one that was used last at the
  // back.
  NodeList idle;
  // All workers of the pool, by how much they have to do.
  WorkerIndex index;
  // Tasks and chunks that are with workers.
  std::uint64_t sent = 0;
  // The chunks among `sent`.
  std::uint64_t chunks_sent = 0;
  // Workers that have something.
  std::uint64_t busy = 0;
  // The earliest moment at which a worker may have work that another one may take; kNever: none has.
  Nanos steal_at = kNever;
  // When it fires, work that waits behind something long goes elsewhere.
  TimerId watchful_timer = kNoTimer;
  // Nothing that could come back from workers has a lower priority than this: see MakeWayForPriority.
  int way_made = std::numeric_limits<int>::max();
  // The priority for which workers are being looked at by MakeWayForPriority.
  int way_priority = 0;
  // The last worker that was looked at for it; zero: none was, or all were.
  WorkerId way_worker{};
  // Functions whose circuit breaker is open.
  std::uint32_t breakers_open = 0;
  // A breaker has tripped, and calls that were sent of its function are being taken back.
  bool recalls = false;
  // The last worker that was looked at for that.
  WorkerId recalled{};
  // The moment at which the next open breaker may call for a probe.
  TimerId breaker_timer = kNoTimer;

  // ---- Changed by Core::State: see unfinished.cc ----
  // The unfinished long work; kNone: none. While it is not, the pool is in State::unfinished_pools.
  Sweep sweep = Sweep::kNone;
  // Why, in words for the outcomes of what is cancelled.
  std::string sweep_why;
  // Handles that the sweep has ended so far.
  std::uint64_t swept = 0;
  // Workers up to this one were looked at.
  WorkerId swept_worker{};
  // So many of `maps`, from the front on, are still to be looked at.
  std::size_t swept_maps = 0;
  // Its handles before this place of HandleList are of known functions; 0: all are.
  std::uint64_t unknown_from = 0;
  // The place of HandleList before which no handle is the pool's.
  std::uint64_t first_place = 0;
  // More is to be sent than one event may send: the pool is reconciled in the next slice, and not before.
  bool sends_more = false;
  // It is in State::unfinished_pools.
  bool is_unfinished = false;

  // ---- Each number changed by one of them ----
  // By function number. Grows, never shrinks.
  std::vector<PoolFunction> functions;
  // The number of each name in `functions`.
  absl::flat_hash_map<std::string, std::uint32_t> function_numbers;
  // All counters but those of kept outcomes, which are in `kept_counts`.
  PoolStats stats;

  // The pool has not ended: its name is taken, and it counts against Limits::max_pools.
  bool live() const {
    return state != PoolState::kClosed && state != PoolState::kTerminated && state != PoolState::kFailed;
  }
  bool has_processes() const {
    return !workers.empty() || present->zygote != ZygoteState::kGone || next != nullptr || !stopping_zygotes.empty();
  }
  // What the pool has not begun is being cancelled: nothing is sent to its workers.
  bool cancels() const { return sweep >= Sweep::kUnbegun; }
  // Something of it is left for the next slice.
  bool has_more() const { return sweep != Sweep::kNone || unknown_from != 0 || sends_more; }
  // The state allows sending work to workers.
  bool dispatches() const {
    return state == PoolState::kRunning || state == PoolState::kStarting || state == PoolState::kClosing;
  }
  // Every task has a worker of its own (START_METHOD_FRESH).
  bool fresh() const { return spec.start_method == StartMethod::kFresh; }
  // The task, or each chunk of the map, runs on a worker that ran nothing before, and that ends with it.
  bool RunsAlone(const Handle& handle) const { return fresh() || handle.group->options->fresh; }
  // Whether the handle that is next in turn lies in `ready_fresh`.
  bool FreshIsNext() const;
  // An idle worker that ran nothing yet; null: there is none.
  Worker* UnusedIdle() const {
    Worker* const first = AsWorker(idle.front());
    return first == nullptr || first->dispatches > 0 ? nullptr : first;
  }
  // How many more workers may have work at the same time.
  std::uint64_t slots() const { return busy < spec.workers ? spec.workers - busy : 0; }
  bool has_slot() const { return slots() > 0; }
  // Whether the worker is to be replaced: it is used up, too old or too large, or its generation is stale.
  bool Leaving(const Worker& worker) const { return worker.replacement_due || worker.origin < stale_below; }
  // The generation that counts the starts of this worker. One that was dropped by a rollback counts for the present
  // one.
  Generation& OriginOf(const Worker& worker) {
    return next != nullptr && worker.origin == next->first ? *next : *present;
  }
  // The generation whose zygote has this number; null: the zygote is another pool's, is over, or is being stopped.
  Generation* FindZygote(std::uint32_t number) {
    if (next != nullptr && next->number == number && next->zygote != ZygoteState::kGone) return next.get();
    return present->number == number && present->zygote != ZygoteState::kGone ? present.get() : nullptr;
  }
  // Whether workers that were asked of this zygote are not ready yet. If the zygote ends now, the ends of those workers
  // tell that starts failed.
  bool StartsFrom(std::uint32_t number) const {
    return std::any_of(workers.begin(), workers.end(),
                       [number](const Worker* worker) { return worker->generation == number && !worker->ready(); });
  }
  // The number of a function; gives one to a name that is not known yet.
  std::uint32_t FunctionNumber(std::string_view name);
  // Names of the functions that workers of the pool have.
  std::vector<std::string> FunctionNames() const;
  // So many calls of the function came back, which took `elapsed` together: updates averages and PoolFunction::calls.
  void NoteRun(std::uint32_t function, Nanos elapsed, std::uint64_t came, std::uint64_t result_bytes);
  // The worker's part of `counts`, computed from its state.
  WorkerCounts CountsOf(const Worker& worker) const;
  // Updates Worker::counted and `counts`. Call when anything has changed that a worker is counted by.
  void Recount(Worker& worker);
  // Recounts every worker. Call when `stale_below` has changed.
  void RecountAll();
  // Takes the worker out of `workers`, `counts` and `index`. REQUIRES: it is not in `idle`.
  void Remove(Worker& worker);
  // ListIdle does nothing if the worker is in `idle` already, UnlistIdle if it is not.
  void ListIdle(Worker* worker);
  void UnlistIdle(Worker* worker);
};

// Call when the line of this group has changed: workers are kept ready for what waits in Pool::ready_fresh.
inline void NoteFresh(const Group& group) {
  if (group.ready == &group.pool->ready_fresh) group.pool->scaling.Ask();
}

// The calls of the pool, in a pointer that keeps the whole pool alive. REQUIRES: not null.
inline std::shared_ptr<PoolCalls> CallsOf(const std::shared_ptr<Pool>& pool) { return {pool, &pool->calls}; }

}  // namespace poold::core
