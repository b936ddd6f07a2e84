// What small tasks cost, by process: CPU time, wakes, system calls, entries of the core. And what doing nothing costs.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"
#include "system_calls.h"

namespace poold::bench {
namespace {

constexpr char kCostBench[] = "cost";
constexpr char kCostSubject[] = "poold-unix";
constexpr std::uint32_t kManyWorkers = 62;

struct Case {
  Job job;
  const char* unit;  // that the job has `count` of
  Samples (*run)(const client::Pool& pool, const Job& job);
};

std::vector<Case> Cases(const BenchOptions& options) {
  const auto jobs = [&options](const char* kind) { return JobsOf(kind, options.scale, options.workers); };
  std::vector<Case> cases = {{jobs("submit").at(0), "task", RunBurst},
                             {jobs("submit").at(1), "task", RunWindow},
                             {jobs("latency").at(0), "task", RunTrips},
                             {jobs("map").at(0), "item", RunMap}};
  cases.back().job.name = "one map";
  return cases;
}

// What has been spent so far, by its name in the figures: "client_us", "daemon_wakes".
using Spent = std::map<std::string, double>;

Spent operator-(Spent after, const Spent& before) {
  for (auto& [name, amount] : after) amount -= before.at(name);
  return after;
}

struct Processes {
  explicit Processes(const Stage& stage) : daemon(stage.pid()), workers(Descendants(stage.pid())) {}

  pid_t client = getpid();
  pid_t daemon;
  std::vector<pid_t> workers;  // and zygotes
};

Spent TimeAndWakes(const Processes& processes) {
  const pid_t daemon = processes.daemon;
  Spent spent = {{"client_us", CpuSeconds(processes.client) * 1e6},
                 {"client_wakes", Wakes(processes.client)},
                 {"daemon_us", CpuSeconds(daemon) * 1e6},
                 {"daemon_client_thread_us", CpuSeconds(daemon, "poold-local") * 1e6},
                 {"daemon_process_thread_us", CpuSeconds(daemon, "poold-process") * 1e6},
                 {"daemon_wakes", Wakes(daemon)},
                 {"workers_us", 0},
                 {"workers_wakes", 0}};
  for (const pid_t worker : processes.workers) {
    spent["workers_us"] += CpuSeconds(worker) * 1e6;
    spent["workers_wakes"] += static_cast<double>(Wakes(worker));
  }
  return spent;
}

void Add(const Case& what, const Spent& spent, Figures& figures) {
  for (const auto& [name, amount] : spent) {
    const double each = amount / static_cast<double>(what.job.count);
    figures.Add(kCostBench, kCostSubject, what.job.name, {absl::StrCat(name, "_per_", what.unit), each});
  }
}

absl::StatusOr<double> CoreEntries(const Stage& stage) {
  const auto stats = stage.client->GetStats();
  if (!stats.ok()) return stats.status();
  return static_cast<double>(stats->core_entries);
}

absl::Status MeasureSpent(const Stage& stage, const client::Pool& pool, const Case& what, Figures& figures) {
  const Processes processes(stage);
  const auto entries_before = CoreEntries(stage);
  if (!entries_before.ok()) return entries_before.status();
  const Spent before = TimeAndWakes(processes);
  if (const auto run = what.run(pool, what.job); !run.ok()) return run.status();
  Spent spent = TimeAndWakes(processes) - before;
  const auto entries_after = CoreEntries(stage);
  if (!entries_after.ok()) return entries_after.status();
  spent["core_entries"] = *entries_after - *entries_before - 1;  // that was the question
  Add(what, spent, figures);
  return absl::OkStatus();
}

// In a round of its own: counting them takes time.
absl::Status MeasureCalls(const Stage& stage, const client::Pool& pool, const Case& what, Figures& figures) {
  const Processes processes(stage);
  const CallCounter client({processes.client});
  const CallCounter daemon({processes.daemon});
  const CallCounter workers(processes.workers);
  const auto now = [&] {
    Spent spent;
    for (const auto& [name, counter] : {std::pair("client", &client), {"daemon", &daemon}, {"workers", &workers}}) {
      const Calls calls = counter->Sum();
      spent[absl::StrCat(name, "_system_calls")] = calls.all;
      spent[absl::StrCat(name, "_reads")] = calls.reads;
      spent[absl::StrCat(name, "_writes")] = calls.writes;
    }
    return spent;
  };
  const Spent before = now();
  if (const auto run = what.run(pool, what.job); !run.ok()) return run.status();
  Add(what, now() - before, figures);
  return absl::OkStatus();
}

absl::Status WarmUp(const client::Pool& pool, const Case& what) {
  Job part = what.job;
  part.count = std::max<std::uint64_t>(1, part.count / 10);
  return what.run(pool, part).status();
}

// A client is connected, pools are open, nothing happens.
absl::Status MeasureIdle(const BenchOptions& options, const Stage& stage, Figures& figures) {
  const auto pool = stage.OpenPool({.workers = options.workers});
  if (!pool.ok()) return pool.status();
  const double seconds = options.scale < 0.1 ? 0.05 : 3;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    const Processes processes(stage);
    const Spent before = TimeAndWakes(processes);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const Spent spent = TimeAndWakes(processes) - before;
    const double micros = spent.at("daemon_us") + spent.at("workers_us");
    figures.Add(kCostBench, kCostSubject, "idle", {"cpu_percent", micros / 1e4 / seconds});
  }
  return absl::OkStatus();
}

absl::Status MeasureCase(const Stage& stage, const client::Pool& pool, const Case& what, Figures& figures) {
  static const bool counts_calls = CallCounter::Possible();
  const absl::Status status = MeasureSpent(stage, pool, what, figures);
  if (!status.ok() || !counts_calls) return status;
  return MeasureCalls(stage, pool, what, figures);
}

// What `cases` cost on a pool of their own.
absl::Status MeasureCases(const BenchOptions& options, const Stage& stage, std::uint32_t workers,
                          const std::vector<Case>& cases, Figures& figures) {
  const auto pool = stage.OpenPool({.workers = workers, .modules = {"testing", "examples"}});
  if (!pool.ok()) return pool.status();
  for (const Case& what : cases) {
    if (absl::Status status = WarmUp(**pool, what); !status.ok()) return status;
  }
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (const Case& what : cases) {
      if (absl::Status status = MeasureCase(stage, **pool, what, figures); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

// A pool for 64 cores: the times say little where there are fewer, the counts do.
std::vector<Case> OnManyWorkers(std::vector<Case> cases) {
  std::erase_if(cases, [](const Case& what) { return what.job.shape == Shape::kTrips; });
  for (Case& what : cases) {
    absl::StrAppend(&what.job.name, ", ", kManyWorkers, " workers");
    what.job.count = Scaled(what.job.count, 0.3);
  }
  return cases;
}

}  // namespace

absl::Status MeasureCost(const BenchOptions& options, Figures& figures) {
  // What is counted is work, not looking for it.
  const auto stage = Stage::Set({"--spin-us", "0"});
  if (!stage.ok()) return stage.status();
  const std::vector<Case> cases = Cases(options);
  absl::Status status = MeasureCases(options, *stage, options.workers, cases, figures);
  if (status.ok()) status = MeasureCases(options, *stage, kManyWorkers, OnManyWorkers(cases), figures);
  if (!status.ok()) return status;
  const auto idle = Stage::Set();
  return idle.ok() ? MeasureIdle(options, *idle, figures) : idle.status();
}

}  // namespace poold::bench
