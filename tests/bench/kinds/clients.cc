// Many connections that work, many that do nothing, many handles that are waited on.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"
#include "stopwatch.h"

namespace poold::bench {
namespace {

constexpr char kClientsBench[] = "clients";
constexpr char kClientsSubject[] = "poold-unix";

// A quick look has less of it; more of it nobody asks for.
std::uint64_t AtMost(std::uint64_t count, const BenchOptions& options) {
  return Scaled(count, std::min(1.0, options.scale));
}

absl::Status Working(const BenchOptions& options, const Stage& stage, Figures& figures) {
  auto pool = stage.OpenPool({.workers = options.workers});
  if (!pool.ok()) return pool.status();
  std::vector<std::uint64_t> counts = {1, 10, 100, 1000};
  if (options.scale < 0.1) counts = {1, 10};
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (const std::uint64_t connections : counts) {
      auto holders = Connect(stage, (*pool)->name(), connections);
      if (!holders.ok()) return holders.status();
      const std::uint64_t each = std::max<std::uint64_t>(64, AtMost(300'000, options) / connections);
      if (absl::Status status = RunTasks(*holders, 64); !status.ok()) return status;
      const Stopwatch watch;
      if (absl::Status status = RunTasks(*holders, each); !status.ok()) return status;
      const double rate = static_cast<double>(each * connections) / watch.Seconds();
      const std::string name = connections == 1 ? "1 connection" : absl::StrCat(connections, " connections");
      figures.Add(kClientsBench, kClientsSubject, name, {"tasks_per_s", rate});
    }
  }
  return absl::OkStatus();
}

absl::Status Idle(const BenchOptions& options, const Stage& stage, Figures& figures) {
  auto pool = stage.OpenPool({.workers = 1});
  if (!pool.ok()) return pool.status();
  const std::uint64_t connections = AtMost(5000, options);
  const std::uint64_t before = RssBytes(stage.pid());
  auto holders = Connect(stage, (*pool)->name(), connections);
  if (!holders.ok()) return holders.status();
  const double grown = static_cast<double>(RssBytes(stage.pid())) - static_cast<double>(before);
  const std::string name = "5000 idle connections";
  figures.Add(kClientsBench, kClientsSubject, name, {"bytes_per_connection", grown / static_cast<double>(connections)});
  // What comes with a new connection (settings, a first ping, timers) is over after some seconds; keepalive begins
  // after half a minute.
  const double seconds = options.scale < 0.1 ? 0.05 : 4;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double spent = CpuSeconds(stage.pid());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double percent = 100 * (CpuSeconds(stage.pid()) - spent) / seconds;
  figures.Add(kClientsBench, kClientsSubject, name, {"cpu_percent", percent});
  return absl::OkStatus();
}

absl::Status Handles(const BenchOptions& options, const Stage& stage, Figures& figures) {
  auto pool = stage.OpenPool({.workers = options.workers});
  if (!pool.ok()) return pool.status();
  const auto blockers = Block(**pool, options.workers);
  if (!blockers.ok()) return blockers.status();
  const auto threads = [&stage] { return static_cast<double>(Threads(stage.pid()).size() + Threads(getpid()).size()); };
  const double before = threads();
  std::vector<client::TaskHandle<void>> handles;
  for (std::uint64_t i = 0; i < AtMost(100'000, options); ++i) handles.push_back((*pool)->Submit<void>("noop"));
  if (absl::Status flushed = stage.client->Flush(); !flushed.ok()) return flushed;
  client::Wait(handles, client::WaitMode::kFirstCompleted, std::chrono::milliseconds(100));
  figures.Add(kClientsBench, kClientsSubject, "100000 handles waited on",
              {"threads_more", std::max(0.0, threads() - before)});
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureClients(const BenchOptions& options, Figures& figures) {
  {
    const auto stage = Stage::Set({"--max-connections", "6000"});
    if (!stage.ok()) return stage.status();
    if (absl::Status status = Working(options, *stage, figures); !status.ok()) return status;
    if (absl::Status status = Handles(options, *stage, figures); !status.ok()) return status;
  }
  const auto stage = Stage::Set({"--max-connections", "6000"});
  if (!stage.ok()) return stage.status();
  return Idle(options, *stage, figures);
}

}  // namespace poold::bench
