// What shards do for several pools, and what they cost: pools of one worker, each with a client process of its own, on
// one daemon. Where there are few cores the rate tells the cost alone; what the busiest thread of the daemon spends on
// a task is the bound on many.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "child.h"
#include "jobs.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"
#include "stopwatch.h"

namespace poold::bench {
namespace {

constexpr char kShardsBench[] = "shards";
constexpr char kShardsSubject[] = "poold-unix";
constexpr int kPools = 4;

struct Crowd {
  std::vector<client::PoolScope> pools;
  std::vector<Child> clients;
};

absl::StatusOr<Crowd> Gather(const Stage& stage) {
  Crowd crowd;
  for (int i = 0; i < kPools; ++i) {
    auto pool = stage.OpenPool({.name = absl::StrCat("bench-", i), .workers = 1});
    if (!pool.ok()) return pool.status();
    auto client = Child::RunRole("sessions", {stage.daemon->address(), (*pool)->name(), "1"});
    if (!client.ok()) return client.status();
    if (auto ready = client->ReadLine(); !ready.ok()) return ready.status();
    crowd.pools.push_back(*std::move(pool));
    crowd.clients.push_back(*std::move(client));
  }
  return crowd;
}

double Busiest(const std::map<pid_t, double>& before, const std::map<pid_t, double>& after) {
  double most = 0;
  for (const auto& [thread, seconds] : after) {
    const auto at = before.find(thread);
    most = std::max(most, seconds - (at == before.end() ? 0 : at->second));
  }
  return most;
}

absl::Status MeasureWith(int shards, const BenchOptions& options, Figures& figures) {
  const auto stage = Stage::Set({"--shards", absl::StrCat(shards)});
  if (!stage.ok()) return stage.status();
  auto crowd = Gather(*stage);
  if (!crowd.ok()) return crowd.status();
  const std::uint64_t each = Scaled(200'000, options.scale);
  if (absl::Status status = RunTasks(crowd->clients, each / 10); !status.ok()) return status;

  const auto before = ThreadSeconds(stage->pid());
  const double spent_before = CpuSeconds(stage->pid());
  const Stopwatch watch;
  if (absl::Status status = RunTasks(crowd->clients, each); !status.ok()) return status;
  const double seconds = watch.Seconds();
  const double spent = CpuSeconds(stage->pid()) - spent_before;
  const double busiest = Busiest(before, ThreadSeconds(stage->pid()));

  const auto tasks = static_cast<double>(each * kPools);
  const std::string name = absl::StrCat(kPools, " pools, shards: ", shards);
  figures.Add(kShardsBench, kShardsSubject, name, {"tasks_per_s", tasks / seconds});
  figures.Add(kShardsBench, kShardsSubject, name, {"daemon_us_per_task", 1e6 * spent / tasks});
  figures.Add(kShardsBench, kShardsSubject, name, {"busiest_thread_us_per_task", 1e6 * busiest / tasks});
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureShards(const BenchOptions& options, Figures& figures) {
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (const int shards : {1, 2, 4}) {
      if (absl::Status status = MeasureWith(shards, options, figures); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace poold::bench
