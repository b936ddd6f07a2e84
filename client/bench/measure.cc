#include "bench/measure.h"

#include <chrono>
#include <ranges>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/rounds.h"

namespace poold::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Handle = client::TaskHandle<void>;

constexpr char kNoop[] = "noop";
constexpr char kSpin[] = "spin_us";
constexpr char kSquare[] = "square";
constexpr char kBareForks[] = "bare_forks";
constexpr int kForks = 300;  // of each worker
// Squares of larger numbers would not fit into an int.
constexpr uint64_t kLargest = 10'000;

double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

absl::StatusOr<double> MeasureSubmit(const client::Pool& pool, uint64_t tasks, uint64_t outstanding) {
  std::vector<Handle> ring(std::min(outstanding, tasks));
  uint64_t done = 0;
  const Clock::time_point begin = Clock::now();
  for (uint64_t i = 0; i < tasks + ring.size(); ++i) {
    Handle& slot = ring[i % ring.size()];
    if (i >= ring.size()) {
      if (absl::Status status = slot.Get(); !status.ok()) return status;
      ++done;
    }
    if (i < tasks) slot = pool.Submit<void>(kNoop);
  }
  const double seconds = Since(begin);
  if (done != tasks) return absl::InternalError(absl::StrCat(done, " of ", tasks, " tasks came back"));
  return static_cast<double>(tasks) / seconds;
}

absl::StatusOr<double> MeasureMap(const client::Pool& pool, uint64_t items, uint32_t chunk_size) {
  client::MapOptions options;
  if (chunk_size > 0) options.chunk_size = chunk_size;
  const auto numbers = std::views::iota(uint64_t{0}, items) |
                       std::views::transform([](uint64_t i) { return static_cast<int>(i % kLargest); });
  uint64_t count = 0;
  int64_t sum = 0;
  const Clock::time_point begin = Clock::now();
  for (const auto& item : pool.Map<int>(kSquare, numbers, options)) {
    if (!item.result.ok()) return item.result.status();
    ++count;
    sum += *item.result;
  }
  const double seconds = Since(begin);
  int64_t wanted = 0;
  for (const int64_t number : numbers) wanted += number * number;
  if (count != items || sum != wanted) {
    return absl::InternalError(absl::StrCat(count, " of ", items, " items came back, sum ", sum, ", wanted ", wanted));
  }
  return static_cast<double>(items) / seconds;
}

absl::StatusOr<double> MeasureSpins(const client::Pool& pool, const std::vector<uint32_t>& micros,
                                    uint32_t chunk_size) {
  client::MapOptions options;
  if (chunk_size > 0) options.chunk_size = chunk_size;
  uint64_t count = 0;
  const Clock::time_point begin = Clock::now();
  for (const auto& item : pool.Map<void>(kSpin, micros, options)) {
    if (!item.result.ok()) return item.result;
    ++count;
  }
  const double seconds = Since(begin);
  if (count != micros.size()) {
    return absl::InternalError(absl::StrCat(count, " of ", micros.size(), " items came back"));
  }
  return static_cast<double>(count) / seconds;
}

absl::StatusOr<double> MeasureBareForks(const client::Pool& pool, uint32_t workers) {
  std::vector<client::TaskHandle<double>> handles;
  for (uint32_t i = 0; i < workers; ++i) handles.push_back(pool.Submit<double>(kBareForks, kForks));
  double rate = 0;
  for (const auto& handle : handles) {
    const auto micros = handle.Get();
    if (!micros.ok()) return micros.status();
    rate += 1e6 / *micros;
  }
  return rate;
}

absl::StatusOr<Latency> MeasureLatency(const client::Pool& pool, uint64_t trips) {
  std::vector<double> samples;
  samples.reserve(trips);
  for (uint64_t i = 0; i < trips; ++i) {
    const Clock::time_point begin = Clock::now();
    if (absl::Status status = pool.Submit<void>(kNoop).Get(); !status.ok()) return status;
    samples.push_back(Since(begin));
  }
  return Latency{.p50 = Quantile(samples, 0.5), .p99 = Quantile(samples, 0.99)};
}

}  // namespace poold::bench
