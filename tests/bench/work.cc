#include "work.h"

#include <algorithm>
#include <chrono>

namespace poold::bench {
namespace {

double Calibrate() {
  using Clock = std::chrono::steady_clock;
  constexpr std::uint64_t kSteps = 2'000'000;
  double best = 0;
  for (int i = 0; i < 7; ++i) {
    const Clock::time_point begin = Clock::now();
    Work(kSteps);
    const double micros = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    best = std::max(best, kSteps / micros);
  }
  return best;
}

}  // namespace

double StepsPerMicrosecond() {
  static const double steps = Calibrate();
  return steps;
}

}  // namespace poold::bench
