#include "rounds.h"

#include <algorithm>
#include <cstdio>

namespace poold::bench {
namespace {

std::string Printed(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

double Quantile(std::vector<double>& samples, double share) {
  std::sort(samples.begin(), samples.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1) + 0.5);
  return samples[index];
}

double Rounds::Median() const {
  std::vector<double> sorted = figures;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double Rounds::Least() const { return *std::min_element(figures.begin(), figures.end()); }
double Rounds::Most() const { return *std::max_element(figures.begin(), figures.end()); }

std::string Short(double number) {
  if (number >= 1e6) return Printed("%.2f M", number / 1e6);
  if (number >= 1e4) return Printed("%.1f k", number / 1e3);
  return Printed(number >= 100 ? "%.0f" : "%.3g", number);
}

}  // namespace poold::bench
