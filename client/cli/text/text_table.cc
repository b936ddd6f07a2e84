#include "cli/text/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/terminal_text.h"

namespace poold::cli {
namespace {

bool IsNumber(const std::string& word) {
  return !word.empty() && (word == "-" || word.find_first_not_of("0123456789.") == std::string::npos);
}

std::string Printed(const char* format, double number, const char* unit) {
  char text[64];
  std::snprintf(text, sizeof text, format, number, unit);
  return text;
}

}  // namespace

void TextTable::Add(const std::vector<std::string>& row) {
  std::vector<std::string>& shown = rows_.emplace_back();
  for (const std::string& word : row) shown.push_back(client::internal::OneLine(word));
}

std::string TextTable::Text() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> width(columns, 0);
  std::vector<bool> right(columns, rows_.size() > 1);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      width[c] = std::max(width[c], client::internal::Columns(rows_[r][c]));
      if (r > 0 && !IsNumber(rows_[r][c])) right[c] = false;
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string pad(width[c] - client::internal::Columns(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? pad + row[c] : row[c] + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string SizeText(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return Printed(bytes < 10 && unit > 0 && bytes != std::floor(bytes) ? "%.1f %s" : "%.0f %s", bytes, kUnits[unit]);
}

std::string SpanText(double seconds) {
  if (seconds <= 0) return "0 s";
  if (seconds < 1e-3) return Printed("%.0f %s", seconds * 1e6, "us");
  if (seconds < 1) return Printed("%.0f %s", seconds * 1e3, "ms");
  if (seconds < 60) return Printed(seconds == std::floor(seconds) ? "%.0f %s" : "%.1f %s", seconds, "s");
  const auto whole = static_cast<long long>(seconds);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  if (whole < 86400) return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
  return std::to_string(whole / 86400) + " d " + std::to_string(whole % 86400 / 3600) + " h";
}

}  // namespace poold::cli
