// The rooms of the core, and the steps of its event handlers in which several of them act one after the other.
//
// Role: puts the rooms together. An event goes to the room that it concerns; then what follows from it is looked for:
// Reconcile. Non-role: owns no state but the moment and how the core ends; not for anybody outside core/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/core.h"
#include "core/delivery.h"
#include "core/endings.h"
#include "core/handles.h"
#include "core/map_course.h"
#include "core/pool.h"
#include "core/pool/lives.h"
#include "core/pool/pools.h"
#include "core/pool/staffing.h"
#include "core/read/view_of.h"
#include "core/scheduler/scheduler.h"
#include "core/steps.h"
#include "core/submissions.h"
#include "core/subscribe/deadlock.h"
#include "core/subscribe/waits.h"
#include "core/task/handle_store.h"
#include "core/task_course.h"
#include "core/timers.h"
#include "core/worker.h"

namespace poold::core {

// Bugs for the simulator to find, one switch each. Only tests plant them, through CoreTestPeer.
struct CoreFaults {
  // Loses what a dead worker had not begun.
  bool forget_unbegun = false;
  // Does not count what may have been begun without a claim page.
  bool forget_tries = false;
  // Drops also outcomes that somebody waits for.
  bool drop_awaited = false;
  // Does long work in one event.
  bool sweep_at_once = false;
  OutcomeFaults outcomes;
  SchedulerFaults scheduler;
  StaffingFaults staffing;
};

struct Core::State final : SchedulerListener, StaffingListener {
  State(const Limits& bounds, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo which)
      : limits(bounds),
        shard(which),
        worker_port(workers),
        client_port(clients),
        random(seed),
        steps(limits.slice),
        pools(shard, limits.max_pools, limits.owner_grace, &timers, &lives),
        store(limits.remembered_ids, limits.max_task_bytes, &random),
        delivery(clients, limits.output_tail_bytes),
        waits(clients, &timers, limits.max_wait, &endings),
        endings(limits, &now, clients, &timers, &store, &delivery, &waits, &scheduler, &dropped),
        scheduler(limits.max_prefetch, &now, &steps, &endings.kept().room(), workers, &timers, &task_lives, this),
        staffing(shard, &now, workers, &timers, &lives, this),
        tasks(&now, &random, &task_lives, &scheduler, &delivery, &endings, &dropped),
        maps(limits, &now, &random, &timers, &scheduler, &delivery, &endings, &dropped),
        submissions(&limits, &now, &store, &scheduler, &delivery, &endings, &maps) {}
  ~State();

  // An event begins.
  void Begin(Nanos at) {
    now = at;
    steps.Begin();
  }

  // ---- pool_life.cc ----
  // As Core::OnOpenPool.
  void OpenPool(SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere, HandleId creation);
  // Why no such pool can be opened now; OK: it can.
  absl::Status CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const;
  // Does nothing for a pool that has ended or is being terminated.
  void ClosePool(Pool& pool, bool cancel_queued);
  // Refuses calls that wait for the pool to open if nothing is left to do. After its maps were closed, and what was to
  // be cancelled was.
  void CheckClosed(Pool& pool);
  // Cancels all and kills all processes; a pool that is TERMINATING already only gets a shorter grace.
  void TerminatePool(Pool& pool, Nanos grace, std::string_view why);
  // As TerminatePool with no grace, but FAILED. `why`: for clients.
  void FailPool(Pool& pool, std::string why);
  // Answers every call that waits for the pool to open.
  void AnswerOpenCalls(Pool& pool, const absl::Status& status);
  // Ends watches, and answers joins, terminates and opens: the last process is gone.
  void AnswerGone(Pool& pool);
  // Moves the pool on as far as it can: its processes are told to go when nothing is left to do, and it ends with the
  // last one. May forget the pool. Call at the end of each event that concerns the pool.
  void Advance(Pool& pool);
  void ChangeState(Pool& pool, PoolState state) {
    pools.Move(pool, state);
    TellPoolWatchers(pool);
  }
  // Tells AllPoolsGone, once.
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
  // As Core::OnResize and Core::OnReload.
  absl::StatusOr<PoolView> Resize(std::string_view pool, std::uint32_t workers);
  void Reload(SubscriberId call, std::string_view pool);
  // The pool ends: drops the next generation, and refuses calls that wait for a reload.
  void AbandonReload(Pool& pool, const absl::Status& status);
  // Ends what waits for a function which no worker has, from Pool::unknown_from on: a step for each handle that is
  // looked at, and for each that ends. Handles that nobody can name are not in the list, and end when their turn comes.
  void EndSomeUnknown(Pool& pool);
  void EndUnknown(Handle& handle, std::string message);

