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
#include "core/submissions.h"
#include "core/subscribe/deadlock.h"
#include "core/subscribe/waits.h"
#include "core/task/handle_store.h"
#include "core/task_course.h"
#include "core/timers.h"
#include "core/worker.h"

namespace poold::core {

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

struct Core::State final : SchedulerListener, StaffingListener {
  State(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard)
      : limits(limits),
        shard(shard),
        worker_port(workers),
        client_port(clients),
        random(seed),
        pools(this->shard, limits.max_pools, limits.owner_grace, &timers, &lives),
        store(limits.remembered_ids, limits.max_task_bytes, &random),
        delivery(clients, limits.output_tail_bytes),
        waits(clients, &timers, limits.max_wait, &endings),
        endings(limits, &now, clients, &timers, &store, &delivery, &waits, &scheduler, &dropped),
        scheduler(limits.max_prefetch, &now, &endings.kept().room(), workers, &timers, &task_lives, this),
        staffing(this->shard, &now, workers, &timers, &lives, this),
        tasks(&now, &random, &task_lives, &scheduler, &delivery, &endings, &dropped),
        maps(limits, &now, &random, &timers, &scheduler, &delivery, &endings, &dropped),
        submissions(&this->limits, &now, &store, &scheduler, &delivery, &endings, &maps) {}
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
  bool SweepQueues(Pool& pool, std::size_t* left);
  // All that the worker has ends.
  void SweepSent(Worker& worker);
  void TakeBackAll(const Worker& worker, const Node* node);
  void EndSweep(Pool& pool);
  // True: it was to end, and has ended now. It may be gone.
  bool Reach(Handle& handle);
  // The same when it is asked for: clients that have room now go on.
  bool ReachAsked(Handle& handle) {
    const bool reached = Reach(handle);
    if (reached) WakeClients();
    return reached;
  }
  void ReachTask(Task& task);
  void ReachMap(MapRun& map);
  // Those that a page from this place on may show.
  void ReachListed(std::uint64_t from);
  // For whoever asks for it: what is to end has ended.
  absl::StatusOr<Handle*> Get(const HandleId& id);
  static void Spend(std::size_t* left, std::size_t steps) { *left -= std::min(*left, steps); }

  // ---- worker_loss.cc ----
  void LoseWorker(Worker& worker, WorkerLoss loss);

  // ---- submitting ----
  // The pool of this name, if it takes tasks.
  Submissions::Taker TakerNamed(std::string_view pool) const;

  // ---- reconcile.cc ----
  void Reconcile(Pool& pool);
  // As Reconcile, when all that happened is that this worker has less to do.
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
  void NotePresence(ClientId client, bool present);
  void OwnersGone(Pool& pool);
  void ClientGoes(ClientId client);
  void AllClientsGo();
  // Not in the midst of something: what waits goes to workers.
  void WakeClients() {
    if (endings.kept().some_wake()) WakeEachClient();
  }
  void WakeEachClient();
  void WakeClient(ClientQuota& client);

  // ---- waits.cc ----
  // Notes that a task waits, or refuses the wait when it could not end.
  void NoteTaskWaits(Wait* wait, WorkerId from);
  void WaitDue(Wait* wait);

  // ---- What others see ----
  PoolView ViewOf(const Pool& pool) const { return core::ViewOf(pool, shard, now); }
  void TellPoolWatchers(const Pool& pool) const {
    delivery.watches().Tell(pool.watchers, nullptr, [&] { return ViewOf(pool); });
  }

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

  bool is_waking = false;  // clients that have room again

  // Pools of which not all was swept: each has a `sweep`.
  std::deque<std::shared_ptr<Pool>> unfinished_pools;
  bool sweep_began = false;  // in this event
  bool slice_done = false;   // since OnLeave

  bool shutting_down = false;
  bool told_all_gone = false;
};

}  // namespace poold::core
