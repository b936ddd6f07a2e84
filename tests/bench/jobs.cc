#include "jobs.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "work.h"
#include "workloads.h"

namespace poold::bench {
namespace {

const std::vector<std::string> kPoold = {"poold-unix"};
const std::vector<std::string> kPooldAndPython = {"poold-unix", "python-pool"};

std::vector<Job> Maps(double scale) {
  const std::uint64_t items = Scaled(1'000'000, scale);
  std::vector<Job> jobs = {{.bench = "map", .name = "automatic chunks", .shape = Shape::kMap, .count = items}};
  // Where is the best of Python's?
  for (const std::uint32_t chunk : {1024u, 8192u, 65'536u}) {
    jobs.push_back({.bench = "map",
                    .name = absl::StrCat("chunks of ", chunk),
                    .shape = Shape::kMap,
                    .count = items,
                    .chunk = chunk,
                    .only = {"poold-unix", "python-pool", "python-executor"}});
  }
  return jobs;
}

std::vector<Job> Submits(double scale) {
  return {{.bench = "submit",
           .name = "all, then collected",
           .shape = Shape::kBurst,
           .count = Scaled(1'000'000, scale),
           .slow_count = Scaled(5000, scale)},
          {.bench = "submit",
           .name = "64 outstanding",
           .shape = Shape::kWindow,
           .count = Scaled(300'000, scale),
           .slow_count = Scaled(5000, scale),
           .outstanding = 64}};
}

std::vector<Job> Latencies(double scale) {
  return {{.bench = "latency",
           .name = "one at a time",
           .shape = Shape::kTrips,
           .count = Scaled(3000, scale),
           .slow_count = Scaled(1000, scale)}};
}

std::vector<Job> Payloads(double scale) {
  const auto job = [scale](const char* name, std::uint64_t bytes, std::uint64_t count, std::uint64_t outstanding) {
    return Job{.bench = "payload",
               .name = name,
               .shape = Shape::kEcho,
               .count = Scaled(count, scale),
               .slow_count = Scaled(count / 4, scale),
               .outstanding = outstanding,
               .bytes = bytes};
  };
  std::vector<Job> jobs = {job("1 KiB", 1 << 10, 40'000, 512), job("64 KiB", 64 << 10, 1600, 16),
                           job("1 MiB", 1 << 20, 64, 4)};
  // Too much for a quick look, however few there are.
  if (scale < 0.1) return jobs;
  jobs.push_back(job("64 MiB", std::uint64_t{64} << 20, 0, 2));
  jobs.back().count = 2;
  jobs.back().slow_count = 1;
  return jobs;
}

std::uint32_t StepsOf(double micros) { return static_cast<std::uint32_t>(micros * StepsPerMicrosecond()); }

std::vector<Job> Computing(double scale) {
  std::vector<Job> jobs;
  for (const std::uint32_t micros : {10u, 100u, 1000u}) {
    const std::vector<std::uint32_t> sizes(Scaled(1'000'000 / micros, scale), StepsOf(micros));
    jobs.push_back({.bench = "cpu",
                    .name = absl::StrCat(micros, " us, map"),
                    .shape = Shape::kWorkMap,
                    .count = sizes.size(),
                    .sizes = sizes});
    jobs.push_back({.bench = "cpu",
                    .name = absl::StrCat(micros, " us, tasks"),
                    .shape = Shape::kWorkTasks,
                    .count = sizes.size(),
                    .sizes = sizes});
  }
  return jobs;
}

std::vector<Job> Skewed(double scale) {
  std::vector<std::uint32_t> sizes(Scaled(10'000, scale), StepsOf(100));
  sizes.insert(sizes.begin(), StepsOf(2e6 * std::min(1.0, scale)));
  std::vector<Job> jobs = {{.bench = "skew",
                            .name = "one long, others short",
                            .shape = Shape::kLongFirst,
                            .count = sizes.size(),
                            .sizes = sizes}};
  for (const Workload& workload : UnevenWorkloads()) {
    std::vector<std::uint32_t> steps;
    for (std::size_t i = 0; i < Scaled(workload.micros.size(), scale); ++i)
      steps.push_back(StepsOf(workload.micros[i]));
    for (std::uint32_t chunk = 0; chunk <= 1024; chunk = chunk == 0 ? 1 : chunk * 4) {
      const std::string cut = chunk == 0 ? "automatic" : absl::StrCat("chunks of ", chunk);
      jobs.push_back({.bench = "skew",
                      .name = workload.name + ", " + cut,
                      .shape = Shape::kWorkMap,
                      .count = steps.size(),
                      .chunk = chunk,
                      .sizes = steps,
                      .only = kPoold});
    }
  }
  return jobs;
}

std::vector<Job> Chunks(double scale, std::uint32_t workers) {
  std::vector<Job> jobs;
  for (const Workload& workload : ChunkWorkloads()) {
    const std::vector<std::uint32_t> micros(
        workload.micros.begin(),
        workload.micros.begin() + static_cast<std::ptrdiff_t>(Scaled(workload.micros.size(), std::min(1.0, scale))));
    const auto job = [&](const char* cut, std::uint32_t chunk, std::vector<std::string> only) {
      return Job{.bench = "chunks",
                 .name = workload.name + ", " + cut,
                 .shape = Shape::kSpinMap,
                 .count = micros.size(),
                 .chunk = chunk,
                 .sizes = micros,
                 .only = std::move(only)};
    };
    jobs.push_back(job("automatic", 0, kPooldAndPython));
    jobs.push_back(job("Python's formula", FormulaChunk(micros.size(), workers), kPoold));
    jobs.push_back(job("chunks of 1", 1, kPooldAndPython));
  }
  return jobs;
}

std::vector<Job> Fresh(double scale) {
  return {{.bench = "fresh",
           .name = "200 MB of state",
           .shape = Shape::kFresh,
           .count = Scaled(3000, scale),
           .slow_count = Scaled(200, scale),
           .outstanding = 64,
           // A quick look has less of it.
           .bytes = std::uint64_t{scale < 0.1 ? 10u : 200u} << 20}};
}

}  // namespace

std::uint64_t Scaled(std::uint64_t count, double scale) {
  return std::max<std::uint64_t>(4, std::llround(static_cast<double>(count) * scale));
}

std::vector<Job> JobsOf(const std::string& kind, double scale, std::uint32_t workers) {
  if (kind == "map") return Maps(scale);
  if (kind == "submit") return Submits(scale);
  if (kind == "latency") return Latencies(scale);
  if (kind == "payload") return Payloads(scale);
  if (kind == "cpu") return Computing(scale);
  if (kind == "skew") return Skewed(scale);
  if (kind == "chunks") return Chunks(scale, workers);
  if (kind == "fresh") return Fresh(scale);
  return {};
}

}  // namespace poold::bench
