// DelayQueue: work that one thread has to do a moment later.
//
// Threads: none; that thread alone uses it. Ownership: owns the functions until they have run.
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

  // The time between Add and the run, the same for all.
  static constexpr auto kDelay = std::chrono::milliseconds(1);

  // Runs the function in a RunDue after kDelay.
  void Add(std::function<void()> run) { due_.push_back({Clock::now() + kDelay, std::move(run)}); }
  // The moment from which RunDue has something to do. Nothing: no work waits.
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
