// Work that one thread has to do a moment later. Not thread-safe: used by that thread only.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

namespace poold::session {

class DelayQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // All of them wait equally long.
  static constexpr auto kDelay = std::chrono::milliseconds(1);

  void Add(std::function<void()> run) { due_.push_back({Clock::now() + kDelay, std::move(run)}); }
  std::optional<Clock::time_point> next() const {
    if (due_.empty()) return std::nullopt;
    return due_.front().at;
  }
  void RunDue() {
    while (!due_.empty() && due_.front().at <= Clock::now()) {
      const std::function<void()> run = std::move(due_.front().run);
      due_.pop_front();
      run();
    }
  }
  void Clear() { due_.clear(); }

 private:
  struct Due {
    Clock::time_point at;
    std::function<void()> run;
  };
  std::deque<Due> due_;
};

}  // namespace poold::session
