#include "bench/report.h"

#include <algorithm>
#include <cstdio>

#include "bench/python_pools.h"
#include "nlohmann/json.hpp"

namespace poold::bench {
namespace {

constexpr char kPool[] = "multiprocessing.Pool";
constexpr char kExecutor[] = "ProcessPoolExecutor";
constexpr char kPythonFormula[] = "Pool.map";
constexpr char kPythonOne[] = "Pool.map, 1";

bool IsTime(const std::string& name) { return name.rfind("latency", 0) == 0; }

std::string Text(const std::string& name, double figure) {
  return IsTime(name) ? MicrosText(figure) + " us" : RateText(figure) + "/s";
}

// Enough to be stable, few enough to be bearable: they are up to a thousand times slower.
uint64_t PythonCount(const std::string& kind, const BenchOptions& options) {
  if (kind == "submit") return std::min<uint64_t>(options.tasks, 20'000);
  if (kind == "map") return options.items;
  if (kind == "fresh") return std::min<uint64_t>(options.fresh_tasks, 300);
  return std::min<uint64_t>(options.trips, 1000);
}

}  // namespace

void Report::AddChunks(const std::string& workload, const std::string& cut, double rate) {
  series_["chunks " + workload + ": " + cut].figures.push_back(rate);
}

absl::Status Report::AddPythonChunks(const Workload& workload) {
  if (!options_.compare || !HavePython()) return absl::OkStatus();
  auto figures = MeasurePythonChunks(options_.workers, workload.micros);
  if (!figures.ok()) return figures.status();
  AddChunks(workload.name, kPythonFormula, figures->formula);
  AddChunks(workload.name, kPythonOne, figures->one);
  return absl::OkStatus();
}

void Report::AddLatency(const Latency& latency) {
  series_["latency p50"].figures.push_back(latency.p50);
  series_["latency p99"].figures.push_back(latency.p99);
}

absl::Status Report::AddPython(const std::string& kind) {
  if (!options_.compare) return absl::OkStatus();
  if (!HavePython()) return absl::OkStatus();
  auto figures = MeasurePython(kind, options_.workers, PythonCount(kind, options_));
  if (!figures.ok()) return figures.status();
  const std::string name = kind == "latency" ? "latency p50" : kind;
  series_[name + " " + kPool].figures.push_back(figures->pool);
  if (kind != "fresh") series_[name + " " + kExecutor].figures.push_back(figures->executor);
  return absl::OkStatus();
}

void Report::Print() const {
  if (options_.json) return PrintJson();
  PrintTable();
  if (options_.chunks) PrintChunks();
  if (options_.compare) PrintRatios();
}

const Rounds* Report::Find(const std::string& name) const {
  auto it = series_.find(name);
  return it == series_.end() ? nullptr : &it->second;
}

void Report::PrintTable() const {
  std::printf("%u workers, %u rounds; submit: %llu tasks, %llu outstanding; map: %llu items\n\n", options_.workers,
              options_.rounds, static_cast<unsigned long long>(options_.tasks),
              static_cast<unsigned long long>(options_.outstanding), static_cast<unsigned long long>(options_.items));
  std::printf("%-34s %12s %12s %12s\n", "", "median", "min", "max");
  for (const auto& [name, rounds] : series_) {
    std::printf("%-34s %12s %12s %12s\n", name.c_str(), Text(name, rounds.Median()).c_str(),
                Text(name, rounds.Least()).c_str(), Text(name, rounds.Most()).c_str());
  }
}

void Report::PrintRatios() const {
  if (!HavePython()) {
    std::printf("\nno /usr/bin/python3 to compare with\n");
    return;
  }
  std::printf("\npoold is so many times as fast (medians):\n");
  for (const char* name : {"submit", "map", "latency p50", "fresh"}) {
    for (const char* other : {kPool, kExecutor}) {
      const Rounds* ours = Find(name);
      const Rounds* theirs = Find(std::string(name) + " " + other);
      if (ours == nullptr || theirs == nullptr) continue;
      const double ratio = IsTime(name) ? theirs->Median() / ours->Median() : ours->Median() / theirs->Median();
      std::printf("%-12s %-22s %8.1f\n", name, other, ratio);
    }
  }
}

void Report::PrintChunks() const {
  const std::vector<std::string> others = {"formula", "one", kPythonFormula, kPythonOne};
  std::printf("\nautomatic chunks are so many times as fast (medians):\n%-34s", "");
  for (const std::string& other : others) std::printf(" %12s", other.c_str());
  std::printf("\n");
  for (const Workload& workload : ChunkWorkloads()) {
    const std::string name = "chunks " + workload.name + ": ";
    const Rounds* automatic = Find(name + "automatic");
    if (automatic == nullptr) continue;
    std::printf("%-34s", workload.name.c_str());
    for (const std::string& other : others) {
      const Rounds* rounds = Find(name + other);
      if (rounds != nullptr) std::printf(" %12.2f", automatic->Median() / rounds->Median());
    }
    std::printf("\n");
  }
}

void Report::PrintJson() const {
  nlohmann::ordered_json document{{"workers", options_.workers},
                                  {"rounds", options_.rounds},
                                  {"tasks", options_.tasks},
                                  {"outstanding", options_.outstanding},
                                  {"items", options_.items}};
  for (const auto& [name, rounds] : series_) {
    document["figures"][name] = {{"unit", IsTime(name) ? "s" : "1/s"},
                                 {"median", rounds.Median()},
                                 {"min", rounds.Least()},
                                 {"max", rounds.Most()},
                                 {"rounds", rounds.figures}};
  }
  std::printf("%s\n", document.dump().c_str());
}

}  // namespace poold::bench
