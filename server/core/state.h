// Everything the core knows, and the steps that its event handlers are made of.
//
// Role: the tables, and one group of steps for each file named below. Handlers change the tables first and then settle
// the pool: dispatch, steal, close. Non-role: not for anybody outside core/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/core.h"
#include "core/handle_list.h"
#include "core/handle_table.h"
#include "core/map_run.h"
#include "core/outcome/client_quota.h"
#include "core/outcome/kept_outcomes.h"
#include "core/outcome/outcome_bytes.h"
#include "core/outcome/outcome_room.h"
#include "core/pool.h"
#include "core/pool/lives.h"
#include "core/pool/pools.h"
#include "core/pool/staffing.h"
#include "core/scheduler/scheduler.h"
#include "core/slab.h"
#include "core/subscribe/deadlock.h"
#include "core/subscribe/subscribers.h"
#include "core/subscribe/waits.h"
#include "core/subscribe/watches.h"
#include "core/task.h"
#include "core/timers.h"
#include "core/worker.h"

namespace poold::core {

// Counted for each block of neighbouring ids: who scatters the ids of his tasks has one for each.
inline constexpr std::uint64_t kIdBlockBytes = 176;
inline constexpr std::uint8_t kMostDeaths = 3;

// Bugs for the simulator to find. Only tests plant them, through CoreTestPeer.
struct CoreFaults {
  bool forget_unbegun = false;  // loses what a dead worker had not begun
  bool forget_tries = false;    // does not count what may have been begun without a claim page
  bool drop_awaited = false;    // drops also what somebody waits for
  bool sweep_at_once = false;   // does long work in one event
  OutcomeFaults outcomes;
  SchedulerFaults scheduler;
  StaffingFaults staffing;
};

struct Core::State final : WaitsListener, OutcomesListener, SchedulerListener, StaffingListener {
  State(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard)
      : limits(limits),
        shard(shard),
        worker_port(workers),
        client_port(clients),
        random(seed),
        handles(limits.remembered_ids),
        pools(this->shard, limits.max_pools, limits.owner_grace, &timers, &lives),
        waits(clients, &timers, limits.max_wait, this),
        watches(clients),
        outcomes(limits.max_kept_outcome_bytes, limits.outcome_ttl, clients, &timers, this),
        room(outcomes.room()),
        scheduler(limits.max_prefetch, &now, &room, workers, &timers, this),
        staffing(this->shard, &now, workers, &timers, &lives, this) {}
  ~State();

  // ---- pool_life.cc ----
  void OpenPool(SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere, HandleId creation);
  absl::Status CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const;
  void ClosePool(Pool& pool, bool cancel_queued);
  // After its maps were closed, and what was to be cancelled was.
  void CheckClosed(Pool& pool);
  void TerminatePool(Pool& pool, Nanos grace, std::string_view why);
  void FailPool(Pool& pool, std::string why);
  void AnswerOpenCalls(Pool& pool, const absl::Status& status);
  void AnswerGone(Pool& pool);
  // Closes it further when nothing is left to do, and notes when the last process is gone.
  void Advance(Pool& pool);
  void ChangeState(Pool& pool, PoolState state) {
    pools.Move(pool, state);
    TellPoolWatchers(pool);
  }
  void CheckAllGone();

  // StaffingListener.
  void PoolChanged(const Pool& pool) override { TellPoolWatchers(pool); }
  void StartsChanged() override { client_port->StartsChanged(); }
  void AllAreReady(Pool& pool) override;
  void FunctionsAreKnown(Pool& pool, bool reloaded) override;
  void DoesNotStart(Pool& pool, std::string why) override { FailPool(pool, std::move(why)); }
  void ReloadBegins(Pool& pool) override { waits.ReloadBegins(pool.calls); }
  void ReloadEnds(Pool& pool, bool replaced) override;

  // ---- processes.cc ----
  absl::StatusOr<PoolView> Resize(std::string_view pool, std::uint32_t workers);
  void Reload(SubscriberId call, std::string_view pool);
  void AbandonReload(Pool& pool, const absl::Status& status);
  void EndUnknownFunctions(Pool& pool);

  // ---- owners.cc ----
  void NotePresence(ClientId client, bool present);
  void OwnersGone(Pool& pool);
  void NoteMapOwner(MapRun& map, bool present);
  void CloseOrphan(MapRun& map);

