// The core's ways out. All calls are made under the core's mutex: an implementation only appends to its outboxes and
// returns; it never calls back into the core, blocks, or does I/O. The exception is TakeBack, which is one atomic
// exchange in shared memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "core/types.h"
#include "core/views.h"

namespace poold::core {

// One attempt, for a worker to run.
struct Assignment {
  // Names this attempt in everything that is told of it: OnTaskResult, OnItemResults, OnOutput, OnProgress, TakeBack.
  AttemptToken token{};
  // Index into the functions that the worker reported when it became ready.
  std::uint32_t function = 0;
  // Which start of the task or of these items it is, from 1; what was taken back before it began did not count.
  std::uint32_t attempt = 1;
  // A single task: its arguments.
  Payload args;
  // A chunk of a map: its items, one behind the other; empty for a single task. args.encoding and type_name hold for
  // all of them, args.data is empty.
  std::vector<ItemSlice> items;
  // What was asked of it, if some of that is carried to the function (option_fields.h); else null.
  std::shared_ptr<const TaskOptions> carried;
};

// The core's way to processes. Implemented by process/ (and by the simulator). Requests are orders: none is refused,
// and an event of the core tells how each went.
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;

  // Starts the process that workers are cloned from. OnZygoteReady follows, and OnZygoteLost when it ends or did not
  // start. A pool has two at a time while it is reloaded, under different numbers.
  virtual void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) = 0;
  // Ends that process, and with it nothing else. Answered by OnZygoteLost, when the workers cloned from it are gone.
  virtual void StopZygote(PoolId pool, std::uint32_t generation) = 0;
  // Starts a worker from the zygote of this generation, which is ready. OnWorkerReady follows, and OnWorkerLost when it
  // ends or did not start.
  virtual void StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) = 0;
  // Gives the worker more to run, in this order, behind what it has. REQUIRES: the worker is ready.
  virtual void Dispatch(WorkerId worker, std::vector<Assignment> work) = 0;
  // Takes back what the worker has not begun of this attempt, the last items of a chunk first, leaving it at least
  // `keep` unbegun items. Returns how many items (1 for a single task) came back: they will not run there. When all of
  // the attempt came back, nothing more is heard of it.
  virtual std::uint32_t TakeBack(WorkerId worker, AttemptToken token, std::uint32_t keep) = 0;
  // Tells the worker that no more work comes: it exits after what it has. Answered by OnWorkerLost.
  virtual void StopWorker(WorkerId worker) = 0;
  // Ends the worker and everything that it started: SIGTERM to it, SIGKILL to all after `grace` (at once if 0).
  // Answered by OnWorkerLost. May be called again with a smaller grace.
  virtual void KillWorker(WorkerId worker, Nanos grace) = 0;
};

// The answer of a Wait: each id that was asked for stands in one of the lists, once, in the order in which it was
// asked.
struct WaitAnswer {
  std::vector<HandleId> done;
  std::vector<HandleId> not_done;
  // An end that the mode waits for has come. With kAllCompleted always false; after the time limit false.
  bool first = false;
};

// Bytes that a task or an item of a map wrote.
struct OutputEvent {
  // Of the task or the map.
  HandleId id;
  OutputStream stream = OutputStream::kStdout;
  Bytes data;
};
// What a task or an item of a map said of how far it is.
struct ProgressEvent {
  HandleId id;
  ProgressView progress;
};
using WatchEvent = std::variant<TaskView, MapView, PoolView, OutputEvent, ProgressEvent>;

// The core's way to clients. Implemented by engine/ (and by the simulator). Nothing is sent to a subscriber after
// OnSubscriberGone for it.
class ClientPort {
 public:
  virtual ~ClientPort() = default;

  // To subscribers of handles (OnSubmit, OnMap, OnSubscribe). Each handle's outcome comes once to each subscriber. What
  // a task wrote comes before its outcome.
  virtual void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) = 0;
  // As SendOutcome, of a task that ended in a compact success. `success` is good during the call. An implementation
  // that treats both alike gets an Outcome.
  virtual void SendSuccess(SubscriberId to, HandleId task, const CompactSuccess& success) {
    SendOutcome(to, task, success.ToOutcome());
  }
  // Outcomes of neighbouring items that came about together. Each item's outcome comes once to each subscriber.
  virtual void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) = 0;
  // The map has ended (`map.done`): no more items of it come to this subscriber.
  virtual void SendMapEnd(SubscriberId to, const MapView& map) = 0;
  // What a task or an item wrote, as it is written, of handles with TaskOptions::stream_output.
  virtual void SendOutput(SubscriberId to, const OutputEvent& output) = 0;
  virtual void SendProgress(SubscriberId to, const ProgressEvent& progress) = 0;

  // To subscribers that made one call. Each is answered once, perhaps before the event that made the call returns, and
  // is then gone.
  //
  // `created`: the call made the pool, or its `creation` was that of the call which did.
  virtual void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) = 0;
  // The handle as it stands: it has ended, or the time of the call is over.
  virtual void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) = 0;
  virtual void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) = 0;
  // How many tasks and maps the close cancelled since this call came; 0 without `cancel_queued`, which is answered at
  // once.
  virtual void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) = 0;
  // The last process of the pool is gone. How many tasks and maps the termination cancelled; 0 for a call that came
  // when all of them had ended already.
  virtual void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) = 0;
  // The pool with its new generation, or RELOAD_FAILED, when the reload of this call is over.
  virtual void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) = 0;
  // True: the last process of the pool is gone. False: the time of the call is over.
  virtual void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) = 0;

  // To watchers, in the order in which it came about.
  virtual void SendEvent(SubscriberId to, WatchEvent event) = 0;
  // All that was watched has ended; the subscriber is gone with it.
  virtual void EndWatch(SubscriberId to) = 0;

  // The client's room for outcomes is getting short, or no longer. To be told to its sessions: they should release
  // outcomes that they have seen, because without room nothing more of this client is sent to workers.
  virtual void RoomIsShort(ClientId client, bool is_short) = 0;
  // For the log. True: the client has no room, and some of its work is not sent to workers. False: after that, its room
  // is not even short any more. Changes in between are not told.
  virtual void ClientIsHeldUp(const ClientView&, bool /*held_up*/) {}

  // For the log. PoolView::start_failure of some pool became empty, or is no longer.
  virtual void StartsChanged() {}

  // After OnShutdown: the last process of the last pool is gone. Comes once.
  virtual void AllPoolsGone() = 0;
};

}  // namespace poold::core
