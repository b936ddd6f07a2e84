// Text of tasks, other clients and daemons, made safe for a terminal: the one place that decides how such text is
// shown.
//
// Characters that would move the cursor, end a line, turn the direction of writing or speak to the terminal (control
// characters of ASCII and Unicode, bidirectional marks, line separators), and bytes that are not UTF-8, become visible:
// \n, \x1b, \u202e.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poold::client::internal {

// The text on one line: ends of lines and tabs become visible too.
std::string OneLine(std::string_view text);

// The text with its lines and tabs unchanged.
std::string Lines(std::string_view text);

// As Lines, for text that arrives in pieces: a character that was cut in two waits for its rest. Not thread-safe.
class LinesOfPieces {
 public:
  // Returns the safe text of the piece, without a character that is not complete.
  std::string Add(std::string_view piece);

 private:
  std::string torn_;
};

// JSON of the same value in which unsafe characters are escapes of JSON (\u001b, \u202e).
std::string SafeJson(std::string json);

// The columns that one line of safe text takes: wide characters take two, combining characters none.
std::size_t Columns(std::string_view line);

// The longest beginning of a line that fits into `columns`.
std::string_view FirstColumns(std::string_view line, std::size_t columns);

}  // namespace poold::client::internal