  // ---- unfinished.cc ----
  // REQUIRES: at the end of the event Settle is called.
  void BeginSweep(Pool& pool, Sweep kind, std::string why);
  // Does the first slice of what the event has begun.
  void Settle() {
    if (sweep_began) RunSlice();
  }
  void RunSlice();
  bool SweepSome(Pool& pool, std::size_t* left);
  bool SweepWorkers(Pool& pool, std::size_t* left);
  bool SweepMaps(Pool& pool, std::size_t* left);
  bool SweepItems(MapRun& map, std::size_t* left);
  bool SweepQueues(Pool& pool, std::size_t* left);
  // All that the worker has ends.
  void SweepSent(Worker& worker);
  void TakeBackAll(const Worker& worker, const Node* node);
  void EndSweep(Pool& pool);
  // True: it was to end, and has ended now. It may be gone.
  bool Reach(Handle& handle);
  void ReachTask(Task& task);
  void ReachMap(MapRun& map);
  // Those that a page from this place on may show.
  void ReachListed(std::uint64_t from);
  static void CountSwept(const Pool& pool, PoolStats* stats);
  static void Spend(std::size_t* left, std::size_t steps) { *left -= std::min(*left, steps); }

  // ---- worker_loss.cc ----
  void LoseWorker(Worker& worker, WorkerLoss loss);
  void LoseTask(Task& task, bool guilty, WorkerLoss& loss);
  void LoseChunk(Chunk& chunk, bool guilty, WorkerLoss& loss);
  void ReturnItems(MapRun& map, ItemRange range, std::uint32_t attempts, bool split);

  HandleId NextId();

  // ---- submit.cc, submit_map.cc ----
  absl::StatusOr<Group*> MakeGroup(ClientId client, const ClientOrigin& origin, std::string_view pool,
                                   std::string_view function, std::shared_ptr<const TaskOptions> options);
  absl::Status CheckFunction(const Pool& pool, std::string_view function) const;
  Group* NewGroup(const Group& like);
  Group* GroupFor(Group* group, const Payload& args);
  void LeaveGroup(Group* group);
  void Submit(const TaskGroup& group, std::span<NewTask> tasks, std::vector<Refusal>* refused);
  absl::Status SubmitOne(Group& group, NewTask& task);
  absl::Status SubmitKnown(const TaskGroup& asked, Subscriber* subscriber, const NewTask& again);
  bool SameCall(const Handle& handle, std::string_view pool, std::string_view function,
                const std::shared_ptr<const TaskOptions>& options) const;
  absl::Status CheckRoom(const Pool& pool, std::uint64_t tasks, std::uint64_t bytes) const;
  // Of Limits::max_task_bytes. What is shared by tasks that have ended is counted with their outcomes.
  std::uint64_t TaskBytes() const {
    return unfinished * kTaskBytes + std::min<std::uint64_t>(unfinished, groups.size()) * kGroupBytes +
           std::min<std::uint64_t>(unfinished, handles.blocks()) * kIdBlockBytes;
  }
  // First as if none of them shared anything: so it is told mostly.
  bool HasTaskBytes() const {
    return unfinished * (kTaskBytes + kGroupBytes + kIdBlockBytes) < limits.max_task_bytes ||
           TaskBytes() < limits.max_task_bytes;
  }
  absl::Status TaskBytesFull() const;
  absl::StatusOr<std::uint64_t> SubmitMap(const MapGroup& group);
  absl::StatusOr<MapRun*> OpenMap(const MapGroup& group);
  absl::Status AppendItems(MapRun& map, const MapGroup& group);
  absl::Status CheckColumn(const ItemColumn& column) const;

  // ---- reconcile.cc ----
  void Reconcile(Pool& pool);
  // As Reconcile, when all that happened is that this worker has less to do.
  void ReconcileWorker(Pool& pool, Worker& worker);
  // SchedulerListener.
  void FunctionIsUnknown(Handle& handle) override;
  void HandleChanged(const Handle& handle) override { TellAllWatchers(handle); }
  void WorkerIsUsedUp(Worker& worker, bool recycled) override {
    recycled ? staffing.Recycle(worker) : staffing.Stop(worker);
  }
  void RunIsToEnd(Worker& worker, KilledBy why) override { staffing.Kill(worker, why, worker.pool->spec.stop_grace); }
  void LineIsHeldUp(ClientQuota& client, const HeldLine& line) override { outcomes.HoldUp(client, line); }
  // The scheduler's.
  void Queue(Task& task, bool in_front) { scheduler.Queue(task, in_front); }
  void QueueMap(MapRun& map, bool in_front) { scheduler.QueueMap(map, in_front); }
  void UnqueueMap(MapRun& map) { scheduler.UnqueueMap(map); }
  void Unsend(Task& task) { scheduler.Unsend(task); }
  void Unsend(Chunk& chunk) { scheduler.Unsend(chunk); }
  std::uint32_t TakeBackItems(Chunk& chunk, std::uint32_t keep) { return scheduler.TakeBackItems(chunk, keep); }
  Chunk* FindChunk(WorkerId worker, AttemptToken token) const { return scheduler.FindChunk(worker, token); }
  void CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls, std::uint64_t bytes) {
    scheduler.CallsCameBack(pool, function, elapsed, calls, bytes);
  }
  void ArmChunk(Chunk& chunk) { scheduler.deadlines().ArmChunk(chunk); }
  void ArmMap(MapRun& map) { scheduler.deadlines().ArmMap(map, now); }
  bool Drains(const Pool& pool) const { return scheduler.Drains(pool); }

