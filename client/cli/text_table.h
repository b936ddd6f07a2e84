#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace poold::cli {

// Rows of words in aligned columns, two spaces apart. A column whose words are all numbers stands to the right. Not
// thread-safe.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) : rows_{std::move(head)} {}

  // REQUIRES: as many words as the head has.
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "1.5 KiB", "20 MiB", "17 B".
std::string SizeText(double bytes);

// "12 ms", "3.4 s", "2 h 5 min". Of something measured: rounded.
std::string SpanText(double seconds);

// Columns that text takes in a terminal, near enough: code points.
std::size_t Width(const std::string& text);

}  // namespace poold::cli
