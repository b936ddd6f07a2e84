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
  AttemptToken token{};
  // Index into the functions that the worker reported when it became ready.
  std::uint32_t function = 0;
  std::uint32_t attempt = 1;
  // A single task: its arguments.
  Payload args;
  // A chunk of a map: its items, one behind the other; empty for a single task. args.encoding and type_name hold for
  // all of them, args.data is empty.
  std::vector<ItemSlice> items;
  // What was asked of it, if some of that is carried to the function (option_fields.h); else null.
  std::shared_ptr<const TaskOptions> carried;
};

// Processes. Implemented by process/ (and by the simulator).
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;

  // Start the process that workers are cloned from. Answered by OnZygoteReady or OnZygoteLost.
  virtual void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) = 0;
  // A pool has two at a time while it is reloaded, of different generations.
  // End it, and with it nothing else. Answered by OnZygoteLost, when the workers cloned from it are gone.
  virtual void StopZygote(PoolId pool, std::uint32_t generation) = 0;
  // Start a worker from the zygote of this generation, which is ready. Answered by OnWorkerReady or OnWorkerLost.
  virtual void StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) = 0;
  // Give it more to run, in this order, behind what it has.
  virtual void Dispatch(WorkerId worker, std::vector<Assignment> work) = 0;
  // Takes back what the worker has not begun of this attempt, the last items of a chunk first, leaving it at least
  // `keep` unbegun items. Returns how many items (1 for a single task) came back: they will not run there. When all of
  // the attempt came back, nothing more is heard of it.
  virtual std::uint32_t TakeBack(WorkerId worker, AttemptToken token, std::uint32_t keep) = 0;
  // No more work will come: exit after what it has. Answered by OnWorkerLost.
  virtual void StopWorker(WorkerId worker) = 0;
  // End the worker and everything that it started: SIGTERM to it, SIGKILL to all after `grace` (at once if 0). Answered
  // by OnWorkerLost. May be called again with a smaller grace.
  virtual void KillWorker(WorkerId worker, Nanos grace) = 0;
};

// A Wait's answer: every id once, in the order asked.
struct WaitAnswer {
  std::vector<HandleId> done;
  std::vector<HandleId> not_done;
  // Not of WaitMode::kAllCompleted: one has ended that ends the wait.
  bool first = false;
};

// Something that a watcher sees.
struct OutputEvent {
  HandleId id;
  OutputStream stream = OutputStream::kStdout;
  Bytes data;
};
struct ProgressEvent {
  HandleId id;
  ProgressView progress;
};
using WatchEvent = std::variant<TaskView, MapView, PoolView, OutputEvent, ProgressEvent>;

// Clients. Implemented by engine/ (and by the simulator). A subscriber of which OnSubscriberGone was told hears no
// more.
class ClientPort {
 public:
  virtual ~ClientPort() = default;

  // To subscribers of handles (OnSubmit, OnMap, OnSubscribe). Each handle's outcome comes once to each subscriber. What
  // a task wrote comes before its outcome.
  virtual void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) = 0;
  // Where it was a plain success. Who makes no difference gets an outcome.
  virtual void SendSuccess(SubscriberId to, HandleId task, const CompactSuccess& success) {
    SendOutcome(to, task, success.ToOutcome());
  }
  virtual void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) = 0;
  virtual void SendMapEnd(SubscriberId to, const MapView& map) = 0;
  virtual void SendOutput(SubscriberId to, const OutputEvent& output) = 0;
  virtual void SendProgress(SubscriberId to, const ProgressEvent& progress) = 0;

  // To subscribers that made one call. Each is answered once and then gone.
  virtual void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) = 0;
  virtual void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) = 0;
  virtual void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) = 0;
  virtual void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) = 0;
  virtual void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) = 0;
  virtual void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) = 0;
  virtual void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) = 0;

  // To watchers. After WatchEnd the subscriber is gone.
  virtual void SendEvent(SubscriberId to, WatchEvent event) = 0;
  virtual void EndWatch(SubscriberId to) = 0;

  // The client's room for outcomes is getting short, or no longer. To its sessions: they should release outcomes that
  // they have seen, because without room nothing more of this client is dispatched.
  virtual void RoomIsShort(ClientId client, bool is_short) = 0;
  // It has no room, and nothing more of it is dispatched; or its room is not even short any more. Not for each time in
  // between. For the log.
  virtual void ClientIsHeldUp(const ClientView&, bool /*held_up*/) {}

  // PoolView::start_failure of a pool became something, or nothing. For who logs it.
  virtual void StartsChanged() {}

  // After OnShutdown: the last process of the last pool is gone.
  virtual void AllPoolsGone() = 0;
};

}  // namespace poold::core