  // ---- room.cc ----
  static ClientQuota& QuotaOf(const Handle& handle) { return *handle.group->queue->quota; }
  void EnterQuota(Group& group, const ClientOrigin& origin);
  void ClientGoes(ClientId client);
  void AllClientsGo();
  // Not in the midst of something: what waits goes to workers.
  void WakeClients() {
    if (outcomes.some_wake()) WakeEachClient();
  }
  void WakeEachClient();
  void WakeClient(ClientQuota& client);
  void DropHeldLine(const ClientQueue* queue);
  static bool IsAwaited(const Handle& handle) { return handle.extras != nullptr && !handle.extras->waits.empty(); }
  static bool IsAside(const Handle& handle) { return handle.extras != nullptr && handle.extras->aside; }
  // So many bytes of this handle came: others may have to go for it, or, if it still runs, itself.
  void MakeRoom(Handle& came, std::uint64_t bytes);
  bool DropMapsThat(bool are_awaited, const ClientQuota* client, std::uint64_t enough);
  void Drop(Handle& handle);
  // OutcomesListener.
  Nanos EndedAt(const Node& handle) const override;
  std::uint64_t KeptBytes(const Node& handle) const override;
  bool IsAwaited(const Node& handle) const override;
  void WasSetAside(Node& handle) override;
  void Drop(Node& handle) override;
  void Expire(Node& handle) override;
  bool DropRunning(const ClientQuota* client, std::uint64_t enough) override;

  // ---- results.cc, map_results.cc ----
  void TakeTaskResult(WorkerId worker, AttemptToken token, TaskResult&& result);
  void TakeItemResults(WorkerId worker, AttemptToken token, ItemBlock items, Nanos elapsed);
  Task* FindAttempt(WorkerId worker, AttemptToken token) const;
  bool MayRetry(const Task& task, TaskState state) const;
  void RetryTask(Task& task);
  Nanos RetryPause(const TaskOptions& options, std::uint32_t attempt);
  ItemBlock RetryItemsOf(MapRun& map, ItemBlock items, std::uint32_t attempt);
  ItemBlock CutBlock(const ItemBlock& block, std::uint64_t begin, std::uint64_t end) const;
  void ItemRetryDue(ItemRetry& probe);
  void KeepBlock(MapRun& map, ItemBlock block);
  void RecordItem(MapRun& map, std::uint64_t index, OutcomePtr outcome);
  bool RetryItem(MapRun& map, std::uint64_t index, std::uint32_t attempt, TaskState state, bool death);
  void DropRetry(MapRun& map, std::uint64_t index);

  // ---- map_items.cc ----
  void CheckMapDone(MapRun& map);
  void EndMap(MapRun& map);
  // Nothing more of it is sent; what was not begun comes back and is cancelled.
  std::uint64_t CutMap(MapRun& map);
  std::uint64_t DropReadyItems(MapRun& map);
  // REQUIRES: there are some.
  std::uint64_t DropNextItems(MapRun& map);
  void ForgetRetry(MapRun& map, std::map<std::uint64_t, std::unique_ptr<ItemRetry>>::iterator retry);
  void ForgetRetries(MapRun& map);
  void Consume(MapRun& map, ItemRange range);
  void DropBlocksOf(MapRun& map);
  // Records one outcome for all items of the range, which are in no chunk.
  void EndItems(MapRun& map, ItemRange range, const OutcomePtr& outcome);
  void EndReadyItems(MapRun& map, const OutcomePtr& outcome);

