// The core: every table, every decision, one event handler for each thing that can happen.
//
// Role: which task next, on which worker, when to retry, to kill, to refuse; when a pool is closed; what a handle's
// outcome is. Non-role: no clock (events bring `now`), no thread, no I/O, no protobuf, no gRPC. Deterministic: the same
// events with the same seed give the same calls on the ports.
// Thread safety: none; the shell calls it under one mutex (engine/gate.h), once for each batch.
// Ownership: owns all state; owns neither port; both must outlive it.
// Errors: a refused call is a Status made by MakeError (errors.h), and has changed nothing.
// Invariants, checked by the simulator after every event: every accepted handle reaches exactly one terminal state and
// keeps it; an attempt's result counts once; limits are kept; no worker is idle while a task could run on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/dropped.h"
#include "core/errors.h"
#include "core/ports.h"
#include "core/types.h"
#include "core/views.h"

namespace poold::core {

// The handles of long work that one entry into a core looks at. What brings more than that is cut before it enters.
inline constexpr std::size_t kSlice = 4096;

// Every bound of the core; see ServerLimits in poold/v1/server_info.proto.
struct Limits {
  // The largest arguments of one task or item that are taken.
  std::uint64_t max_payload_bytes = 1ull << 30;
  // Room for outcomes that nobody released, of all clients: outcome/outcome_room.h divides it.
  std::uint64_t max_kept_outcome_bytes = 1ull << 30;
  // How long an outcome is kept that nobody releases; kNever: for ever.
  Nanos outcome_ttl = 15 * 60 * kSecond;
  // Ids of released handles that are remembered, so that a repeated submission is refused and not run again.
  std::uint64_t remembered_ids = 100'000;
  // The longest that a Get, Wait or Join waits; a longer one is cut to it.
  Nanos max_wait = 3600 * kSecond;
  // Live pools, those of other cores (`elsewhere`) counted in; and so many pools that are gone are still shown.
  std::uint32_t max_pools = 1024;
  std::uint32_t max_workers_per_pool = 4096;
  // Kept of each of a task's stdout and stderr for its outcome.
  std::uint32_t output_tail_bytes = 4096;
  // Tasks and items that may wait in a pool, and bytes of their arguments, where the spec says 0.
  std::uint64_t max_queued_tasks = 10'000'000;
  std::uint64_t max_queued_bytes = 2ull << 30;
  // What tasks and maps that have not ended may take in the core's own tables, of all pools together: about
  // kTaskBytes (handle.h) for each, and kGroupBytes for those that were submitted together.
  std::uint64_t max_task_bytes = std::numeric_limits<std::uint64_t>::max();
  // Tasks sent ahead to one worker, at most. Below the slots of the worker's claim page.
  std::uint32_t max_prefetch = 768;
  // How long a pool's owner may be absent.
  Nanos owner_grace = 10 * kSecond;
  // From the start of a zygote or a worker until it is ready, in pools whose spec does not say.
  Nanos start_timeout = 60 * kSecond;
  // Handles of long work that one event looks at, and timers that one tick fires. At least 2.
  std::size_t slice = kSlice;
};

// Bytes that the core has in memory, as far as its limits bound them.
struct MemoryUse {
  // Counted against Limits::max_task_bytes.
  std::uint64_t task_bytes = 0;
  // Counted against Limits::max_kept_outcome_bytes.
  std::uint64_t kept_outcome_bytes = 0;
};

// What the live pools of one core are. engine/ compares cores by it and counts pools of all of them.
struct Load {
  std::uint64_t pools = 0;
  // The sum of PoolSpec::workers.
  std::uint64_t workers = 0;
};

// Whether the core knows an id: kNo, never seen or forgotten; kReleased, its outcome was released; kYes, a handle.
enum class Known : std::uint8_t { kNo, kReleased, kYes };

// One task of a submission.
struct NewTask {
  // Chosen by the client or by NewHandle. Known already: the task is taken as the same one if pool, function, options
  // and arguments are the same, else refused.
  HandleId id;
  // Moved out when the task is taken; stays when it is refused or was known.
  Payload args;
};

// A task or a subscription that was refused.
struct Refusal {
  HandleId id;
  absl::Status why;
  // Place of the task among those that came with it, from 0.
  std::size_t place = 0;
};

// What the tasks of one submission have in common.
struct TaskGroup {
  // Whose turn and whose room for outcomes the tasks take.
  ClientId client{};
  // The stream that gets the outcomes, and the output where asked for; kNobody: none.
  SubscriberId subscriber = kNobody;
  // Names of the pool and of the function in it.
  std::string_view pool;
  std::string_view function;
  // Null: the defaults.
  std::shared_ptr<const TaskOptions> options;
  ClientOrigin origin{};
};

// Opens a map, or appends items to it. The first one with an id opens; pool, function and options have to be the same
// in all.
struct MapGroup {
  ClientId client{};
  // As in TaskGroup.
  SubscriberId subscriber = kNobody;
  std::string_view pool;
  std::string_view function;
  // Null: the defaults.
  std::shared_ptr<const TaskOptions> options;
  HandleId id;
  // Index of the first of `items`. Items that have arrived already are passed over; a gap is refused (ITEMS_MISSING).
  std::uint64_t first_index = 0;
  // Null: none come with this one.
  std::shared_ptr<const ItemColumn> items;
  // Of all items, like `type_name`. Taken from the first one.
  Encoding encoding = Encoding::kUnspecified;
  std::shared_ptr<const std::string> type_name;
  // No more items come after these.
  bool complete = false;
  // Items that a worker gets at a time; 0: the core chooses. Taken from the first one, like `fail_fast`.
  std::uint32_t chunk_size = 0;
  // The first item that does not succeed cancels those that have not begun.
  bool fail_fast = false;
  ClientOrigin origin{};
};

// The result of a task's attempt, from a worker that lived to tell.
struct TaskResult {
  // Empty with `failure`.
  Payload result;
  // The function failed, or its arguments did not decode.
  std::optional<Failure> failure;
  // The time of the call, as the worker measured it.
  Nanos elapsed = 0;
};

// The end of a worker process. Everything that it had written to its ring was delivered before.
struct WorkerLoss {
  // As process/ knows it: `generation`, `worker` and perhaps `killed_by` are filled in by the core.
  DeathCertificate death;
  // The last that the process wrote and that no task was told of.
  std::string stdout_tail;
  std::string stderr_tail;
  // Why the worker never became ready: its own words, or how it died. Empty: it was ready, or nothing is known.
  std::string start_failure;
  // Whose fault that is; only with a worker that never became ready.
  LossCause cause = LossCause::kItself;
  // Whether `guilty` is known: the attempt that was claimed and not finished, which dies with the worker. Attempts that
  // are not named here were not begun (or only in part: the items of a chunk before `guilty_item` are delivered, those
  // behind it were not begun). Of a worker without a page nobody can tell: everything that it has and did not answer
  // may have begun.
  bool has_guilty = false;
  // Valid with `has_guilty`.
  AttemptToken guilty{};
  // Of a chunk: the item that was claimed, counted from the chunk's first one.
  std::uint32_t guilty_item = 0;
};

class Core {
 public:
  // `seed`: for ids that the daemon chooses, and for jitter.
  Core(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard = {});
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // ---- Pools ----
  // Opens a pool, or joins one of the same name and spec that is STARTING or RUNNING. Answered by AnswerOpenPool when
  // the pool runs or has failed. REQUIRES: api/ has checked the form of the spec (names, ranges).
  // `owner`: the client whose absence PoolSpec::on_owner_lost is about; it is present now. Zero: nobody. `elsewhere`:
  // live pools of other cores that count against max_pools. `creation`: the pool must be new, or made by an OnOpenPool
  // with the same one, so that the call may be repeated; zero: any pool of this spec will do.
  // Refusals: POOL_EXISTS, TOO_MANY, INVALID_FIELD (workers), SHUTTING_DOWN.
  void OnOpenPool(Nanos now, SubscriberId call, PoolSpec spec, ClientId owner = {}, std::uint64_t elsewhere = 0,
                  HandleId creation = {});
  // The first session of a client has come. A client that is present has a floor in the room for outcomes; what one
  // leaves that is not may have to make way: outcome/outcome_room.h. Repeating it changes nothing but `origin`.
  void OnClientPresent(Nanos now, ClientId client, const ClientOrigin& origin = {});
  // The last session of a client has gone. Its maps that are not complete are closed after Limits::owner_grace, and so
  // are pools whose last owner it was, by their on_owner_lost.
  void OnClientAbsent(Nanos now, ClientId client);
  // What the client keeps; everything empty: the core does not know the client.
  ClientView ViewClient(ClientId client) const;
  // Clients of which some work waits until they release outcomes.
  std::vector<ClientView> HeldUpClients() const;
  // The pool takes nothing new and ends when it has finished what it has; with `cancel_queued` all that had not begun
  // is cancelled, too. Answered by AnswerClose: at once, or with `cancel_queued` when all of that was cancelled. Safe
  // to repeat, also on a pool that has ended. POOL_NOT_FOUND.
  void OnClose(Nanos now, SubscriberId call, std::string_view pool, bool cancel_queued = false);
  // Cancels everything that the pool has and kills its processes. Answered by AnswerTerminate when the last one is
  // gone. `grace`: between SIGTERM and SIGKILL; a later call may make it shorter. `forget`: when its last process is
  // gone its name is not known any more. Safe to repeat. POOL_NOT_FOUND.
  void OnTerminate(Nanos now, SubscriberId call, std::string_view pool, Nanos grace = 0, bool forget = false);
  // Sets PoolSpec::workers. Surplus workers finish what they run; what they had not begun runs elsewhere.
  // POOL_NOT_FOUND, POOL_NOT_RUNNING, POOL_FAILED, POOL_BROKEN, INVALID_FIELD.
  absl::StatusOr<PoolView> OnResize(Nanos now, std::string_view pool, std::uint32_t workers);
  // Loads the modules anew in a second generation, which replaces the present one when it is ready. Answered by
  // AnswerReload. A call during a reload waits for one more.
  void OnReload(Nanos now, SubscriberId call, std::string_view pool);
  // Answered by AnswerJoin: true when the last process of the pool is gone, false after `wait_timeout` (0: at once),
  // POOL_STILL_RUNNING while the pool takes tasks.
  void OnJoin(Nanos now, SubscriberId call, std::string_view pool, Nanos wait_timeout);
  // POOL_NOT_FOUND. A pool that is gone is shown while its name names it.
  absl::StatusOr<PoolView> ViewPool(std::string_view pool) const;
  // The functions that the workers of the pool have, and what they say of them; none where there is no such pool.
  std::vector<FunctionInfo> ViewFunctions(std::string_view pool) const;
  // Of each name the pool that it names now, in the order of opening.
  std::vector<PoolView> ViewPools() const;
  // Counts live pools only.
  Load load() const;
  MemoryUse memory() const;
  // Whether the name names a pool: a live one, or one that is gone and still shown.
  bool KnowsPool(std::string_view pool) const;
  // Names of live pools.
  std::vector<std::string> PoolNames() const;
  // Names of the functions that the workers of the pool have; none where there is no such pool.
  std::vector<std::string> FunctionNames(std::string_view pool) const;

