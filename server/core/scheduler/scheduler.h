// What runs on which worker, and when.
//
// A worker that has nothing gets something at once. Beyond that, work is sent ahead only when it is known to be short:
// about kAheadTime of it for each worker, so that it does not wait for us between two tasks. What was sent ahead comes
// back for an idle worker, for something more urgent, or from behind something long.
// Role: ready queues, what goes to whom next, what is sent ahead, what is taken back, circuit breakers; the numbers of
// what waits and runs (PoolStats::queued, queued_bytes, running, retracted). Non-role: starts, stops and kills no
// worker, ends no task, keeps no outcome; the listener does.
// Ownership: owns chunks while they are with workers. Tasks, maps, pools and workers are their owners'.
// Thread safety: none; used under the core's mutex.
// Invariants (Check): what a pool counts as sent, busy and running is what its workers have; a worker that has
// something is not among the idle ones; those of WorkerIndex and of CircuitBreakers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/outcome/outcome_bytes.h"
#include "core/outcome/outcome_room.h"
#include "core/pool.h"
#include "core/ports.h"
#include "core/scheduler/ahead.h"
#include "core/scheduler/attempt.h"
#include "core/scheduler/circuit_breaker.h"
#include "core/scheduler/deadlines.h"
#include "core/slab.h"
#include "core/steps.h"

namespace poold::core {

// Told what the scheduler finds out and others have to do. No function is called for a task that goes an undisturbed
// way.
class SchedulerListener {
 public:
  // The next handle in its line has a function that the worker at hand does not have: the handle ends now.
  virtual void FunctionIsUnknown(Handle& handle) = 0;
  // Watchers see something else of the handle than before. Only of handles that have extras, or whose pool has
  // watchers.
  virtual void HandleChanged(const Handle& handle) = 0;
  // The worker has got all that it may get: it is to be stopped. `recycled`: because of PoolSpec::max_tasks_per_worker.
  virtual void WorkerIsUsedUp(Worker& worker, bool recycled) = 0;
  // What runs on the worker is to end, and nothing lies behind it: the worker is to be killed.
  virtual void RunIsToEnd(Worker& worker, KilledBy why) = 0;
  // The line waits from now on until its client has room for outcomes: LetGo.
  virtual void LineIsHeldUp(ClientQuota& client, const HeldLine& line) = 0;

 protected:
  ~SchedulerListener() = default;
};

// Bugs for the simulator to find.
struct SchedulerFaults {
  // Takes back what the worker has begun already.
  bool requeue_begun = false;
  // Lets one client have every turn.
  bool never_end_turn = false;
  // Gives clients only what is common of the room for outcomes.
  bool no_floors = false;
  // Holds up clients also in pools that are closing.
  bool hold_drains = false;
  // Does not say that a worker that still has something has less to do.
  bool forget_touch = false;
};

class Scheduler {
 public:
  // `max_prefetch`: Limits::max_prefetch. `now`: the time of the present event, `steps`: those that it may make. All
  // outlive it.
  Scheduler(std::uint32_t max_prefetch, const Nanos* now, Steps* steps, const OutcomeRoom* room, WorkerPort* port,
            Timers* timers, TaskLives* lives, SchedulerListener* listener)
      : max_prefetch_(max_prefetch),
        now_(*now),
        steps_(*steps),
        room_(*room),
        port_(port),
        lives_(*lives),
        listener_(listener),
        deadlines_(timers),
        breakers_(timers),
        timers_(timers) {}

  // ---- What waits ----
  // The task waits from now on: in its line, or, before its time (Task::not_before), among the delayed.
  void Queue(Task& task, bool in_front);
  // The task waits no more. REQUIRES: it waits.
  void Unqueue(Task& task);
  // Does nothing for a map that waits already, has ended, or has no item that could run now.
  void QueueMap(MapRun& map, bool in_front);
  void UnqueueMap(MapRun& map);
  // Items of a map wait: they have arrived, came back, or are to be tried again; and QueueMap, where they are ready.
  // REQUIRES, both: the map has their bytes.
  void ItemsWait(MapRun& map, ItemRange items);
  // Items that waited are not sent.
  void ItemsWaitNoMore(MapRun& map, ItemRange items);
  // The client of a line that was held up has room, or nothing waits there any more.
  static void LetGo(const HeldLine& line);
  // Whether the handle may be sent, as far as the room for outcomes goes.
  bool HasRoom(const Handle& handle) const { return room_.open() || HasOwnRoom(handle); }
  // Whether the pool finishes what it has in any case: there nobody is held up, and a client that has no room loses its
  // oldest outcomes.
  bool Drains(const Pool& pool) const { return pool.state == PoolState::kClosing && !faults_.hold_drains; }
  // Items that a chunk of this map would have on a worker that takes some.
  std::uint64_t ChunkSize(const Pool& pool, const MapRun& map) const;

  // ---- What is sent ----
  // Sends what workers of the pool may get. Call when something has come, or a worker may get more. As Refill and Steal
  // it makes a step for each task or chunk that it moves; when none is left there may be more to do.
  void Dispatch(Pool& pool);
  // As Dispatch, when all that has happened is that this worker has less to do. REQUIRES: no worker is idle. True:
  // nothing is left in the queue that may be sent. Where Pool::scaling was asked for behind it, more has to be looked
  // at.
  bool Refill(Pool& pool, Worker& worker);
  // Idle workers get what others have not begun.
  void Steal(Pool& pool);
  // Sets the timer (TimerKind::kPoolWatchful) if something may wait behind something long.
  void WatchWaiting(Pool& pool);
  // TimerKind::kPoolWatchful: takes work back that waits behind something long.
  void TakeBackWaiting(Pool& pool);
  // Stops that timer, because nothing is sent any more.
  void Rest(Pool& pool) { timers_->Clear(&pool.watchful_timer); }