  // ---- endings.cc ----
  std::shared_ptr<Outcome> NewOutcome(const Task& task, TaskState state) const;
  OutcomePtr OutcomeOf(const Task& task, TaskState state, std::string_view type, std::string_view message) const;
  OutcomePtr CancelledOutcome(const Task& task, std::string_view why);
  OutcomePtr NeverStartedOutcome(TaskState state, std::string_view type, std::string_view message,
                                 Nanos submitted_at) const;
  // REQUIRES, both: it is in no list.
  void EndTask(Task& task, OutcomePtr outcome);
  void EndPlainly(Task& task, Nanos started_at, Payload result);
  // What both do when it is known how it ended.
  void Conclude(Task& task);
  static bool IsPlain(const Task& task, const Payload& result);
  static CompactSuccess SuccessOf(const Task& task);
  // Null: it has not ended.
  static OutcomePtr OutcomeOf(const Task& task) { return task.plain ? SuccessOf(task).ToOutcome() : task.outcome; }
  void EndHandle(Handle& handle);
  static std::uint64_t OutcomeBytesOf(const Task& task);
  // What it is counted with in kept_outcome_bytes.
  static std::uint64_t KeptBytesOf(const Handle& handle);
  // REQUIRES: it has ended.
  static Nanos EndedAt(const Handle& handle);
  void CountKept(Handle& handle, std::uint64_t bytes, std::uint64_t count) {
    if (handle.is_map()) static_cast<MapRun&>(handle).kept_bytes += bytes;
    outcomes.Count(handle.group->pool->kept_counts, QuotaOf(handle), bytes, count);
  }
  void UncountKept(Handle& handle, std::uint64_t bytes, std::uint64_t count) {
    if (handle.is_map()) static_cast<MapRun&>(handle).kept_bytes -= bytes;
    outcomes.Uncount(handle.group->pool->kept_counts, QuotaOf(handle), bytes, count, IsAside(handle));
  }
  void Free(Handle& handle);
  // Nobody can name it any more, and what it kept is gone.
  void Forget(Handle& handle);
  void Release(Handle& handle) {
    Forget(handle);
    WakeClients();
  }
  void ReleaseOld(ClientQuota& client, std::size_t* left);
  void CountEnd(PoolStats& stats, TaskState state, std::uint64_t count) const;

  // ---- cancel_and_deadlines.cc ----
  bool CancelTask(Task& task, bool running);
  bool CancelMap(MapRun& map, bool running);
  bool TakeOutOfQueue(Task& task);
  void TaskDue(Task& task);
  void ChunkDue(Chunk& chunk);
  void ExpireReadyItems(MapRun& map);
  void MapDue(MapRun& map);
  void TimeOut(Task& task, bool total);

  // ---- delivery.cc ----
  void Subscribe(Handle& handle, Subscriber* subscriber, std::uint64_t first_index);
  static bool IsSubscribed(const Handle& handle, const Subscriber* subscriber);
  // Visits the id of each stream that hears of the handle. REQUIRES: it has extras.
  template <typename Visit>
  static void ForEachStream(const Handle& handle, Visit&& visit) {
    const Subscriber* first = handle.group->subscriber;
    if (first != nullptr && !first->gone) visit(first->id);
    handle.extras->subscriptions.ForEach([&](const Subscription& one) { visit(one.to->id); });
  }
  void TellWhatThereIs(const Handle& handle, const Subscription& to);
  void SendBlock(const Subscription& to, const MapRun& map, const ItemBlockPtr& block);
  void DeliverBlock(const MapRun& map, const ItemBlockPtr& block);
  void Deliver(Handle& handle);
  void SendEnd(SubscriberId to, const Task& task) const;
  static HandleExtras& Extras(Handle& handle);
  void ForgetSubscriber(SubscriberId id);

  // ---- output.cc ----
  void TakeOutput(WorkerId worker, AttemptToken token, OutputStream stream, const Bytes& data);
  void AppendTail(std::string& tail, std::string_view data) const;

  // ---- progress.cc ----
  void TakeProgress(WorkerId worker, AttemptToken token, std::uint32_t item, double fraction, std::string text);

