// TextTable: rows of words in aligned columns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace poold::cli {

// Columns are two spaces apart; a column of numbers is aligned right. Foreign text in a word is made safe for one line
// of a terminal (terminal_text.h). Not thread-safe.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) : rows_{std::move(head)} {}

  // REQUIRES: the row has as many words as the head.
  void Add(const std::vector<std::string>& row);

  // The table with an end of line after each row.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "1.5 KiB", "20 MiB", "17 B".
std::string SizeText(double bytes);

// "12 ms", "3.4 s", "2 h 5 min"; rounded, for measured times.
std::string SpanText(double seconds);

}  // namespace poold::cli
