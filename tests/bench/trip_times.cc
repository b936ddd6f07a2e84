#include "trip_times.h"

#include "rounds.h"
#include "stopwatch.h"

namespace poold::bench {

Samples MeasureTrips(std::uint64_t count, const std::function<absl::Status()>& trip) {
  std::vector<double> micros;
  micros.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Stopwatch watch;
    if (absl::Status status = trip(); !status.ok()) return status;
    micros.push_back(watch.Seconds() * 1e6);
  }
  return std::vector<Sample>{{"p50_us", Quantile(micros, 0.5)}, {"p99_us", Quantile(micros, 0.99)}};
}

}  // namespace poold::bench