  // ---- listing.cc, explain.cc, attempts.cc, arguments.cc ----
  static TaskState StateOf(const Handle& handle);
  TaskPage ListHandles(const TaskFilter& filter, std::uint64_t from, std::size_t most) const;
  std::uint64_t CountAhead(const Handle& handle) const;
  std::string WhyPoolIsSlow(const Pool& pool, Nanos at) const;
  std::string WhyStartsFail(const Pool& pool, Nanos at) const;
  static std::string StartFailureOf(const Pool& pool);
  std::string WhyBreakerHolds(const Handle& handle, Nanos at) const;
  std::string WhyQueued(const Handle& handle, Nanos at, std::uint64_t* ahead) const;
  std::string WhySentAhead(const Worker& worker, const Node* node) const;
  std::string WhyWaits(const Task& task, Nanos at, std::uint64_t* ahead) const;
  std::string WhyWaits(const MapRun& map, Nanos at, std::uint64_t* ahead) const;
  static std::string ReasonOf(const Failure* failure, const DeathCertificate* death);
  void NoteAttempt(Task& task, TaskState state, Nanos started_at, std::string reason);
  std::vector<AttemptView> AttemptsOf(const Task& task) const;
  bool HasRoomForArguments(const Handle& handle, std::uint64_t bytes) const;
  // Or lets go of them.
  void KeepArguments(Task& task);
  // So that it does not keep alive the whole message that brought it.
  void OwnArguments(Task& task);
  static Payload ArgumentsOf(const Task& task) { return core::ArgumentsOf(task); }
  absl::StatusOr<Payload> ArgumentsOf(const HandleId& id, std::uint64_t index);
  void KeepItemArguments(MapRun& map, const ItemBlock& block);
  void DropItemArguments(MapRun& map, ItemRange range);

  // ---- waits.cc ----
  void StartGet(SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from);
  void StartWait(SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout, WorkerId from);
  static bool Succeeded(const Handle& handle);
  void NobodyWaits(Handle& handle) override;
  void WaitDue(Wait* wait);
  // Notes that a task waits, or refuses the wait when it could not end.
  void NoteTaskWaits(Wait* wait, WorkerId from);
  // The task that asked runs still.
  bool WaitsStill(const Wait& wait) const;
  std::vector<WaitingWorker> WaitsOfTasks() const;
  std::uint64_t WaitingWorkers(const Pool& pool) const;

  // ---- watch.cc ----
  void TellWatchers(const Handle& handle) {
    if (!handle.group->pool->watchers.empty() || handle.extras != nullptr) TellAllWatchers(handle);
  }
  void TellAllWatchers(const Handle& handle) const;
  void TellPoolWatchers(const Pool& pool) const;
  absl::Status WatchPool(SubscriberId call, std::string_view pool, bool output);
  absl::Status WatchHandles(SubscriberId call, std::span<const HandleId> ids, bool output);

  // ---- views.cc ----
  FunctionView ViewOf(const PoolFunction& function) const;
  PoolView ViewOf(const Pool& pool) const;
  WorkerView ViewOf(const Pool& pool, const Worker& worker) const;
  TaskView ViewOf(const Task& task) const;
  MapView ViewOf(const MapRun& map) const;
  HandleView ViewOf(const Handle& handle) const;
  absl::StatusOr<Payload> ResultOf(const HandleId& id, std::uint64_t index);
  // For whoever asks for it: what is to end has ended.
  absl::StatusOr<Handle*> FindHandle(const HandleId& id);

  // ---- check.cc ----
  // The first invariant of a room that does not hold; empty if all do. Between two events.
  std::string CheckRooms() const;

  // ---- times.cc ----
  // Takes from `left` what it looks at beside the timer.
  void RunTimer(const DueTimer& due, std::size_t* left);

  const Limits limits;
  const ShardInfo shard;
  WorkerPort* const worker_port;
  ClientPort* const client_port;
  std::mt19937_64 random;
  Nanos now = 0;

  std::map<PoolId, Pool*> pools_with_maps;  // that have not ended

  HandleId next_id;  // that the daemon chooses
  HandleTable handles;
  HandleList in_order;  // those that can be named
  Slab<Group> groups;
  Slab<Task> tasks;
  Slab<MapRun> maps;
  CoreFaults faults;
  Dropped dropped;
  Timers timers;
  Lives lives;
  Pools pools;
  Subscribers subscribers;
  Waits waits;
  Watches watches;
  OutcomePtr last_cancelled;        // of the task that was cancelled last without having run
  std::uint64_t unfinished = 0;     // tasks and maps, of all pools
  std::uint64_t ended_handles = 0;  // since the start

  KeptOutcomes outcomes;
  const OutcomeRoom& room;  // of outcomes
  Scheduler scheduler;
  Staffing staffing;
  bool is_waking = false;  // clients that have room again

  // Pools of which not all was swept: each has a `sweep`.
  std::deque<std::shared_ptr<Pool>> unfinished_pools;
  bool sweep_began = false;  // in this event
  bool slice_done = false;   // since OnLeave

  bool shutting_down = false;
  bool told_all_gone = false;
};

}  // namespace poold::core
