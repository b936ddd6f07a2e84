// Logs: one line per event, key=value, to stderr.
//
//   base::Log(base::Level::kInfo, "pool_opened", {{"pool", name}, {"workers", n}});
//   -> time=2026-01-02T03:04:05.678Z level=info event=pool_opened pool=default workers=2
// Values with spaces, quotes or control characters are quoted and escaped. Thread-safe.
#pragma once

#include <concepts>
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
void Log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace poold::base
