// The core: every table, every decision, one event handler for each thing that can happen.
//
// Role: which task next, on which worker, when to retry, to kill, to refuse; when a pool is closed; what a handle's
// outcome is. Non-role: no clock (events bring `now`), no thread, no I/O, no protobuf, no gRPC. Deterministic: the same
// events with the same seed give the same calls on the ports.
// Thread safety: none; the shell calls it under one mutex (gate/gate.h), once for each batch.
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
  std::uint64_t max_payload_bytes = 1ull << 30;
  std::uint64_t max_kept_outcome_bytes = 1ull << 30;
  Nanos outcome_ttl = 15 * 60 * kSecond;
  std::uint64_t remembered_ids = 100'000;
  Nanos max_wait = 3600 * kSecond;
  std::uint32_t max_pools = 1024;
  std::uint32_t max_workers_per_pool = 4096;
  std::uint32_t output_tail_bytes = 4096;
  // Of pools whose spec names none.
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

// What the core has in memory, as far as it is bounded by its limits.
struct MemoryUse {
  std::uint64_t task_bytes = 0;
  std::uint64_t kept_outcome_bytes = 0;
};

// What of the daemon's pools lies elsewhere, or here.
struct Load {
  std::uint64_t pools = 0;
  std::uint64_t workers = 0;  // that they want
};

enum class Known : std::uint8_t { kNo, kReleased, kYes };

struct NewTask {
  HandleId id;
  Payload args;
};

// A task or a subscription that was refused.
struct Refusal {
  HandleId id;
  absl::Status why;
  std::size_t place = 0;  // among the tasks that came with it
};

struct TaskGroup {
  ClientId client{};
  // Told the outcomes, and output where asked; kNobody for none.
  SubscriberId subscriber = kNobody;
  std::string_view pool;
  std::string_view function;
  std::shared_ptr<const TaskOptions> options;
  ClientOrigin origin{};
};

struct MapGroup {
  ClientId client{};
  SubscriberId subscriber = kNobody;
  std::string_view pool;
  std::string_view function;
  std::shared_ptr<const TaskOptions> options;
  HandleId id;
  std::uint64_t first_index = 0;
  std::shared_ptr<const ItemColumn> items;  // null for none
  Encoding encoding = Encoding::kUnspecified;
  std::shared_ptr<const std::string> type_name;
  bool complete = false;
  std::uint32_t chunk_size = 0;  // 0: automatic
  bool fail_fast = false;
  ClientOrigin origin{};
};

// What a single task's run on a worker came to, when the worker lived to tell.
struct TaskResult {
  Payload result;
  std::optional<Failure> failure;  // it failed: there is no result
  Nanos elapsed = 0;
};

// The end of a worker process. Everything that it had written to its ring was delivered before.
struct WorkerLoss {
  DeathCertificate death;
  std::string stdout_tail;
  std::string stderr_tail;
  // It never became ready, and this is why: its own words, or how it died.
  std::string start_failure;
  // Whose fault that is.
  LossCause cause = LossCause::kItself;
  // What it had claimed and not finished: the one that dies with it. Attempts that are not named here were not begun
  // (or only in part: the items of a chunk before `guilty_item` are delivered, those behind it were not begun). Of a
  // worker without a page nobody can tell: everything that it has and did not answer may have begun.
  bool has_guilty = false;
  AttemptToken guilty{};
  std::uint32_t guilty_item = 0;  // relative to the chunk
};

class Core {
 public:
  // `seed`: for ids that the daemon chooses, and for jitter.
  Core(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard = {});
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // ---- Pools ----
  // Answered by AnswerOpenPool when the pool runs or has failed. The spec was validated for form by api/ (names,
  // ranges).
  // `owner`: whose absence PoolSpec::on_owner_lost is about; it is present now. Zero: nobody. `elsewhere`: live pools
  // of other cores that count against max_pools. `creation`: the pool must be new, or made by an OnOpenPool with the
  // same one; zero: it need not.
  void OnOpenPool(Nanos now, SubscriberId call, PoolSpec spec, ClientId owner = {}, std::uint64_t elsewhere = 0,
                  HandleId creation = {});
  // A client's first session has come, its last one has gone. A client that is present has a floor in the room for
  // outcomes; what one leaves that is not may have to make way: see outcome/outcome_room.h.
  void OnClientPresent(Nanos now, ClientId client, const ClientOrigin& origin = {});
  void OnClientAbsent(Nanos now, ClientId client);
  // What it keeps; of one that is not known: nothing.
  ClientView ViewClient(ClientId client) const;
  // Those that have no room for more, and wait for it.
  std::vector<ClientView> HeldUpClients() const;
  // Answered by AnswerClose, with `cancel_queued` when all that had not begun was cancelled.
  void OnClose(Nanos now, SubscriberId call, std::string_view pool, bool cancel_queued = false);
  // `grace`: between SIGTERM and SIGKILL. `forget`: when its last process is gone its name is not known any more.
  void OnTerminate(Nanos now, SubscriberId call, std::string_view pool, Nanos grace = 0, bool forget = false);
  absl::StatusOr<PoolView> OnResize(Nanos now, std::string_view pool, std::uint32_t workers);
  // Answered by AnswerReload.
  void OnReload(Nanos now, SubscriberId call, std::string_view pool);
  void OnJoin(Nanos now, SubscriberId call, std::string_view pool, Nanos wait_timeout);
  absl::StatusOr<PoolView> ViewPool(std::string_view pool) const;
  // What its workers say of their functions.
  std::vector<FunctionInfo> ViewFunctions(std::string_view pool) const;
  std::vector<PoolView> ViewPools() const;
  // Of its live pools.
  Load load() const;
  MemoryUse memory() const;
  // Live, or gone and still shown.
  bool KnowsPool(std::string_view pool) const;
  // Of pools that live; with `pool`, of the functions that it has. None where there is no such pool.
  std::vector<std::string> PoolNames() const;
  std::vector<std::string> FunctionNames(std::string_view pool) const;

