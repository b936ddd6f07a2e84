#pragma once

#include <string>
#include <vector>

namespace poold::bench {

// The same measurement, repeated. One figure a round: a rate (1/s) or a time (s). Values.
struct Rounds {
  std::vector<double> figures;

  double Median() const;
  double Least() const;
  double Most() const;
};

// The value below which `share` (0..1) of the samples lie. REQUIRES: not empty. Sorts them.
double Quantile(std::vector<double>& samples, double share);

// "1234567" -> "1.23 M"; "88123" -> "88.1 k".
std::string RateText(double per_second);

// In microseconds: "61.2".
std::string MicrosText(double seconds);

}  // namespace poold::bench
