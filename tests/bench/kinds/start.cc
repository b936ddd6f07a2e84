// How long it takes until something works: a clone, a pool, the daemon; and what many clones cost.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "compare.h"
#include "drivers/python_pool.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"
#include "stopwatch.h"

namespace poold::bench {
namespace {

constexpr char kStartBench[] = "start";
constexpr char kStartSubject[] = "poold-unix";
constexpr char kFirst[] = "first result of a new pool";

// From 200 MB of prepared state, unless it is a quick look.
struct Clones {
  std::uint32_t megabytes = 200;
  std::uint32_t count = 64;
};

// Until its socket takes a connection.
absl::Status StartDaemon(Figures& figures) {
  const Stopwatch watch;
  const auto daemon = PrivateDaemon::Start();
  if (!daemon.ok()) return daemon.status();
  figures.Add(kStartBench, kStartSubject, "the daemon", {"startup_ms", watch.Seconds() * 1e3});
  return absl::OkStatus();
}

absl::Status FirstResult(const BenchOptions& options, const Stage& stage, Figures& figures) {
  const Stopwatch watch;
  auto pool = stage.OpenPool({.workers = options.workers});
  if (!pool.ok()) return pool.status();
  if (absl::Status status = (*pool)->Apply<void>("noop"); !status.ok()) return status;
  figures.Add(kStartBench, kStartSubject, kFirst, {"first_result_ms", watch.Seconds() * 1e3});
  return absl::OkStatus();
}

// Many at once, so that how often one looks does not matter.
absl::Status CloneMany(const Clones& clones, const Stage& stage, Figures& figures) {
  auto pool = stage.OpenPool({.name = "bench-clones",
                              .workers = 1,
                              .preload = {"preload_memory"},
                              .environment = {{"TESTING_PRELOAD_MB", absl::StrCat(clones.megabytes)}}});
  if (!pool.ok()) return pool.status();
  const std::string name = absl::StrCat(clones.count, " clones");
  const auto bare = (*pool)->Apply<double>("bare_forks", clones.count);
  if (!bare.ok()) return bare.status();
  figures.Add(kStartBench, "bare-forks", name, {"ms_per_clone", *bare / 1e3});
  const Stopwatch watch;
  if (auto resized = (*pool)->Resize(clones.count); !resized.ok()) return resized.status();
  if (absl::Status status = AwaitWorkers(**pool, clones.count); !status.ok()) return status;
  figures.Add(kStartBench, kStartSubject, name, {"ms_per_clone", watch.Seconds() * 1e3 / (clones.count - 1)});
  std::uint64_t bytes = 0;
  for (const pid_t pid : Descendants(stage.pid())) bytes += PssBytes(pid);
  const double state = static_cast<double>(clones.megabytes) * (1 << 20);
  figures.Add(kStartBench, kStartSubject, name, {"memory_per_state", static_cast<double>(bytes) / state});
  return absl::OkStatus();
}

absl::Status Round(const BenchOptions& options, const Clones& clones, Figures& figures) {
  if (absl::Status status = StartDaemon(figures); !status.ok()) return status;
  // Without a pool of its own, whose workers would count.
  const auto stage = Stage::Set({"--set", "pools = {}"});
  if (!stage.ok()) return stage.status();
  if (absl::Status status = FirstResult(options, *stage, figures); !status.ok()) return status;
  return CloneMany(clones, *stage, figures);
}

absl::Status Peers(const BenchOptions& options, Figures& figures) {
  for (const char* kind : {"pool", "executor"}) {
    PythonPool python(kind, options.workers);
    if (!PythonPool::Installed() || !Wanted(options, python.subject())) continue;
    if (absl::Status status = python.Start(); !status.ok()) return status;
    for (std::uint32_t round = 0; round < options.rounds; ++round) {
      const auto samples = python.MeasureFirst();
      if (!samples.ok()) return samples.status();
      for (const Sample& sample : *samples) figures.Add(kStartBench, python.subject(), kFirst, sample);
    }
    python.Stop();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureStart(const BenchOptions& options, Figures& figures) {
  const Clones clones = options.scale < 0.1 ? Clones{.megabytes = 10, .count = 8} : Clones{};
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    if (absl::Status status = Round(options, clones, figures); !status.ok()) return status;
  }
  return Peers(options, figures);
}

}  // namespace poold::bench
