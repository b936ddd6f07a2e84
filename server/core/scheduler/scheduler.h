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

namespace poold::core {

// What the scheduler finds out, and others have to do. None is called for a task that goes an undisturbed way.
class SchedulerListener {
 public:
  // The next one in its line has a function that the worker at hand does not have: it ends now.
  virtual void FunctionIsUnknown(Handle& handle) = 0;
  // What is seen of it has changed. Only of those that have extras, or whose pool has watchers.
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
  bool requeue_begun = false;   // takes back what the worker has begun already
  bool never_end_turn = false;  // lets one client have every turn
  bool no_floors = false;       // gives clients only what is common of the room for outcomes
  bool hold_drains = false;     // holds up clients also in pools that are closing
  bool forget_touch = false;    // does not say that a worker that still has something has less to do
};

class Scheduler {
 public:
  // `max_prefetch`: Limits::max_prefetch. `now`: the time of the present event. All outlive it.
  Scheduler(std::uint32_t max_prefetch, const Nanos* now, const OutcomeRoom* room, WorkerPort* port, Timers* timers,
            TaskLives* lives, SchedulerListener* listener)
      : max_prefetch_(max_prefetch),
        now_(*now),
        room_(*room),
        port_(port),
        lives_(*lives),
        listener_(listener),
        deadlines_(timers),
        breakers_(timers),
        timers_(timers) {}

  // ---- What waits ----
  // The task waits: in its line, or, before its time (Task::not_before), among the delayed.
  void Queue(Task& task, bool in_front);
  void Unqueue(Task& task);
  // Does nothing for a map that waits already, has ended, or has no item that could run now.
  void QueueMap(MapRun& map, bool in_front);
  void UnqueueMap(MapRun& map);
  // The client of a line that was held up has room, or nothing waits there any more.
  static void LetGo(const HeldLine& line);
  // It is sent to a worker as far as the room for outcomes goes.
  bool HasRoom(const Handle& handle) const { return room_.open() || HasOwnRoom(handle); }
  // What the pool has is finished in any case: there nobody is held up, and a client that has no room loses its oldest
  // outcomes.
  bool Drains(const Pool& pool) const { return pool.state == PoolState::kClosing && !faults_.hold_drains; }
  // Items that a chunk of this map would have on a worker that takes some.
  std::uint64_t ChunkSize(const Pool& pool, const MapRun& map) const;

  // ---- What is sent ----
  // Sends what workers of the pool may get. Call when something has come, or a worker may get more.
  void Dispatch(Pool& pool);
  // As Dispatch, when all that has happened is that this worker has less to do. REQUIRES: no worker is idle. True:
  // nothing is left in the queue that may be sent. Where Pool::scaling was asked for behind it, more has to be looked
  // at.
  bool Refill(Pool& pool, Worker& worker);
  // Idle workers get what others have not begun.
  void Steal(Pool& pool);
  // Sets the timer (TimerKind::kPoolWatchful) if something may wait behind something long.
  void WatchWaiting(Pool& pool);
  // That timer has fired.
  void TakeBackWaiting(Pool& pool);
  // Nothing is sent any more: that timer is not needed.
  void Rest(Pool& pool) { timers_->Clear(&pool.watchful_timer); }

  // ---- What comes back ----
  // It is no longer with its worker: its result came, or it came back, or it ended. The chunk is gone.
  void Unsend(Task& task);
  void Unsend(Chunk& chunk);
  // Null if the worker does not have it any more.
  Chunk* FindChunk(WorkerId worker, AttemptToken token) const;
  // Takes back what was not begun, and queues it again. False: it was begun.
  bool TakeBackTask(Task& task);
  // Leaves `keep` items that were not begun. Returns how many came back. May end the chunk: then it is gone.
  std::uint32_t TakeBackItems(Chunk& chunk, std::uint32_t keep);
  // All that lies behind `except`. False: something there was begun, so `except` has ended.
  bool TakeBackBehind(Worker& worker, const Node* except);
  // All that it has not begun, of the present chunk too; before it is told to go.
  void TakeBackUnbegun(Worker& worker);
  // The worker is to be killed under `running`, its present task or chunk, and for nothing else. False: that has ended
  // meanwhile, its result is on its way.
  bool KillUnder(Worker& worker, const Node* running, KilledBy why);
  // Calls of one function that came back from workers. `elapsed`: all of them together.
  void CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls,
                     std::uint64_t result_bytes);

  // ---- Circuit breakers ----
  // REQUIRES: what died is in no list. `probe`: it was CircuitBreakers::IsProbe.
  void NoteDeath(Pool& pool, std::uint32_t function, bool probe, KilledBy killed_by) {
    breakers_.NoteDeath(pool, function, probe, killed_by, now_);
  }
  // What was sent ahead of a function whose breaker has tripped comes back, as far as it was not begun.
  void TakeBackHeldCalls(Pool& pool);
  void CloseBreakers(Pool& pool) { breakers_.Close(pool, now_); }
  // What died says nothing of the functions that the pool has now.
  void ForgetDeaths(Pool& pool) { breakers_.ForgetDeaths(pool, now_); }
  // TimerKind::kPoolBreakers has fired.
  void BreakersDue(Pool& pool) { breakers_.Arm(pool, now_); }

  Deadlines& deadlines() { return deadlines_; }
  // Chunks that are with workers.
  std::size_t chunks() const { return chunks_.size(); }
  void Plant(const SchedulerFaults& faults) { faults_ = faults; }
  // The first invariant of this pool that does not hold; empty if all do.
  std::string Check(const Pool& pool) const;

 private:
  // How many more calls of its client may be with workers, so that there is room for what they come to. Only an
  // estimate: the next result may be larger than any before.
  std::uint64_t RoomAhead(const Handle& next) const;
  // Whether it is one at least.
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