  // ---- Handles ----
  // An id that the core does not know, for a client that brought none.
  HandleId NewHandle();
  // Never changes anything.
  Known Knows(const HandleId& id) const;
  // Takes each task, or appends a refusal for it; one refusal does not disturb the others. Safe to repeat with the same
  // ids. REQUIRES: at most kSlice tasks.
  void OnSubmit(Nanos now, const TaskGroup& group, std::span<NewTask> tasks, std::vector<Refusal>* refused);
  // Opens a map or appends to it. Returns how many items the map has, or passed over since it takes no more: where the
  // client goes on. Safe to repeat. A refused call changes nothing.
  absl::StatusOr<std::uint64_t> OnMap(Nanos now, const MapGroup& group);
  // Waits until the handle has ended, `wait_timeout` is over (0: at once), or the call is refused. Answered by
  // AnswerGet / AnswerWait, perhaps before these return. Of more than kSlice handles each piece is waited for by a call
  // of its own. `from`: the task that this worker runs waits; it is refused (WOULD_DEADLOCK) where nobody is left who
  // could run what it waits for. See subscribe/deadlock.h.
  void OnGet(Nanos now, SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from = {});
  // As OnGet, for several handles; an unknown one among them refuses the whole call. Repeated ids count once.
  void OnWait(Nanos now, SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
              WorkerId from = {});
  // Sends the outcome of the handle to this subscriber (of a map: items from `first_index` on, in the order in which
  // they come about), at once or when it ends. Outcomes that are there already are sent before this returns.
  absl::Status OnSubscribe(Nanos now, SubscriberId subscriber, HandleId id, std::uint64_t first_index = 0);
  // True: the handle is, or will be, CANCELLED. False: it has ended otherwise, or it runs and `running` is false. With
  // `running` the worker is killed under it. Safe to repeat.
  absl::StatusOr<bool> OnCancel(Nanos now, HandleId id, bool running);
  // The outcome is no longer needed, and nobody names the handle any more; what runs of it goes on. False: the handle
  // is not known, or was released before.
  bool OnRelease(Nanos now, HandleId id);
  // The outcomes of these items are no longer needed. Nothing happens if the map is not known.
  void OnConsumed(Nanos now, HandleId map, std::uint64_t first_index, std::uint64_t count);
  // The result of a task, or of the item `index` of a map, for Download; FAILED_PRECONDITION while there is none.
  absl::StatusOr<Payload> ViewResult(HandleId id, std::uint64_t index) const;
  // The arguments, while they are kept: until it ended; then, with its outcome, of a task or item that did not succeed,
  // unless half of max_kept_outcome_bytes was in use, and half of its client's floor. An item that was cancelled with
  // its map has none.
  absl::StatusOr<Payload> ViewArguments(HandleId id, std::uint64_t index) const;
  // HANDLE_NOT_FOUND or HANDLE_RELEASED, as every call that names a handle.
  absl::StatusOr<HandleView> ViewHandle(HandleId id) const;
  // Handles in the order of their submission, at most `most`; `from`: TaskPage::next of the page before, or 0. Looks at
  // a bounded number of handles: a page may be short, or empty, and have a `next` all the same.
  TaskPage ViewTasks(const TaskFilter& filter, std::uint64_t from, std::size_t most) const;
  // Looks along queues: meant for people, not for each task.
  absl::StatusOr<Explanation> Explain(Nanos now, HandleId id) const;
  // Sends events of these handles, or (no ids) of a pool and everything in it, until EndWatch. What there is comes
  // first. `output`: also what tasks write.
  absl::Status OnWatch(Nanos now, SubscriberId call, std::span<const HandleId> ids, std::string_view pool, bool output);
  // The call or stream is gone: nothing is sent to it any more, and what it waited for is forgotten. Its tasks go on.
  void OnSubscriberGone(Nanos now, SubscriberId subscriber);

