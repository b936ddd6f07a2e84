// poold-bench: how fast a poold is, here and now.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bench/measure.h"
#include "bench/options.h"
#include "bench/private_daemon.h"
#include "bench/report.h"
#include "bench/workloads.h"
#include "poold/client.h"

namespace poold::bench {
namespace {

constexpr int kUnreachable = 69;
constexpr int kFailed = 70;

int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "poold-bench: %s\n", std::string(status.message()).c_str());
  return code;
}

// Rounds of everything that was asked for, in turns.
absl::Status MeasureAll(const BenchOptions& options, const client::Pool& pool, Report& report) {
  // Not counted: connections, first chunks, caches.
  if (auto warm = MeasureSubmit(pool, 20'000, options.outstanding); !warm.ok()) return warm.status();
  for (uint32_t round = 0; round < options.rounds; ++round) {
    if (options.submit) {
      auto rate = MeasureSubmit(pool, options.tasks, options.outstanding);
      if (!rate.ok()) return rate.status();
      report.AddSubmit(*rate);
      if (absl::Status status = report.AddPython("submit"); !status.ok()) return status;
    }
    if (options.map) {
      auto rate = MeasureMap(pool, options.items, options.chunk_size);
      if (!rate.ok()) return rate.status();
      report.AddMap(*rate);
      if (absl::Status status = report.AddPython("map"); !status.ok()) return status;
    }
    if (options.latency) {
      auto latency = MeasureLatency(pool, options.trips);
      if (!latency.ok()) return latency.status();
      report.AddLatency(*latency);
      if (absl::Status status = report.AddPython("latency"); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status MeasureChunks(const BenchOptions& options, const client::Pool& pool, Report& report) {
  for (const Workload& workload : ChunkWorkloads()) {
    const std::pair<const char*, uint32_t> cuts[] = {
        {"automatic", 0}, {"formula", FormulaChunk(workload.micros.size(), options.workers)}, {"one", 1}};
    for (uint32_t round = 0; round < options.rounds; ++round) {
      for (const auto& [cut, chunk_size] : cuts) {
        auto rate = MeasureSpins(pool, workload.micros, chunk_size);
        if (!rate.ok()) return rate.status();
        report.AddChunks(workload.name, cut, *rate);
      }
      if (absl::Status status = report.AddPythonChunks(workload); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status MeasureFresh(const BenchOptions& options, client::Client& client, Report& report) {
  auto opened = client.OpenPool({.name = absl::StrCat("bench-fresh-", getpid()),
                                 .workers = options.workers,
                                 .modules = {"testing"},
                                 .start_method = client::StartMethod::kFresh,
                                 .preload = {"preload_memory"}});
  if (!opened.ok()) return opened.status();
  const client::PoolScope pool(*opened);
  for (uint32_t round = 0; round < options.rounds; ++round) {
    auto rate = MeasureSubmit(*pool, options.fresh_tasks, options.outstanding);
    if (!rate.ok()) return rate.status();
    report.AddFresh(*rate);
    auto bare = MeasureBareForks(*pool, options.workers);
    if (!bare.ok()) return bare.status();
    report.AddBareForks(*bare);
    if (absl::Status status = report.AddPython("fresh"); !status.ok()) return status;
  }
  return absl::OkStatus();
}

int Bench(const BenchOptions& options, const std::string& address) {
  auto client = client::Client::Connect({.address = address, .client_name = "poold-bench"});
  if (!client.ok()) return Fail(kUnreachable, client.status());
  auto opened = client->OpenPool(
      {.name = absl::StrCat("bench-", getpid()), .workers = options.workers, .modules = {"testing", "examples"}});
  if (!opened.ok()) return Fail(kFailed, opened.status());
  const client::PoolScope pool(*opened);
  Report report(options);
  if (absl::Status status = MeasureAll(options, *pool, report); !status.ok()) return Fail(kFailed, status);
  if (options.chunks) {
    if (absl::Status status = MeasureChunks(options, *pool, report); !status.ok()) return Fail(kFailed, status);
  }
  if (options.fresh) {
    if (absl::Status status = MeasureFresh(options, *client, report); !status.ok()) return Fail(kFailed, status);
  }
  report.Print();
  return 0;
}

int Main(int argc, const char* const* argv) {
  auto parsed = ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const BenchOptions& options = std::get<BenchOptions>(parsed);
  if (!options.spawn) return Bench(options, options.address);
  auto daemon = PrivateDaemon::Start();
  if (!daemon.ok()) return Fail(kUnreachable, daemon.status());
  return Bench(options, (*daemon)->address());
}

}  // namespace
}  // namespace poold::bench

int main(int argc, char** argv) { return poold::bench::Main(argc, argv); }
