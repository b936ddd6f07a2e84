// Waiting for many handles, of any pools and types.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "poold/client/internal/deadline.h"
#include "poold/client/map_handle.h"
#include "poold/client/task_handle.h"

namespace poold::client {

enum class WaitMode {
  kAllCompleted,
  kFirstCompleted,
  // The first that ended otherwise than SUCCEEDED, or all.
  kFirstException,
};

namespace internal {

// True: the wait is over as `mode` says. Handles of nothing count as done.
bool WaitTasks(std::span<const TaskRef> tasks, WaitMode mode, Duration timeout);

template <typename T>
std::vector<TaskRef> Refs(const std::vector<TaskHandle<T>>& handles) {
  std::vector<TaskRef> refs;
  refs.reserve(handles.size());
  for (const auto& handle : handles) refs.push_back(handle.ref());
  return refs;
}

}  // namespace internal

template <typename T>
struct Waited {
  std::vector<TaskHandle<T>> done;
  std::vector<TaskHandle<T>> not_done;
};

// As concurrent.futures.wait: who is done and who is not, in the order in which they were given, when `mode` is
// fulfilled or the time is over.
template <typename T>
Waited<T> Wait(const std::vector<TaskHandle<T>>& handles, WaitMode mode = WaitMode::kAllCompleted,
               Duration timeout = kForever) {
  internal::WaitTasks(internal::Refs(handles), mode, timeout);
  Waited<T> waited;
  for (const auto& handle : handles) (handle.done() ? waited.done : waited.not_done).push_back(handle);
  return waited;
}

// Hands out handles as they end. Holds none that it has handed out.
template <typename T>
class Completed {
 public:
  explicit Completed(std::vector<TaskHandle<T>> handles) : handles_(std::move(handles)) {}

  // Nothing: all were handed out. The status is WAIT_TIMEOUT: call again.
  absl::StatusOr<std::optional<TaskHandle<T>>> Next(Duration timeout = kForever) {
    if (handles_.empty()) return std::optional<TaskHandle<T>>();
    internal::WaitTasks(internal::Refs(handles_), WaitMode::kFirstCompleted, timeout);
    for (auto& handle : handles_) {
      if (!handle.done()) continue;
      std::optional<TaskHandle<T>> taken(std::move(handle));
      handle = std::move(handles_.back());
      handles_.pop_back();
      return taken;
    }
    return absl::DeadlineExceededError(std::to_string(handles_.size()) + " handles are unfinished");
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = TaskHandle<T>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Completed* owner) : owner_(owner) { ++*this; }
    const TaskHandle<T>& operator*() const { return *current_; }
    Iterator& operator++() {
      auto next = owner_->Next();
      current_ = next.ok() ? *std::move(next) : std::nullopt;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return !a.current_.has_value(); }

   private:
    Completed* owner_;
    std::optional<TaskHandle<T>> current_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::vector<TaskHandle<T>> handles_;
};

// As concurrent.futures.as_completed.
//   for (const auto& handle : AsCompleted(handles)) ...
template <typename T>
Completed<T> AsCompleted(std::vector<TaskHandle<T>> handles) {
  return Completed<T>(std::move(handles));
}

}  // namespace poold::client
