#include "poold/client/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "terminal_text.h"

namespace poold::client {
namespace {

// What happened so long ago counts half.
constexpr double kHalfLifeSeconds = 10;
// More often the rate is not measured.
constexpr double kMeasureSeconds = 0.05;
constexpr unsigned kDefaultColumns = 80;
constexpr unsigned kMostBar = 40;
constexpr unsigned kLeastBar = 8;
constexpr std::string_view kBack = "\r\x1b[K";

double Seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || std::string_view(term) != "dumb");
}

void WriteToStderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string RateText(double rate) {
  if (rate >= 100) return absl::StrFormat("%.0f/s", rate);
  if (rate >= 1) return absl::StrFormat("%.1f/s", rate);
  return absl::StrFormat("%.1f/min", rate * 60);
}

// 0:07, 12:34, 1:02:03.
std::string TimeText(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  if (seconds >= 100 * 3600) return absl::StrCat(seconds / 3600, " h");
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::optional<double> FractionOf(const ProgressState& state) {
  // NaN is nothing done.
  if (state.fraction) return *state.fraction > 0 ? std::min(*state.fraction, 1.0) : 0.0;
  if (!state.total) return std::nullopt;
  if (*state.total == 0) return 1.0;
  return std::min(1.0, static_cast<double>(state.done) / static_cast<double>(*state.total));
}

// What people report is one line, without anything that moves the cursor.
std::string Plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return internal::OneLine(text);
}

std::string BarText(double fraction, unsigned width) {
  const auto filled = static_cast<unsigned>(fraction * width);
  return absl::StrCat("[", std::string(filled, '#'), std::string(width - filled, '.'), "]");
}

std::string CountText(const ProgressState& state) {
  if (state.fraction) return "";
  std::string text = state.total ? absl::StrCat(state.done, "/", *state.total) : absl::StrCat(state.done, " done");
  if (state.unsuccessful != 0) absl::StrAppend(&text, ", ", state.unsuccessful, " unsuccessful");
  return text;
}

void AppendPart(std::string* line, const std::string& part) {
  if (!part.empty()) absl::StrAppend(line, line->empty() ? "" : "  ", part);
}

}  // namespace

ProgressState StateOf(const MapProgress& progress) {
  ProgressState state{.done = progress.done_items, .unsuccessful = progress.unsuccessful_items};
  if (progress.complete) state.total = progress.items;
  return state;
}

ProgressState StateOf(const Progress& progress) {
  ProgressState state{.text = progress.text};
  if (progress.fraction >= 0) state.fraction = progress.fraction;
  return state;
}

ProgressBar::ProgressBar(ProgressStyle style)
    : style_(std::move(style)), terminal_(style_.terminal ? *style_.terminal : IsTerminal()) {
  if (!style_.write) style_.write = WriteToStderr;
  if (!style_.now) style_.now = [] { return Clock::now(); };
  begin_ = measured_at_ = style_.now();
}

double ProgressBar::Amount() const { return state_.fraction ? *state_.fraction : static_cast<double>(state_.done); }

void ProgressBar::Measure(Clock::time_point now) {
  const double seconds = Seconds(now - measured_at_);
  if (seconds < kMeasureSeconds) return;
  const double keep = std::exp2(-seconds / kHalfLifeSeconds);
  recent_amount_ = recent_amount_ * keep + std::max(0.0, Amount() - measured_amount_);
  recent_seconds_ = recent_seconds_ * keep + seconds;
  measured_amount_ = Amount();
  measured_at_ = now;
}

double ProgressBar::rate() const { return recent_seconds_ > 0 ? recent_amount_ / recent_seconds_ : 0; }

std::optional<Duration> ProgressBar::time_left() const {
  if (rate() <= 0 || (!state_.fraction && !state_.total)) return std::nullopt;
  const double whole = state_.fraction ? 1.0 : static_cast<double>(*state_.total);
  const double seconds = std::max(0.0, whole - Amount()) / rate();
  return Duration(std::chrono::duration<double>(seconds));
}

void ProgressBar::Update(ProgressState state) {
  if (finished_) return;
  state_ = std::move(state);
  const Clock::time_point now = style_.now();
  Measure(now);
  const Duration interval = terminal_ ? style_.redraw_interval : style_.line_interval;
  // The first line of a log comes when there is something to tell, after one interval.
  const Clock::time_point since = drawn_at_ ? *drawn_at_ : begin_;
  const bool first_on_terminal = terminal_ && (!drawn_at_ || !on_screen_);
  if (!first_on_terminal && now - since < interval) return;
  drawn_at_ = now;
  Draw(/*last=*/false);
}

void ProgressBar::Draw(bool last) {
  if (terminal_) {
    const unsigned columns = Columns();
    const std::string line = Line(columns);
    const std::string shown(internal::FirstColumns(line, columns - 1));
    style_.write(std::string(kBack) + shown + (last ? "\n" : ""));
    on_screen_ = !last;
  } else {
    style_.write(Line(0) + "\n");
  }
}

void ProgressBar::Clear() {
  if (!std::exchange(on_screen_, false)) return;
  style_.write(kBack);
}

void ProgressBar::Finish() {
  if (std::exchange(finished_, true)) return;
  if (state_ == ProgressState{}) return Clear();
  Draw(/*last=*/true);
}

unsigned ProgressBar::Columns() const {
  if (style_.columns) return std::max(2u, *style_.columns);
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return kDefaultColumns;
  return size.ws_col;
}

// With columns a bar that fills them; 0: none.
std::string ProgressBar::Line(unsigned columns) const {
  const std::optional<double> fraction = FractionOf(state_);
  std::string line = Plain(style_.title);
  std::string tail = CountText(state_);
  if (rate() > 0 && !state_.fraction) AppendPart(&tail, RateText(rate()));
  if (finished_) {
    AppendPart(&tail, "in " + TimeText(style_.now() - begin_));
  } else if (const auto left = time_left()) {
    AppendPart(&tail, TimeText(*left) + " left");
  }
  AppendPart(&tail, Plain(state_.text));
  if (fraction) {
    AppendPart(&line, absl::StrFormat("%3.0f%%", std::floor(*fraction * 100)));
    const std::size_t taken = internal::Columns(line) + internal::Columns(tail) + 7;
    if (columns > taken + kLeastBar) {
      AppendPart(&line, BarText(*fraction, std::min<unsigned>(kMostBar, columns - static_cast<unsigned>(taken))));
    }
  }
  AppendPart(&line, tail);
  return line;
}

}  // namespace poold::client
