// Whether a task costs the same with few and many workers, idle pools and idle clients. The sizes of a row have a
// daemon each, side by side, and take turns; the ratio to the first of the row is that of the same round.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"

namespace poold::bench {
namespace {

constexpr char kScaleBench[] = "scale";
constexpr char kScaleSubject[] = "poold-unix";
constexpr std::uint32_t kFewWorkers = 2;

// A daemon with one pool that works, and what stands beside that.
struct Setting {
  std::string name;
  Stage stage;
  client::PoolScope pool;
  std::vector<client::PoolScope> idle_pools;
  std::vector<Child> idle_clients;
};

absl::StatusOr<client::PoolScope> OpenReady(const Stage& stage, const std::string& name, std::uint32_t workers) {
  auto pool = stage.OpenPool({.name = name, .workers = workers});
  if (!pool.ok()) return pool.status();
  if (absl::Status status = AwaitWorkers(**pool, workers); !status.ok()) return status;
  return pool;
}

absl::StatusOr<Setting> Bare(const std::string& row, std::uint32_t size, std::uint32_t workers) {
  // What is counted is work, not looking for it.
  auto stage = Stage::Set({"--spin-us", "0", "--max-connections", "6000"});
  if (!stage.ok()) return stage.status();
  auto pool = OpenReady(*stage, "bench", workers);
  if (!pool.ok()) return pool.status();
  return Setting{absl::StrCat(row, ": ", size), *std::move(stage), *std::move(pool), {}, {}};
}

absl::StatusOr<Setting> WithWorkers(std::uint32_t workers) { return Bare("workers", workers, workers); }

absl::StatusOr<Setting> WithIdlePools(std::uint32_t pools) {
  auto setting = Bare("idle pools", pools, kFewWorkers);
  if (!setting.ok()) return setting;
  for (std::uint32_t i = 0; i < pools; ++i) {
    auto pool = OpenReady(setting->stage, absl::StrCat("idle-", i), 1);
    if (!pool.ok()) return pool.status();
    setting->idle_pools.push_back(*std::move(pool));
  }
  return setting;
}

absl::StatusOr<Setting> WithIdleClients(std::uint32_t clients) {
  auto setting = Bare("idle clients", clients, kFewWorkers);
  if (!setting.ok()) return setting;
  auto holders = Connect(setting->stage, setting->pool->name(), clients);
  if (!holders.ok()) return holders.status();
  setting->idle_clients = *std::move(holders);
  // Each has done something once.
  if (absl::Status status = RunTasks(setting->idle_clients, 1); !status.ok()) return status;
  return setting;
}

struct Row {
  absl::StatusOr<Setting> (*make)(std::uint32_t size);
  std::vector<std::uint32_t> sizes;
};

std::vector<Row> Rows(const BenchOptions& options) {
  if (options.scale < 0.1) return {{WithWorkers, {2, 4}}, {WithIdlePools, {0, 2}}, {WithIdleClients, {1, 4}}};
  return {
      {WithWorkers, {kFewWorkers, 64, 256, 1000}}, {WithIdlePools, {0, 100, 500}}, {WithIdleClients, {1, 100, 1000}}};
}

// Figures of one round, by metric.
using Measured = std::map<std::string, double>;

absl::StatusOr<Measured> Measure(const Setting& setting, std::uint64_t lone_tasks, std::uint64_t burst_tasks) {
  const double before = CpuSeconds(setting.stage.pid());
  const Samples trips = RunTrips(*setting.pool, {.shape = Shape::kTrips, .count = lone_tasks});
  if (!trips.ok()) return trips.status();
  const double spent = CpuSeconds(setting.stage.pid()) - before;
  const Samples burst = RunBurst(*setting.pool, {.shape = Shape::kBurst, .count = burst_tasks});
  if (!burst.ok()) return burst.status();
  return Measured{{"lone_daemon_us", 1e6 * spent / static_cast<double>(lone_tasks)},
                  {"lone_p50_us", trips->front().value},
                  {"tasks_per_s", burst->front().value}};
}

absl::Status MeasureRow(const BenchOptions& options, const Row& row, Figures& figures) {
  const std::uint64_t lone_tasks = Scaled(3000, options.scale);
  const std::uint64_t burst_tasks = Scaled(300'000, options.scale);
  std::vector<Setting> settings;
  for (const std::uint32_t size : row.sizes) {
    auto setting = row.make(size);
    if (!setting.ok()) return setting.status();
    settings.push_back(*std::move(setting));
    if (auto warm = Measure(settings.back(), lone_tasks / 4, burst_tasks / 4); !warm.ok()) return warm.status();
  }
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    Measured first;
    for (const Setting& setting : settings) {
      const auto measured = Measure(setting, lone_tasks, burst_tasks);
      if (!measured.ok()) return measured.status();
      if (first.empty()) first = *measured;
      for (const auto& [metric, value] : *measured) {
        figures.Add(kScaleBench, kScaleSubject, setting.name, {metric, value});
        figures.Add(kScaleBench, kScaleSubject, setting.name,
                    {absl::StrCat(metric, "_by_first"), value / first[metric]});
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureScale(const BenchOptions& options, Figures& figures) {
  for (const Row& row : Rows(options)) {
    if (absl::Status status = MeasureRow(options, row, figures); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace poold::bench
