#include "base/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include "base/log_writer.h"

namespace poold::base {
namespace {

spdlog::level::level_enum Convert(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr char kPattern[] = "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
// A reader that is there has read it long before.
constexpr std::chrono::milliseconds kPatience{500};

std::unique_ptr<spdlog::formatter> Formatter() {
  return std::make_unique<spdlog::pattern_formatter>(kPattern, spdlog::pattern_time_type::utc);
}

std::string DroppedLine(std::uint64_t lines) {
  const std::string text = "event=log_lines_dropped lines=" + std::to_string(lines);
  spdlog::memory_buf_t line;
  Formatter()->format(spdlog::details::log_msg("poold", spdlog::level::warn, text), line);
  return std::string(line.data(), line.size());
}

// Never destroyed: its thread may hang in its write.
LogWriter& Writer() {
  static LogWriter* const writer = [] {
    auto* made = new LogWriter(STDERR_FILENO, DroppedLine);
    std::atexit(FlushLog);
    return made;
  }();
  return *writer;
}

class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    Writer().Put({line.data(), line.size()});
  }
  void flush_() override {}
};

spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("poold", std::make_shared<WriterSink>());
    made->set_formatter(Formatter());
    return made;
  }();
  return *logger;
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const unsigned char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) return true;
  }
  return false;
}

// How many bytes at the front are a character of UTF-8 that shows as one; 0: the first byte is none. Neither controls
// (C1 as 8-bit terminals take them, too), nor what breaks lines or turns the direction of writing.
std::size_t Printable(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= ' ' && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  std::uint32_t code = first & (0xff >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool control = code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
                       code == 0x200e || code == 0x200f || code == 0xfeff;
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool no_character = (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;
  return control || overlong || no_character ? 0 : size;
}

// A '=' is escaped, too: what looks like a field is one.
void AppendQuoted(std::string_view value, std::string* line) {
  *line += '"';
  while (!value.empty()) {
    const char c = value.front();
    const std::size_t size = Printable(value);
    if (c == '"' || c == '\\') {
      *line += {'\\', c};
    } else if (c == '\n') {
      *line += "\\n";
    } else if (size == 0 || c == '=') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      *line += escape;
    } else {
      *line += value.substr(0, size);
    }
    value.remove_prefix(std::max<std::size_t>(size, 1));
  }
  *line += '"';
}

}  // namespace

void SetLogLevel(Level level) { Logger().set_level(Convert(level)); }

void Log(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!Logger().should_log(Convert(level))) return;
  std::string line = "event=";
  line += event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key();
    line += '=';
    if (NeedsQuotes(field.value())) {
      AppendQuoted(field.value(), &line);
    } else {
      line += field.value();
    }
  }
  Logger().log(Convert(level), line);
}

void FlushLog() { Writer().Drain(kPatience); }

std::uint64_t DroppedLogLines() { return Writer().dropped(); }

}  // namespace poold::base
