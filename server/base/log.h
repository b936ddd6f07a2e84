// Log: one line per event, key=value, to stderr.
//
// Example:
//   base::Log(base::Level::kInfo, "pool_opened", {{"pool", name}, {"workers", n}});
//   -> time=2026-01-02T03:04:05.678Z level=info event=pool_opened pool=default workers=2
// Format: values with spaces, quotes, '=' or anything else than plain ASCII are quoted. Inside quotes '"' and '\\' have
//   a '\\' in front, a line's end is \n, and '=' and each byte that does not show as a character of UTF-8 is \xNN: so
//   no text, whoever wrote it, forges a line or a field, and ` worker=12 ` is found only where a field says so.
// Threads: thread-safe. Never waits for the reader of stderr: up to 1 MiB is kept. Lines beyond that are dropped,
//   counted, and reported in `event=log_lines_dropped lines=N` when the reader reads again. exit() flushes.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace poold::base {

enum class Level { kDebug, kInfo, kWarning, kError };

// One key=value of a line: a text or a number. Refers to its texts, which must live until Log returns.
class LogField {
 public:
  LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  LogField(std::string_view key, const char* value) : key_(key), value_(value) {}
  LogField(std::string_view key, const std::string& value) : key_(key), value_(value) {}
  template <std::integral Number>
  LogField(std::string_view key, Number value) : key_(key), number_(std::to_string(value)), value_(number_) {}
  LogField(const LogField&) = delete;

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view key_;
  std::string number_;
  std::string_view value_;
};

// Lines below `level` are not written.
void SetLogLevel(Level level);
// Waits until all lines are written, half a second at most.
void FlushLog();
// Lines that were dropped since the start.
std::uint64_t DroppedLogLines();
// Writes one line. `event` is a name of the form pool_opened.
void Log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace poold::base
