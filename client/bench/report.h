#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "bench/measure.h"
#include "bench/options.h"
#include "bench/rounds.h"
#include "bench/workloads.h"

namespace poold::bench {

// Collects the figures and prints them: a table, or JSON.
class Report {
 public:
  explicit Report(const BenchOptions& options) : options_(options) {}

  void AddSubmit(double rate) { series_["submit"].figures.push_back(rate); }
  void AddMap(double rate) { series_["map"].figures.push_back(rate); }
  // Items a second of one workload, by how it was cut: "automatic", "formula", "one".
  void AddChunks(const std::string& workload, const std::string& cut, double rate);
  // With --compare: what Python's pool does with it, now.
  absl::Status AddPythonChunks(const Workload& workload);
  void AddFresh(double rate) { series_["fresh"].figures.push_back(rate); }
  void AddBareForks(double rate) { series_["fresh bare forks"].figures.push_back(rate); }
  void AddLatency(const Latency& latency);
  // With --compare: measures it now, after ours.
  absl::Status AddPython(const std::string& kind);

  void Print() const;

 private:
  void PrintTable() const;
  void PrintRatios() const;
  void PrintChunks() const;
  void PrintJson() const;
  const Rounds* Find(const std::string& name) const;

  const BenchOptions options_;
  // By name: "submit", "submit Pool", "latency p99", ...
  std::map<std::string, Rounds> series_;
};

}  // namespace poold::bench