  // ---- Processes ----
  // Ignored where the generation is not known any more.
  void OnZygoteReady(Nanos now, PoolId pool, std::uint32_t generation);
  // The zygote has ended, or did not start. `why`: its own words, or how it died; empty after StopZygote. `cause`:
  // whose fault that is.
  void OnZygoteLost(Nanos now, PoolId pool, std::uint32_t generation, std::string why,
                    LossCause cause = LossCause::kItself);
  // `functions`: in the worker's order, which Assignment::function counts. `uses_page`: the worker claims tasks in its
  // page, so TakeBack works and its death tells what was begun.
  void OnWorkerReady(Nanos now, WorkerId worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page);
  // A token that names an attempt which is over is ignored, and counted in PoolStats::dropped_results. The result
  // itself is then in dropped().
  void OnTaskResult(Nanos now, WorkerId worker, AttemptToken token, TaskResult result);
  // Items of a chunk that are done. REQUIRES: in the order of the chunk; others are dropped. `items.first_index` is
  // relative to the chunk. `elapsed`: of all of them together.
  void OnItemResults(Nanos now, WorkerId worker, AttemptToken token, ItemBlock items, Nanos elapsed);
  // Bytes that a task wrote, or the present item of a chunk. Comes before its result.
  void OnOutput(Nanos now, WorkerId worker, AttemptToken token, OutputStream stream, Bytes data);
  // `item`: of a chunk, counted from its first one; of a task 0. `fraction`: 0 to 1, or anything else for none.
  void OnProgress(Nanos now, WorkerId worker, AttemptToken token, std::uint32_t item, double fraction,
                  std::string text);
  // The worker's resident memory, measured now. Told only of workers whose pool has a limit for it.
  void OnWorkerUsage(Nanos now, WorkerId worker, std::uint64_t rss_bytes);
  // The worker's process has ended, or never started. REQUIRES: all results that it left were told before.
  void OnWorkerLost(Nanos now, WorkerId worker, WorkerLoss loss);

  // ---- Time ----
  // Fires what is due and does a slice of unfinished work. Call at or after NextTimer().
  void OnTick(Nanos now);
  // The earliest moment at which something is due; kNever: nothing is. It is now while long work is unfinished: to
  // terminate a pool, or to cancel what it has not begun, takes a slice (Limits::slice) at a time. The pool refuses and
  // sends nothing from the first slice on, and says of each handle what will become of it.
  Nanos NextTimer() const;

  // ---- After the events of one entry, before the mutex is left ----
  // Does a slice of unfinished work, unless one of the events since the last OnLeave did. Returns NextTimer().
  Nanos OnLeave(Nanos now);
  // What the core let go of. Whoever entered takes it with Swap, and destroys it outside of the mutex.
  Dropped& dropped();

  // ---- The end ----
  // Refuses everything new (UNAVAILABLE) and closes all pools. AllPoolsGone comes when the last process is gone. Safe
  // to repeat.
  void OnShutdown(Nanos now);
  // Terminates all pools, with no grace. Safe to repeat.
  void OnTerminateAll(Nanos now);

 private:
  friend class CoreTestPeer;  // tests/core: looks inside, plants faults
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace poold::core
