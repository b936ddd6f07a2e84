// Waiting for many handles, of any pools, types and clients.
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
#include "poold/client/wait_mode.h"

namespace poold::client {

namespace internal {

// Of a task or of a map; not counted.
HandleState* CellOf(const TaskRef& task);
HandleState* CellOf(const MapRef& map);

// True: the wait is over as `mode` says. Null stands for a handle of nothing, which counts as done.
bool WaitFor(std::vector<HandleState*> cells, WaitMode mode, Duration timeout);

// Things that end, in the order in which they do. Each costs the same, however many there are. The caller keeps the
// cells alive until they were handed out. Thread-compatible.
class Completions {
 public:
  // One that is there twice counts once.
  explicit Completions(const std::vector<HandleState*>& cells);
  ~Completions();

  // Which one ended; nothing: none in time, or there are no more.
  std::optional<std::size_t> Next(Duration timeout);
  std::size_t left() const { return left_; }
  std::size_t total() const { return total_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::size_t total_ = 0;
  std::size_t left_ = 0;
};

// "3 (of 10) handles unfinished".
absl::Status UnfinishedError(std::size_t left, std::size_t total);

}  // namespace internal

// A task's handle or a map's, to wait for several of different types. A plain value.
class AnyHandle {
 public:
  AnyHandle() = default;
  template <typename T>
  AnyHandle(TaskHandle<T> task) : task_(task.ref()) {}  // NOLINT: it is meant to convert
  template <typename R>
  AnyHandle(MapHandle<R> map) : map_(map.ref()) {}  // NOLINT

  bool done() const { return map_ ? map_.done() : task_.done(); }
  HandleId id() const { return map_ ? map_.id() : task_.id(); }
  bool is_map() const { return static_cast<bool>(map_); }
  // REQUIRES: it is one.
  template <typename T>
  TaskHandle<T> Task() const {
    return TaskHandle<T>(task_);
  }
  template <typename R>
  MapHandle<R> Map(MapOrder order = MapOrder::kInOrder) const {
    return MapHandle<R>(map_, order);
  }
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
template <typename Handle>
std::vector<HandleState*> CellsOf(const std::vector<Handle>& handles) {
  std::vector<HandleState*> cells;
  cells.reserve(handles.size());
  for (const Handle& handle : handles) cells.push_back(CellOf(handle));
  return cells;
}

}  // namespace internal

template <typename Handle>
struct Waited {
  std::vector<Handle> done;
  std::vector<Handle> not_done;
};

// As concurrent.futures.wait: who is done and who is not, each once, in the order in which they were given, when `mode`
// is fulfilled or the time is over. `Handle` is a TaskHandle, a MapHandle or AnyHandle.
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

// Hands out handles as they end, those first that are done already. Holds none that it has handed out.
//
// Performance: the same for each handle, however many there are. Thread safety: none. Errors: Next says WAIT_TIMEOUT,
// "3 (of 10) handles unfinished", when its own time or that of the whole has passed; range-for ends then, and status()
// tells.
template <typename Handle>
class Completed {
 public:
  Completed(std::vector<Handle> handles, Duration timeout)
      : handles_(std::move(handles)), completions_(internal::CellsOf(handles_)), whole_(timeout) {}

  // Nothing: all were handed out.
  absl::StatusOr<std::optional<Handle>> Next(Duration timeout = kForever) {
    if (completions_.left() == 0) return std::optional<Handle>();
    const auto index = completions_.Next(std::min(timeout, whole_.left()));
    if (!index) return internal::UnfinishedError(completions_.left(), completions_.total());
    return std::optional<Handle>(std::exchange(handles_[*index], Handle()));
  }
  // OK, or why a range-for ended before all were handed out.
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
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::vector<Handle> handles_;
  internal::Completions completions_;
  internal::Deadline whole_;
  absl::Status status_;
};

// As concurrent.futures.as_completed; the time counts from this call.
//   for (const auto& handle : AsCompleted(handles)) ...
template <typename Handle>
Completed<Handle> AsCompleted(std::vector<Handle> handles, Duration timeout = kForever) {
  return Completed<Handle>(std::move(handles), timeout);
}

}  // namespace poold::client
