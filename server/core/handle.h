// The part that tasks and maps have in common: an id, what was asked, and the clients that want to know.
//
// Ownership: HandleStore owns handles and groups. Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/node.h"
#include "core/scheduler/ready_queue.h"
#include "core/subscribe/subscribers.h"
#include "core/subscribe/waits.h"
#include "core/subscribe/watches.h"
#include "core/timers.h"
#include "core/types.h"
#include "core/views.h"

namespace poold::core {

struct HandleBlock;
struct Pool;

// Bytes that count against Limits::max_task_bytes for each task and map that has not ended, and for each group.
inline constexpr std::uint64_t kTaskBytes = 208;
inline constexpr std::uint64_t kGroupBytes = 128;

// The facts that the tasks of one submission share, kept once: with millions of tasks queued, each byte saved in a task
// is megabytes. Counted by the handles that refer to it; Endings::LeaveGroup ends it with the last one.
struct Group {
  // Set by the slab that it lies in.
  std::uint32_t slot = 0;
  // Handles that refer to it, and the submission while it is under way.
  std::uint32_t handles = 0;
  // Never null.
  std::shared_ptr<Pool> pool;
  // The queue of the pool in which its handles wait: Pool::ready or Pool::ready_fresh.
  ReadyQueue* ready = nullptr;
  // The line of its client in that queue, at the priority of `options`.
  ClientQueue* queue = nullptr;
  // Index into Pool::functions.
  std::uint32_t function = 0;
  // One of the three time-outs is set: its handles need a timer.
  bool timed = false;
  // Of the arguments of its tasks, like `type_name`. Of a map: see MapRun.
  Encoding encoding = Encoding::kUnspecified;
  // As in Payload.
  std::shared_ptr<const std::string> type_name;
  // Never null.
  std::shared_ptr<const TaskOptions> options;
  // Equal to `options` if one of them is carried to the function (option_fields.h); else null.
  std::shared_ptr<const TaskOptions> carried;
  // The stream that all of its tasks were submitted with; null: none. Further ones: HandleExtras::subscriptions.
  Subscriber* subscriber = nullptr;
  // When the core took the submission.
  Nanos submitted_at = 0;
};

// State that few handles need, made when the first of it is needed.
struct HandleExtras {
  explicit HandleExtras(Handle* handle) : waits(handle) {}

  // Streams beside Group::subscriber; all streams of a map.
  SubscriptionList subscriptions;
  // Calls that wait for the handle to end.
  HandleWaits waits;
  HandleWatchers watchers;
  // The ended handle was set aside because somebody waits for it: KeptOutcomes.
  bool aside = false;
  // Of a task that runs: the last that it wrote, until its outcome takes it over.
  std::string stdout_tail;
  std::string stderr_tail;
  // The latest report; null: none came in this attempt.
  std::unique_ptr<ProgressView> progress;
  // Of a task: attempts before the present one, at most kMostAttempts, the latest last.
  std::vector<AttemptView> attempts;
};

// A task or a map. Its address stays until HandleStore::Free.
struct Handle : Node {
  explicit Handle(NodeKind k) : Node(k) {}
  bool is_map() const { return kind == NodeKind::kMap; }
  inline bool ended() const;  // handles.h
  // Makes the extras if there are none.
  HandleExtras& Extras() {
    if (extras == nullptr) extras = std::make_unique<HandleExtras>(this);
    return *extras;
  }

  // Place in `block`, which is of the list in the order of submission (task/handle_list.h). The members follow each
  // other in an order that leaves no gaps, also not between Node, Handle and Task.
  std::uint8_t place = 0;
  // CircuitBreaker::epoch if the handle waits at the open breaker of its function; any other value: it does not.
  std::uint16_t held = 0;
  // Set by the slab that it lies in.
  std::uint32_t slot = 0;
  // Never zero, unique in the table of handles.
  HandleId id;
  // Never null after HandleStore has added the handle.
  Group* group = nullptr;
  // Null: nothing of it was needed yet.
  std::unique_ptr<HandleExtras> extras;
  // Null: the handle cannot be named any more, and is in no list of handles.
  HandleBlock* block = nullptr;
  // Of a task: TimerKind::kTask; of a map: TimerKind::kMap.
  TimerId timer = kNoTimer;
  // Its id is a tombstone: nobody can name the handle, and it is freed when it has ended.
  bool released = false;
};

}  // namespace poold::core
