// ProgressBar: the progress of a map or a task, drawn for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "poold/client/map_handle.h"
#include "poold/client/options.h"
#include "poold/client/task_info.h"

namespace poold::client {

// How much of some work is done. A plain value.
struct ProgressState {
  // Items that have ended.
  std::uint64_t done = 0;
  // All items. Unset: the number is not known (an endless input), or the work is not counted in items.
  std::optional<std::uint64_t> total = {};
  // Items of `done` that did not succeed.
  std::uint64_t unsuccessful = 0;
  // Work that is not counted in items: the part that is done, from 0 to 1.
  std::optional<double> fraction = {};
  // The task's text about its own progress.
  std::string text = {};

  friend bool operator==(const ProgressState&, const ProgressState&) = default;
};

// The state of a map. `total` is set as soon as all items were submitted.
ProgressState StateOf(const MapProgress& progress);
// The state of a task that reports. `fraction` is set unless the task reported a negative one.
ProgressState StateOf(const Progress& progress);

// Where and how a ProgressBar draws. Each member that is not set has a default.
struct ProgressStyle {
  // The text before the bar.
  std::string title = {};
  // Called with whole pieces of text. Unset: the text goes to stderr.
  std::function<void(std::string_view)> write = {};
  // Whether `write` goes to a terminal. Unset: whether stderr is a terminal (a terminal with TERM=dumb does not count).
  std::optional<bool> terminal = {};
  // The width of a line. Unset: the width of the terminal, read each time the bar is drawn.
  std::optional<unsigned> columns = {};
  // The shortest time between two drawings on a terminal.
  Duration redraw_interval = std::chrono::milliseconds(100);
  // The shortest time between two lines elsewhere.
  Duration line_interval = std::chrono::seconds(5);
  // The clock. Unset: the steady clock.
  std::function<std::chrono::steady_clock::time_point()> now = {};
};

// Purpose: one line that stays in its place on a terminal, with a bar, the rate and the time that is left; plain lines
//   at intervals elsewhere (a log, a pipe).
// Performance: an Update that draws nothing reads the clock; call Update for every item.
// Thread safety: none. The bar writes in the calling thread.
// Errors: none; text that cannot be written is lost.
// Example:
//   ProgressBar bar({.title = "primes"});
//   for (const auto& item : map) {
//     Use(item);
//     bar.Update(StateOf(map.progress()));
//   }
//   bar.Finish();
class ProgressBar {
 public:
  using Clock = std::chrono::steady_clock;

  // Begins to measure the time. Draws nothing yet.
  explicit ProgressBar(ProgressStyle style = {});
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // Finishes the bar: the terminal's line is complete then.
  ~ProgressBar() { Finish(); }

  // Takes the state, and draws if the interval of the style has passed. Has no effect after Finish.
  void Update(ProgressState state);
  // Removes the bar from the terminal, so that something else can be printed. The next Update draws the bar again.
  void Clear();
  // Draws the last state and ends the line. The second call has no effect; nothing is drawn afterwards.
  void Finish();

  // Items, or parts of the whole, per second, weighted towards the last 10 s; 0: not known yet.
  double rate() const;
  // The time that the rest takes at this rate. Nothing: not known.
  std::optional<Duration> time_left() const;

 private:
  void Measure(Clock::time_point now);
  void Draw(bool last);
  std::string Line(unsigned columns) const;
  unsigned Columns() const;
  double Amount() const;

  ProgressStyle style_;
  bool terminal_;
  ProgressState state_;
  Clock::time_point begin_;
  // The rate: amounts and seconds, each halved every 10 s.
  Clock::time_point measured_at_;
  double measured_amount_ = 0;
  double recent_amount_ = 0;
  double recent_seconds_ = 0;
  std::optional<Clock::time_point> drawn_at_;
  bool on_screen_ = false;
  bool finished_ = false;
};

// Waits for a map and draws its progress at least every 50 ms. Blocks for at most `timeout`; repeating is safe. False:
// the map is not done yet.
template <typename R>
bool WaitWithProgress(const MapHandle<R>& map, ProgressBar* bar, Duration timeout = kForever) {
  const internal::Deadline deadline(timeout);
  constexpr Duration kStep = std::chrono::milliseconds(50);
  while (!map.Wait(std::min<Duration>(kStep, deadline.left())) && !deadline.passed())
    bar->Update(StateOf(map.progress()));
  bar->Update(StateOf(map.progress()));
  return map.done();
}

}  // namespace poold::client
