// Subscribers: receivers of a core's answers and events: a unary call, a watch, a session.
//
// Ownership: tables of subscribers and their users share them. Threads: see each class.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/ports.h"

namespace poold::engine {

// The answer to OpenPool. `created`: the pool was not there before.
struct OpenPoolAnswer {
  absl::StatusOr<core::PoolView> pool;
  bool created = false;
};

// The answer that ends the wait of a subscriber that made one call.
using Answer = std::variant<OpenPoolAnswer, absl::StatusOr<core::PoolView>, absl::StatusOr<core::HandleView>,
                            absl::StatusOr<core::WaitAnswer>, absl::StatusOr<std::uint64_t>, absl::StatusOr<bool>>;

// Threads: the On... functions are called under the core's mutex, and only keep their arguments. Flush is called after
// the mutex was left, by any thread and perhaps by two at once, and sends what was kept. Functions that are not
// overridden ignore their arguments.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void OnOutcome(core::HandleId, core::OutcomePtr) {}
  virtual void OnSuccess(core::HandleId task, const core::CompactSuccess& success) {
    OnOutcome(task, success.ToOutcome());
  }
  virtual void OnItems(core::HandleId, core::ItemBlockPtr) {}
  virtual void OnMapEnd(const core::MapView&) {}
  virtual void OnOutput(const core::OutputEvent&) {}
  virtual void OnProgress(const core::ProgressEvent&) {}
  virtual void OnAnswer(Answer) {}
  virtual void OnEvent(core::WatchEvent) {}
  virtual void OnEndWatch() {}
  // Tells that the quota of outcomes of its client became short in one more core, or in one less.
  virtual void OnRoom(bool /*is_short*/) {}
  virtual void Flush() = 0;

 private:
  friend class SubscriberTable;
  std::atomic<bool> dirty_ = false;
};

// SubscriberTable: the subscribers of one core by id, and those that have something to flush. A subscriber may be in
// the tables of several cores.
//
// Threads: Add, Remove, Find and MarkDirty are called under the core's mutex (inside engine::Gate::Enter, and by the
// port); FlushDirty by any thread without it. Ownership: shares each subscriber until Remove.
class SubscriberTable {
 public:
  core::SubscriberId Add(std::shared_ptr<Subscriber> subscriber);
  void Remove(core::SubscriberId id);
  // The subscriber; null: it was removed.
  const std::shared_ptr<Subscriber>& Find(core::SubscriberId id) const;
  // Notes that the subscriber has something to flush.
  void MarkDirty(const std::shared_ptr<Subscriber>& subscriber);
  // Flushes the noted subscribers, with `stopping_mu` held for reading.
  void FlushDirty(absl::Mutex* stopping_mu);
  // Removes all subscribers. REQUIRES: nobody calls any more.
  void Clear();

 private:
  // An id is the slot's place and, above it, the number of the slot's uses, so that no id comes twice.
  struct Slot {
    std::uint32_t uses = 0;
    std::shared_ptr<Subscriber> subscriber;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;

  std::atomic<bool> any_dirty_ = false;
  absl::Mutex dirty_mu_;
  std::vector<std::shared_ptr<Subscriber>> dirty_ ABSL_GUARDED_BY(dirty_mu_);
};

}  // namespace poold::engine
