// What a task and a map have in common: an id, what was asked, and who wants to know.
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

// Counted for each task and map that has not ended, and for each group, of Limits::max_task_bytes.
inline constexpr std::uint64_t kTaskBytes = 208;
inline constexpr std::uint64_t kGroupBytes = 128;

// What the tasks of one submission share: with millions of them queued, what is here and not in each of them is memory
// saved. Counted by the handles that refer to it.
struct Group {
  std::uint32_t slot = 0;  // of the slab
  std::uint32_t handles = 0;
  std::shared_ptr<Pool> pool;
  ReadyQueue* ready = nullptr;                   // of its pool, where they wait
  ClientQueue* queue = nullptr;                  // in it
  std::uint32_t function = 0;                    // index into Pool::functions
  bool timed = false;                            // it has some time-out
  Encoding encoding = Encoding::kUnspecified;    // of the arguments of its tasks,
  std::shared_ptr<const std::string> type_name;  // as in Payload
  std::shared_ptr<const TaskOptions> options;
  std::shared_ptr<const TaskOptions> carried;  // the same, if some of it goes to the function; else null
  Subscriber* subscriber = nullptr;            // the first one of its tasks; more in their extras
  Nanos submitted_at = 0;
};

// What few handles have.
struct HandleExtras {
  explicit HandleExtras(Handle* handle) : waits(handle) {}

  SubscriptionList subscriptions;
  HandleWaits waits;
  HandleWatchers watchers;
  bool aside = false;  // it was set aside: see KeptOutcomes
  std::string stdout_tail;
  std::string stderr_tail;
  std::unique_ptr<ProgressView> progress;  // the latest; null if it told none
  std::vector<AttemptView> attempts;       // of a task: those before the present one, the latest last
};

struct Handle : Node {
  explicit Handle(NodeKind kind) : Node(kind) {}
  bool is_map() const { return kind == NodeKind::kMap; }
  inline bool ended() const;  // handles.h
  HandleExtras& Extras() {
    if (extras == nullptr) extras = std::make_unique<HandleExtras>(this);
    return *extras;
  }

  // In an order that leaves no gaps, also not between Node, Handle and Task.
  std::uint8_t place = 0;  // in `block`
  std::uint16_t held = 0;  // CircuitBreaker::epoch, if it waits at the open breaker of its function
  std::uint32_t slot = 0;  // of the slab
  HandleId id;
  Group* group = nullptr;
  std::unique_ptr<HandleExtras> extras;
  HandleBlock* block = nullptr;  // of the list in the order of submission; null: it is not in it
  TimerId timer = kNoTimer;
  bool released = false;  // nobody can name it any more
};

}  // namespace poold::core