  // ---- unfinished.cc ----
  // Puts the pool into the list of unfinished work.
  void List(Pool& pool);
  // Lists the pool to be swept. Does nothing if a sweep of this kind or a larger one is under way.
  // REQUIRES: Settle is called at the end of the event.
  void BeginSweep(Pool& pool, Sweep kind, std::string why);
  // Does the first slice of the work that the event has begun.
  void Settle() {
    if (sweep_began) RunSlice();
  }
  // Looks at up to Limits::slice handles, of each unfinished pool in turn.
  void RunSlice();
  // Does a part of what is left of this pool.
  void GoOn(Pool& pool);
  // The client needs these items no more. What is not reached goes in the next slices.
  void Consume(MapRun& map, ItemRange range);
  // All four answer true when nothing of their kind is left; each handle that is looked at is a step.
  bool SweepSome(Pool& pool);
  bool SweepWorkers(Pool& pool);
  bool SweepMaps(Pool& pool);
  bool SweepQueues(Pool& pool);
  // Ends all that the worker has.
  void SweepSent(Worker& worker);
  // Takes back what the worker has not begun of this task or chunk.
  void TakeBackAll(const Worker& worker, const Node* node);
  // All was looked at: answers those that wait for it, and moves the pool on.
  void EndSweep(Pool& pool);
  // For whoever is about to use a handle of a pool that is swept. True: the handle was to end, and has ended now; it
  // may have been freed.
  bool Reach(Handle& handle);
  // The same when it is asked for: clients that have room now go on.
  bool ReachAsked(Handle& handle) {
    const bool reached = Reach(handle);
    if (reached) WakeClients();
    return reached;
  }
  void ReachTask(Task& task);
  void ReachMap(MapRun& map);
  // As Reach, of all handles that a page from this place on may show.
  void ReachListed(std::uint64_t from);
  // The handle for a call that names it: if it was to end, it has ended.
  absl::StatusOr<Handle*> Get(const HandleId& id);

  // ---- worker_loss.cc ----
  // What the worker had ends, is tried again or runs elsewhere; then the worker is forgotten.
  void LoseWorker(Worker& worker, WorkerLoss loss);

  // ---- submitting ----
  // The pool of this name if it takes tasks; else why not.
  Submissions::Taker TakerNamed(std::string_view pool) const;

  // ---- reconcile.cc ----
  // Finds out what can run now, which processes are missing, and whether the pool has ended. May forget the pool. Call
  // at the end of each event that concerns the pool. A pool of which more is to be sent than one event may send is
  // reconciled again in the next slice, and not before.
  void Reconcile(Pool& pool) { pool.cancels() || pool.sends_more ? WakeClients() : ReconcileNow(pool); }
  void ReconcileNow(Pool& pool);
  void SendMoreLater(Pool& pool);
  // As Reconcile, when all that happened is that this worker has less to do; cheaper.
  void ReconcileWorker(Pool& pool, Worker& worker);
  // SchedulerListener.
  void FunctionIsUnknown(Handle& handle) override;
  void HandleChanged(const Handle& handle) override { delivery.Changed(handle); }
  void WorkerIsUsedUp(Worker& worker, bool recycled) override {
    recycled ? staffing.Recycle(worker) : staffing.Stop(worker);
  }
  void RunIsToEnd(Worker& worker, KilledBy why) override { staffing.Kill(worker, why, worker.pool->spec.stop_grace); }
  void LineIsHeldUp(ClientQuota& client, const HeldLine& line) override { endings.kept().HoldUp(client, line); }

  // ---- clients.cc ----
  // Tells maps and pools that their client has come or gone.
  void NotePresence(ClientId client, bool present);
  // Closes maps that were open when the client left, a step each.
  void CloseLostMaps(ClientId client);
  // Does PoolSpec::on_owner_lost.
  void OwnersGone(Pool& pool);
  // The client's floor is given up, and what waits for room is looked at again.
  void ClientGoes(ClientId client);
  // As ClientGoes, for all clients that are present.
  void AllClientsGo();
  // Lets clients that have room again send. REQUIRES: not in the midst of changing a list, since work may be sent here.
  void WakeClients() {
    if (endings.kept().some_wake()) WakeEachClient();
  }
  void WakeEachClient();
  void WakeClient(ClientQuota& client);

  // ---- waits.cc ----
  // Notes that a task waits, or refuses the wait when it could not end. `from`: zero for a client.
  void NoteTaskWaits(Wait* wait, WorkerId from);
  // The time of the call is over: answers it.
  void WaitDue(Wait* wait);

  // ---- What others see ----
  PoolView ViewOf(const Pool& pool) const { return core::ViewOf(pool, shard, now); }
  void TellPoolWatchers(const Pool& pool) const {
    delivery.watches().Tell(pool.watchers, nullptr, [&] { return ViewOf(pool); });
  }

  // ---- check.cc ----
  // The first invariant of a room that does not hold; empty: all do. Call between two events.
  std::string CheckRooms() const;

  // ---- times.cc ----
  // Does what is due.
  void RunTimer(const DueTimer& due);

  const Limits limits;
  const ShardInfo shard;
  WorkerPort* const worker_port;
  ClientPort* const client_port;
  std::mt19937_64 random;
  // The moment of the present event.
  Nanos now = 0;
  // Of the present event.
  Steps steps;

  CoreFaults faults;
  Dropped dropped;
  Timers timers;
  Lives lives;
  Pools pools;
  TaskLives task_lives;
  HandleStore store;
  Delivery delivery;
  Waits waits;
  Endings endings;
  Scheduler scheduler;
  Staffing staffing;
  TaskCourse tasks;
  MapCourse maps;
  Submissions submissions;

  // WakeEachClient is under way, and is not entered again.
  bool is_waking = false;

  // Pools that have Pool::is_unfinished, the next one first.
  std::deque<std::shared_ptr<Pool>> unfinished_pools;
  // Items of maps that their clients need no more, and that were not reached.
  std::deque<std::pair<HandleId, ItemRange>> unconsumed;
  // One of these two is not empty.
  bool is_unfinished = false;
  // BeginSweep was called in this event.
  bool sweep_began = false;
  // A slice was done since the last OnLeave.
  bool slice_done = false;

  // OnShutdown was called.
  bool shutting_down = false;
  // AllPoolsGone was told.
  bool told_all_gone = false;
};

}  // namespace poold::core