  // ---- Handles ----
  // A fresh id for a client that brought none.
  HandleId NewHandle();
  Known Knows(const HandleId& id) const;
  // Takes each task or appends a refusal for it.
  void OnSubmit(Nanos now, const TaskGroup& group, std::span<NewTask> tasks, std::vector<Refusal>* refused);
  // Opens a map or appends to it; returns how many items it has now.
  absl::StatusOr<std::uint64_t> OnMap(Nanos now, const MapGroup& group);
  // Answered by AnswerGet / AnswerWait, perhaps before these return. `from`: it is what this worker runs that waits;
  // refused (WOULD_DEADLOCK) where nobody is left who could run what is waited for. See subscribe/deadlock.h.
  void OnGet(Nanos now, SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from = {});
  void OnWait(Nanos now, SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
              WorkerId from = {});
  // Outcome (or, of a map, items from `first_index` on, in the order in which they come about) to this subscriber.
  absl::Status OnSubscribe(Nanos now, SubscriberId subscriber, HandleId id, std::uint64_t first_index = 0);
  // True: it is, or will be, CANCELLED.
  absl::StatusOr<bool> OnCancel(Nanos now, HandleId id, bool running);
  // False: not known (any more).
  bool OnRelease(Nanos now, HandleId id);
  // The outcomes of these items are no longer needed.
  void OnConsumed(Nanos now, HandleId map, std::uint64_t first_index, std::uint64_t count);
  // The result of a task, or of one item of a map, for Download.
  absl::StatusOr<Payload> ViewResult(HandleId id, std::uint64_t index) const;
  // The arguments, while they are kept: until it ended; then, with its outcome, of a task or item that did not succeed,
  // unless half of max_kept_outcome_bytes was in use, and half of its client's floor. An item that was cancelled with
  // its map has none.
  absl::StatusOr<Payload> ViewArguments(HandleId id, std::uint64_t index) const;
  absl::StatusOr<HandleView> ViewHandle(HandleId id) const;
  // Handles in the order of their submission, at most `most`; `from`: TaskPage::next of the page before, or 0. Looks at
  // a bounded number of handles: a page may be short, or empty, and have a `next` all the same.
  TaskPage ViewTasks(const TaskFilter& filter, std::uint64_t from, std::size_t most) const;
  absl::StatusOr<Explanation> Explain(Nanos now, HandleId id) const;
  // Events of these handles, or (no ids) of a pool and everything in it.
  absl::Status OnWatch(Nanos now, SubscriberId call, std::span<const HandleId> ids, std::string_view pool, bool output);
  // The call or stream is gone. Its tasks go on.
  void OnSubscriberGone(Nanos now, SubscriberId subscriber);

  // ---- Processes ----
  void OnZygoteReady(Nanos now, PoolId pool, std::uint32_t generation);
  // It is gone: its own words, or how it died; empty after StopZygote. `cause`: whose fault that is.
  void OnZygoteLost(Nanos now, PoolId pool, std::uint32_t generation, std::string why,
                    LossCause cause = LossCause::kItself);
  void OnWorkerReady(Nanos now, WorkerId worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page);
  void OnTaskResult(Nanos now, WorkerId worker, AttemptToken token, TaskResult result);
  // Items of a chunk that are done, in the order of the chunk; first_index is relative to the chunk (the core makes it
  // absolute). `elapsed` is of all of them together.
  void OnItemResults(Nanos now, WorkerId worker, AttemptToken token, ItemBlock items, Nanos elapsed);
  void OnOutput(Nanos now, WorkerId worker, AttemptToken token, OutputStream stream, Bytes data);
  // `item`: of a chunk, relative to it.
  void OnProgress(Nanos now, WorkerId worker, AttemptToken token, std::uint32_t item, double fraction,
                  std::string text);
  // Its resident memory, looked at now. Told of workers whose pool has a limit.
  void OnWorkerUsage(Nanos now, WorkerId worker, std::uint64_t rss_bytes);
  void OnWorkerLost(Nanos now, WorkerId worker, WorkerLoss loss);

  // ---- Time ----
  // Call at or after NextTimer(), the earliest moment at which something is due; kNever for none. It is now while long
  // work is unfinished: to terminate a pool, or to cancel what it has not begun, takes a slice (Limits::slice) at a
  // time. The pool refuses and sends nothing from the first one on, and says of each handle what will become of it.
  void OnTick(Nanos now);
  Nanos NextTimer() const;

  // ---- After the events of one entry, before the mutex is left ----
  // Does a slice of what is unfinished, unless one of the events did. Returns NextTimer().
  Nanos OnLeave(Nanos now);
  // What was let go of: to be taken, and destroyed outside of the mutex.
  Dropped& dropped();

  // ---- The end ----
  // Refuse everything new (UNAVAILABLE), close all pools; AllPoolsGone when the last is gone.
  void OnShutdown(Nanos now);
  // Terminate all pools.
  void OnTerminateAll(Nanos now);

 private:
  friend class CoreTestPeer;  // tests/core: looks inside, plants faults
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace poold::core
