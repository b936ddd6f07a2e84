// Text that tasks, other clients or daemons wrote, made fit for a terminal: the one place that decides how it is shown.
//
// What would move the cursor, end a line, turn the direction of writing or speak to the terminal (control characters of
// ASCII and Unicode, bidirectional marks, line separators), and what is no UTF-8, becomes visible: \n, \x1b, \u202e.
// Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poold::client::internal {

// On one line: ends of lines and tabs become visible too.
std::string OneLine(std::string_view text);

// With its lines and tabs as they are.
std::string Lines(std::string_view text);

// As Lines, of text that comes in pieces: a character that was torn apart waits for its rest. Not thread-safe.
class LinesOfPieces {
 public:
  std::string Add(std::string_view piece);

 private:
  std::string torn_;
};

// JSON of the same value, whose texts say the same characters as \u001b, \u202e.
std::string SafeJson(std::string json);

// Columns that one line of such text takes: wide characters two, combining ones none.
std::size_t Columns(std::string_view line);

// The beginning of a line that fits into so many columns.
std::string_view FirstColumns(std::string_view line, std::size_t columns);

}  // namespace poold::client::internal
