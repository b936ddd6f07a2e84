// How much one event does.
//
// Role: counts the handles, workers and entries that an event looks at one by one, and says when they are enough for
// one event: whoever loops over any number of things asks `left` before each, and leaves the rest to the next slice
// (unfinished.cc). Who loops over what a limit bounds need not ask, but spends all the same: the simulator looks at
// `most`. Non-role: measures no time.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace poold::core {

class Steps {
 public:
  // `slice`: Limits::slice.
  explicit Steps(std::size_t slice) : slice_(static_cast<std::int64_t>(slice)), left_(slice_), least_(slice_) {}

  // An event, or a slice of long work, begins.
  void Begin() {
    least_ = std::min(least_, left_);
    left_ = slice_;
  }
  // Whether it may look at more, and at how many more.
  bool any() const { return left_ > 0; }
  std::uint64_t left() const { return left_ > 0 ? static_cast<std::uint64_t>(left_) : 0; }
  void Spend(std::size_t steps) { left_ -= static_cast<std::int64_t>(steps); }
  // What was moved now is moved once more: both together are one step.
  void Restore(std::uint64_t left) { left_ = static_cast<std::int64_t>(left); }
  // That one event, or one slice, has made so far, at most.
  std::uint64_t most() const { return static_cast<std::uint64_t>(slice_ - std::min(least_, left_)); }

 private:
  const std::int64_t slice_;
  std::int64_t left_;
  std::int64_t least_;  // that was left, of all before this one
};

}  // namespace poold::core
