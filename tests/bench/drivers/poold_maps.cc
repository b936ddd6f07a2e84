// Maps: see poold_rounds.h.
#include <numeric>
#include <ranges>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"
#include "squares.h"
#include "stopwatch.h"

namespace poold::bench {
namespace {

client::MapOptions OptionsOf(const Job& job) {
  client::MapOptions options;
  if (job.chunk > 0) options.chunk_size = job.chunk;
  return options;
}

absl::Status Missing(std::uint64_t got, std::uint64_t wanted) {
  return absl::InternalError(absl::StrCat(got, " came back, wanted ", wanted));
}

// Of even work how much a second; of uneven work when all is done.
std::vector<Sample> EndOf(const Job& job, double seconds) {
  if (job.bench == "skew") return {{"makespan_s", seconds}};
  return ItemsPerSecond(job.sizes.size(), seconds);
}

}  // namespace

Samples RunMap(const client::Pool& pool, const Job& job) {
  const auto numbers = std::views::iota(std::uint64_t{0}, job.count) | std::views::transform(NumberAt);
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
  const Stopwatch watch;
  for (const auto& item : pool.Map<std::uint64_t>("square", numbers, OptionsOf(job))) {
    if (!item.result.ok()) return item.result.status();
    sum += *item.result;
    ++count;
  }
  const double seconds = watch.Seconds();
  if (count != job.count) return Missing(count, job.count);
  if (sum != SumOfSquares(job.count)) return Missing(sum, SumOfSquares(job.count));
  return ItemsPerSecond(job.count, seconds);
}

Samples RunWorkMap(const client::Pool& pool, const Job& job) {
  std::uint64_t steps = 0;
  const Stopwatch watch;
  for (const auto& item : pool.Map<std::uint64_t>("work", job.sizes, OptionsOf(job))) {
    if (!item.result.ok()) return item.result.status();
    steps += *item.result;
  }
  const double seconds = watch.Seconds();
  const auto wanted = std::accumulate(job.sizes.begin(), job.sizes.end(), std::uint64_t{0});
  if (steps != wanted) return Missing(steps, wanted);
  return EndOf(job, seconds);
}

// Until every item but the first is here.
Samples RunLongFirst(const client::Pool& pool, const Job& job) {
  client::MapOptions options = OptionsOf(job);
  options.order = client::MapOrder::kAsCompleted;
  std::size_t others = 0;
  double others_seconds = 0;
  const Stopwatch watch;
  for (const auto& item : pool.Map<std::uint64_t>("work", job.sizes, options)) {
    if (!item.result.ok()) return item.result.status();
    if (item.index != 0 && ++others == job.sizes.size() - 1) others_seconds = watch.Seconds();
  }
  if (others != job.sizes.size() - 1) return Missing(others, job.sizes.size() - 1);
  return std::vector<Sample>{{"others_s", others_seconds}, {"makespan_s", watch.Seconds()}};
}

Samples RunSpinMap(const client::Pool& pool, const Job& job) {
  std::size_t count = 0;
  const Stopwatch watch;
  for (const auto& item : pool.Map<void>("spin_us", job.sizes, OptionsOf(job))) {
    if (!item.result.ok()) return item.result;
    ++count;
  }
  const double seconds = watch.Seconds();
  if (count != job.sizes.size()) return Missing(count, job.sizes.size());
  return ItemsPerSecond(count, seconds);
}

}  // namespace poold::bench
