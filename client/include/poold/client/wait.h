// Wait and AsCompleted: waiting for many handles, of any pools, types and clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "poold/client/internal/deadline.h"
#include "poold/client/map_handle.h"
#include "poold/client/task_handle.h"

namespace poold::client {

namespace internal {

// The state behind a reference, without counting a reference. Null: the handle refers to nothing.
HandleState* CellOf(const TaskRef& task);
HandleState* CellOf(const MapRef& map);

// Waits for the states, of one client or several. True: the wait is over as `mode` says. Null stands for a handle of
// nothing, which counts as done.
bool WaitFor(std::vector<HandleState*> cells, WaitMode mode, Duration timeout);

// Hands out states in the order in which they end. The cost of each is the same, however many there are.
// Ownership: the caller keeps a state alive until it was handed out. Thread-compatible.
class Completions {
 public:
  // A state that is there twice counts once.
  explicit Completions(const std::vector<HandleState*>& cells);
  ~Completions();

  // Returns the place of the next state that ended. Nothing: none ended in time, or all were handed out.
  std::optional<std::size_t> Next(Duration timeout);
  // States that were not handed out yet.
  std::size_t left() const { return left_; }
  // Different states.
  std::size_t total() const { return total_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::size_t total_ = 0;
  std::size_t left_ = 0;
};

// DEADLINE_EXCEEDED (WAIT_TIMEOUT): "3 (of 10) handles unfinished".
absl::Status UnfinishedError(std::size_t left, std::size_t total);

}  // namespace internal

// A handle of a task or of a map, to wait for handles of different types together. A plain value; every handle
// converts.
// Example:
//   std::vector<AnyHandle> handles = {pool.Submit<int>("square", 7), pool.Map<int>("square", numbers)};
//   for (const auto& handle : AsCompleted(handles)) ...
class AnyHandle {
 public:
  // Refers to nothing, which counts as done.
  AnyHandle() = default;
  // Shares the task or the map.
  template <typename T>
  AnyHandle(TaskHandle<T> task) : task_(task.ref()) {}  // NOLINT: it is meant to convert
  template <typename R>
  AnyHandle(MapHandle<R> map) : map_(map.ref()) {}  // NOLINT

  // Whether the task or map has ended, was refused, or is lost.
  bool done() const { return map_ ? map_.done() : task_.done(); }
  // The id; all zeros for a handle of nothing.
  HandleId id() const { return map_ ? map_.id() : task_.id(); }
  // Whether Map() may be called, and Task() not.
  bool is_map() const { return static_cast<bool>(map_); }
  // The handle with its type. REQUIRES: !is_map().
  template <typename T>
  TaskHandle<T> Task() const {
    return TaskHandle<T>(task_);
  }
  // The handle with its type. REQUIRES: is_map().
  template <typename R>
  MapHandle<R> Map(MapOrder order = MapOrder::kInOrder) const {
    return MapHandle<R>(map_, order);
  }
  // For the functions above.
  internal::HandleState* cell() const { return map_ ? internal::CellOf(map_) : internal::CellOf(task_); }

 private:
  internal::TaskRef task_;
  internal::MapRef map_;
};

namespace internal {

inline HandleState* CellOf(const AnyHandle& handle) { return handle.cell(); }
template <typename Handle>
HandleState* CellOf(const Handle& handle) {
  return CellOf(handle.ref());
}
// The state of each handle, in the same order.
template <typename Handle>
std::vector<HandleState*> CellsOf(const std::vector<Handle>& handles) {
  std::vector<HandleState*> cells;
  cells.reserve(handles.size());
  for (const Handle& handle : handles) cells.push_back(CellOf(handle));
  return cells;
}

}  // namespace internal

// The result of Wait. Every handle is in one of the lists once, in the order in which the handles were given.
template <typename Handle>
struct Waited {
  std::vector<Handle> done;
  std::vector<Handle> not_done;
};

// Blocks until `mode` is fulfilled or `timeout` has passed, and tells which handles are done; as
// concurrent.futures.wait. Never fails: in an output callback, and in a forked child with handles of one client, Wait
// returns at once. Repeating is safe. `Handle` is a TaskHandle, a MapHandle or AnyHandle.
// Example:
//   Waited<TaskHandle<int>> waited = Wait(handles, WaitMode::kFirstCompleted, std::chrono::seconds(5));
//   for (const auto& handle : waited.done) Use(handle.Get());
template <typename Handle>
Waited<Handle> Wait(const std::vector<Handle>& handles, WaitMode mode = WaitMode::kAllCompleted,
                    Duration timeout = kForever) {
  internal::WaitFor(internal::CellsOf(handles), mode, timeout);
  Waited<Handle> waited;
  std::unordered_set<const internal::HandleState*> seen;
  for (const Handle& handle : handles) {
    if (!seen.insert(internal::CellOf(handle)).second) continue;
    (handle.done() ? waited.done : waited.not_done).push_back(handle);
  }
  return waited;
}

// Hands out handles as they end, first those that are done already. Drops each handle that it hands out.
//
// Performance: the same cost for each handle, however many there are.
// Thread safety: none.
// Errors: DEADLINE_EXCEEDED (WAIT_TIMEOUT), "3 (of 10) handles unfinished", when the timeout of Next or of the whole
//   has passed. A range-for ends then, and status() tells.
template <typename Handle>
class Completed {
 public:
  // Begins to count `timeout`, for all handles together.
  Completed(std::vector<Handle> handles, Duration timeout)
      : handles_(std::move(handles)), completions_(internal::CellsOf(handles_)), whole_(timeout) {}

  // Returns the next handle; nothing: all were handed out. Blocks for at most `timeout` and what is left of the whole.
  // Safe to call again after WAIT_TIMEOUT: no handle is lost.
  absl::StatusOr<std::optional<Handle>> Next(Duration timeout = kForever) {
    if (completions_.left() == 0) return std::optional<Handle>();
    const auto index = completions_.Next(std::min(timeout, whole_.left()));
    if (!index) return internal::UnfinishedError(completions_.left(), completions_.total());
    return std::optional<Handle>(std::exchange(handles_[*index], Handle()));
  }
  // OK, or why a range-for ended before all handles were handed out.
  const absl::Status& status() const { return status_; }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Handle;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Completed* owner) : owner_(owner) { ++*this; }
    const Handle& operator*() const { return *current_; }
    const Handle* operator->() const { return &*current_; }
    Iterator& operator++() {
      current_.reset();
      auto next = owner_->Next();
      owner_->status_ = next.status();
      if (next.ok()) current_ = *std::move(next);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return !a.current_.has_value(); }

   private:
    Completed* owner_;
    std::optional<Handle> current_;
  };
  // For a range-for, once; each step blocks until the next handle ends.
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::vector<Handle> handles_;
  internal::Completions completions_;
  internal::Deadline whole_;
  absl::Status status_;
};

// Returns the handles one after the other as they end; as concurrent.futures.as_completed. `timeout` counts from this
// call.
// Example:
//   for (const auto& handle : AsCompleted(handles)) Use(handle.Get());
template <typename Handle>
Completed<Handle> AsCompleted(std::vector<Handle> handles, Duration timeout = kForever) {
  return Completed<Handle>(std::move(handles), timeout);
}

}  // namespace poold::client
