// CPU time: of small tasks, by process, and of doing nothing.
#include <unistd.h>

#include <chrono>
#include <thread>

#include "drivers/poold_rounds.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"

namespace poold::bench {
namespace {

constexpr char kBench[] = "cost";
constexpr char kSubject[] = "poold-unix";

struct Spent {
  double client = 0;
  double daemon = 0;
  double workers = 0;
};

Spent SpentBy(const Stage& stage) {
  Spent spent{CpuSeconds(getpid()), CpuSeconds(stage.pid()), 0};
  for (const pid_t pid : Descendants(stage.pid())) spent.workers += CpuSeconds(pid);
  return spent;
}

absl::Status OfTasks(const Stage& stage, const client::Pool& pool, const Job& job, Figures& figures) {
  const Spent before = SpentBy(stage);
  const auto run = job.shape == Shape::kBurst ? RunBurst(pool, job) : RunWindow(pool, job);
  if (!run.ok()) return run.status();
  const Spent after = SpentBy(stage);
  const double micros = 1e6 / static_cast<double>(job.count);
  figures.Add(kBench, kSubject, job.name, {"client_us_per_task", (after.client - before.client) * micros});
  figures.Add(kBench, kSubject, job.name, {"daemon_us_per_task", (after.daemon - before.daemon) * micros});
  figures.Add(kBench, kSubject, job.name, {"workers_us_per_task", (after.workers - before.workers) * micros});
  return absl::OkStatus();
}

// A client is connected, two pools are open, nothing happens: this is a time in which to do nothing.
void OfNothing(const Stage& stage, double seconds, Figures& figures) {
  const Spent before = SpentBy(stage);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const Spent after = SpentBy(stage);
  const double spent = after.daemon - before.daemon + after.workers - before.workers;
  figures.Add(kBench, kSubject, "idle", {"cpu_percent", 100 * spent / seconds});
}

}  // namespace

absl::Status MeasureCost(const BenchOptions& options, Figures& figures) {
  const auto stage = Stage::Set();
  if (!stage.ok()) return stage.status();
  const auto pool = stage->OpenPool({.workers = options.workers});
  if (!pool.ok()) return pool.status();
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (const Job& job : JobsOf("submit", options.scale, options.workers)) {
      if (absl::Status status = OfTasks(*stage, **pool, job, figures); !status.ok()) return status;
    }
    OfNothing(*stage, options.scale < 0.1 ? 0.05 : 3, figures);
  }
  return absl::OkStatus();
}

}  // namespace poold::bench
