#include "bench/rounds.h"

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

std::string RateText(double per_second) {
  if (per_second >= 1e6) return Printed("%.2f M", per_second / 1e6);
  if (per_second >= 1e4) return Printed("%.1f k", per_second / 1e3);
  return Printed("%.0f", per_second);
}

std::string MicrosText(double seconds) { return Printed("%.1f", seconds * 1e6); }

}  // namespace poold::bench
