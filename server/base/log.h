// Logs: one line per event, key=value, to stderr.
//
//   base::Log(base::Level::kInfo, "pool_opened", {{"pool", name}, {"workers", n}});
//   -> time=2026-01-02T03:04:05.678Z level=info event=pool_opened pool=default workers=2
// Values with spaces, quotes, '=' or anything else than plain ASCII are quoted. In them '"' and '\\' have a '\\' in
// front, a line's end is \n, and '=' and each byte that does not show as a character of UTF-8 is \xNN: so a text,
// whoever wrote it, forges neither a line nor a field, and ` worker=12 ` is found only where a field says so.
// Thread-safe. Never waits for its reader: up to 1 MiB is kept for him. What comes beyond that is dropped and counted,
// and told in `event=log_lines_dropped lines=N` when he reads again. At exit() it is flushed.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace poold::base {

enum class Level { kDebug, kInfo, kWarning, kError };

// One key=value of a line: a text or a number. Views must live until Log returns.
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

void SetLogLevel(Level level);
// Waits until all is written, half a second at most.
void FlushLog();
// Since the start.
std::uint64_t DroppedLogLines();
void Log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace poold::base