  // ---- What comes back ----
  // The task or chunk is no longer with its worker: its result came, or it came back, or it ended. A chunk is freed.
  void Unsend(Task& task);
  void Unsend(Chunk& chunk);
  // The chunk with this token; null: the worker does not have it any more.
  Chunk* FindChunk(WorkerId worker, AttemptToken token) const;
  // Takes the task back and queues it again. False: its worker has begun it.
  bool TakeBackTask(Task& task);
  // Takes items back that were not begun, but leaves `keep` of them, and queues them again. Returns how many came back.
  // May end the chunk: then it is freed.
  std::uint32_t TakeBackItems(Chunk& chunk, std::uint32_t keep);
  // Takes back everything behind `except`. False: something there was begun, so `except` has ended.
  bool TakeBackBehind(Worker& worker, const Node* except);
  // Takes back everything that the worker has not begun, of the present chunk too. Call before the worker is told to
  // go.
  void TakeBackUnbegun(Worker& worker);
  // Has the worker killed under `running`, its present task or chunk, and for nothing else. False: `running` has ended
  // meanwhile, its result is on its way.
  bool KillUnder(Worker& worker, const Node* running, KilledBy why);
  // Calls of one function that came back from workers. `elapsed`: all of them together.
  void CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls,
                     std::uint64_t result_bytes);

  // The first items of this chunk are done; it may have more.
  void ItemsCameBack(Chunk& chunk, std::uint32_t count);

  // ---- Circuit breakers ----
  // A worker died under this function. REQUIRES: what died is in no list. `probe`: it was CircuitBreakers::IsProbe.
  void NoteDeath(Pool& pool, std::uint32_t function, bool probe, KilledBy killed_by) {
    breakers_.NoteDeath(pool, function, probe, killed_by, now_);
  }
  // Takes back calls that were sent ahead of functions whose breaker has tripped, as far as they were not begun. Call
  // while Pool::recalls says so: a step for each worker and for each call that it has. What is not taken back then has
  // begun, and nothing more of that function is sent but probes.
  void TakeBackHeldCalls(Pool& pool);
  void CloseBreakers(Pool& pool) { breakers_.Close(pool, now_); }
  // Forgets deaths under all functions: they say nothing of the functions that the pool has now.
  void ForgetDeaths(Pool& pool) { breakers_.ForgetDeaths(pool, now_); }
  // TimerKind::kPoolBreakers: the next open breaker may call for a probe.
  void BreakersDue(Pool& pool) { breakers_.Arm(pool, now_); }

  Deadlines& deadlines() { return deadlines_; }
  // Chunks that are with workers.
  std::size_t chunks() const { return chunks_.size(); }
  void Plant(const SchedulerFaults& faults) { faults_ = faults; }
  // The first invariant of this pool that does not hold; empty if all do.
  std::string Check(const Pool& pool) const;

 private:
  // How many more calls of the client may be with workers, so that there is room for what they come to. Only an
  // estimate: the next result may be larger than any before.
  std::uint64_t RoomAhead(const Handle& next) const;
  // Whether RoomAhead is one at least; cheaper.
  bool HasRoomAhead(const Handle& next, const PoolFunction& function) const;
  bool HasOwnRoom(const Handle& handle) const;
  void HoldUp(const Handle& handle);
  void CallForProbes(Pool& pool);
  Handle* NextToSend(ReadyQueue& ready);

  Worker* ChooseWorker(Pool& pool, const Handle& next);
  bool Takes(const Worker& worker, const Handle& next) const;
  void Fill(ReadyQueue& ready, Worker& worker, std::uint64_t most);
  Assignment SendTask(Task& task, Worker& worker);
  Assignment SendChunk(MapRun& map, Worker& worker);
  std::uint64_t MostItems(const MapRun& map, const Worker& worker) const;
  void Sent(Pool& pool, Worker& worker, Node* node, int priority);
  void LeaveWorker(Worker& worker, Node* node, Handle& handle, Nanos load, bool measured);
  void NewHead(Worker& worker);
  void TellOf(const Handle& handle) {
    if (!handle.group->pool->watchers.empty() || handle.extras != nullptr) listener_->HandleChanged(handle);
  }

  Worker* ChooseVictim(Pool& pool);
  bool TakeHalf(Worker& victim);
  bool MakeWayForPriority(Pool& pool);
  static void NoteLowest(Pool& pool, Worker& worker);

  const std::uint32_t max_prefetch_;
  const Nanos& now_;
  Steps& steps_;
  const OutcomeRoom& room_;
  WorkerPort* const port_;
  TaskLives& lives_;
  SchedulerListener* const listener_;
  Deadlines deadlines_;
  CircuitBreakers breakers_;
  Timers* const timers_;
  Slab<Chunk> chunks_;
  std::uint64_t last_attempt_ = 0;
  SchedulerFaults faults_;
};

}  // namespace poold::core
