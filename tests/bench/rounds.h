#pragma once

#include <string>
#include <vector>

namespace poold::bench {

// The same measurement, repeated: one figure a round. A value.
struct Rounds {
  std::vector<double> figures;

  double Median() const;
  double Least() const;
  double Most() const;
};

// The value below which `share` (0..1) of the samples lie. REQUIRES: not empty. Sorts them.
double Quantile(std::vector<double>& samples, double share);

// "1234567" -> "1.23 M"; "88123" -> "88.1 k"; "0.0123" -> "0.0123".
std::string Short(double number);

}  // namespace poold::bench
