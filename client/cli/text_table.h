#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace poold::cli {

// Rows of words in aligned columns, two spaces apart. A column whose words are all numbers stands to the right. A word
// may be anybody's text: it is made one line that moves nothing (terminal_text.h). Not thread-safe.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) : rows_{std::move(head)} {}

  // REQUIRES: as many words as the head has.
  void Add(const std::vector<std::string>& row);

  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "1.5 KiB", "20 MiB", "17 B".
std::string SizeText(double bytes);

// "12 ms", "3.4 s", "2 h 5 min". Of something measured: rounded.
std::string SpanText(double seconds);

}  // namespace poold::cli
