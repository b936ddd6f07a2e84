// ProgressBar: how far a map or a task is, drawn for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "poold/client/map_handle.h"
#include "poold/client/options.h"
#include "poold/v1/map.pb.h"

namespace poold::client {

// How far something is. A plain value.
struct ProgressState {
  std::uint64_t done = 0;
  // Unset: nobody knows (an endless input), or it is not counted in items.
  std::optional<std::uint64_t> total = {};
  // Of `done`: those that did not succeed.
  std::uint64_t unsuccessful = 0;
  // Where there is nothing to count: from 0 to 1.
  std::optional<double> fraction = {};
  // What it says of itself.
  std::string text = {};

  friend bool operator==(const ProgressState&, const ProgressState&) = default;
};

ProgressState StateOf(const v1::MapProgress& progress);
ProgressState StateOf(const v1::Progress& progress);

// Where and how a ProgressBar draws; what is not set is found out.
struct ProgressStyle {
  std::string title = {};
  // Called with whole pieces of text. Unset: stderr.
  std::function<void(std::string_view)> write = {};
  // Unset: whether stderr is a terminal (TERM=dumb is none).
  std::optional<bool> terminal = {};
  // Unset: of the terminal, each time it draws.
  std::optional<unsigned> columns = {};
  // On a terminal it is drawn anew at most this often,
  Duration redraw_interval = std::chrono::milliseconds(100);
  // elsewhere a line is written at most this often.
  Duration line_interval = std::chrono::seconds(5);
  // Unset: the steady clock.
  std::function<std::chrono::steady_clock::time_point()> now = {};
};

// Purpose: one line that stays in its place on a terminal, with a bar, the rate and the time that is left; plain lines
//   at intervals elsewhere (a log, a pipe).
// Performance: an Update that draws nothing reads the clock; call it for every item.
// Thread safety: none. Writes in the thread that calls.
// Errors: none; what cannot be written is lost.
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

  explicit ProgressBar(ProgressStyle style = {});
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // Leaves the terminal as a line that is complete.
  ~ProgressBar() { Finish(); }

  // Draws when it is time to.
  void Update(ProgressState state);
  // Takes the bar off the terminal, so that something else can be printed; the next Update draws it again.
  void Clear();
  // The last word, and the end of the line. Once; nothing is drawn after it.
  void Finish();

  // Items in a second, of late; 0 while it is not known.
  double rate() const;
  // Nothing: not known.
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
  // Of late: what was done in how many seconds, the older the less.
  Clock::time_point measured_at_;
  double measured_amount_ = 0;
  double recent_amount_ = 0;
  double recent_seconds_ = 0;
  std::optional<Clock::time_point> drawn_at_;
  bool on_screen_ = false;
  bool finished_ = false;
};

// Waits for a map and draws how far it is. False: not done in time.
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
