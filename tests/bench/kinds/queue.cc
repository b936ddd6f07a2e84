// What a task costs while it waits, and whether that depends on how many others wait.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ranges>

#include "absl/strings/str_cat.h"
#include "drivers/poold_rounds.h"
#include "kinds/kinds.h"
#include "kinds/stage.h"
#include "process_cost.h"
#include "squares.h"
#include "stopwatch.h"

namespace poold::bench {
namespace {

constexpr char kQueueBench[] = "queue";
constexpr char kQueueSubject[] = "poold-unix";
constexpr std::uint64_t kShortest = 1000;
// More would take long and say no more.
constexpr std::uint32_t kMostRounds = 3;
// As MessagePack: no arguments; an array with one number below 10 000, mostly.
constexpr double kNoArgumentsBytes = 1;
constexpr double kNumberBytes = 4;

class QueueRound {
 public:
  QueueRound(const BenchOptions& options, std::uint64_t length, Figures& figures)
      : options_(options), length_(length), figures_(figures) {}

  // Memory and end of tasks that wait.
  absl::Status Tasks() {
    auto stage = Stage::Set();
    if (!stage.ok()) return stage.status();
    auto pool = Blocked(*stage);
    if (!pool.ok()) return pool.status();
    const std::uint64_t before = RssBytes(stage->pid());
    std::vector<client::TaskHandle<void>> handles;
    handles.reserve(length_);
    for (std::uint64_t i = 0; i < length_; ++i) handles.push_back((*pool)->Submit<void>("noop"));
    if (absl::Status flushed = stage->client->Flush(); !flushed.ok()) return flushed;
    AddBytes("tasks", "bytes_per_task", before, RssBytes(stage->pid()), kNoArgumentsBytes);
    // By a client that has none of the handles: those who have them are told later.
    auto other = client::Client::Connect({.address = stage->daemon->address(), .client_name = "poold-bench"});
    if (!other.ok()) return other.status();
    const auto theirs = other->GetPool((*pool)->name());
    if (!theirs.ok()) return theirs.status();
    const Stopwatch watch;
    const auto ended = theirs->Terminate();
    if (!ended.ok()) return ended.status();
    Add("tasks", {"terminate_s", watch.Seconds()});
    const auto is_cancelled = [](const auto& handle) { return handle.Wait() && handle.cancelled(); };
    const bool all = std::all_of(handles.begin(), handles.end(), is_cancelled);
    return all ? absl::OkStatus() : absl::InternalError("not all of a terminated pool's tasks are CANCELLED");
  }

  // The same of the items of one map.
  absl::Status Items() {
    auto stage = Stage::Set();
    if (!stage.ok()) return stage.status();
    auto pool = Blocked(*stage);
    if (!pool.ok()) return pool.status();
    const std::uint64_t before = RssBytes(stage->pid());
    const auto numbers = std::views::iota(std::uint64_t{0}, length_) | std::views::transform(NumberAt);
    const auto map = (*pool)->Map<std::uint64_t>("identity", numbers);
    if (absl::Status flushed = stage->client->Flush(); !flushed.ok()) return flushed;
    AddBytes("items", "bytes_per_item", before, RssBytes(stage->pid()), kNumberBytes);
    const Stopwatch watch;
    const auto cancelled = map.Cancel();
    if (!cancelled.ok()) return cancelled.status();
    Add("items", {"cancel_s", watch.Seconds()});
    return absl::OkStatus();
  }

  // A queue that is filled and emptied.
  absl::Status Flow() {
    auto stage = Stage::Set();
    if (!stage.ok()) return stage.status();
    auto pool = stage->OpenPool({.workers = options_.workers});
    if (!pool.ok()) return pool.status();
    const Job job{.bench = kQueueBench, .name = "", .shape = Shape::kBurst, .count = length_};
    const std::uint64_t times = std::max<std::uint64_t>(1, 100 * kShortest / length_);
    if (auto warm = RunBurst(**pool, job); !warm.ok()) return warm.status();
    const double before = CpuOfAll(*stage);
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < times; ++i) {
      if (auto run = RunBurst(**pool, job); !run.ok()) return run.status();
    }
    const auto tasks = static_cast<double>(times * length_);
    Add("tasks", {"us_per_task", watch.Seconds() * 1e6 / tasks});
    Add("tasks", {"cpu_us_per_task", (CpuOfAll(*stage) - before) * 1e6 / tasks});
    return absl::OkStatus();
  }

 private:
  // Seconds of client, daemon, zygotes and workers.
  static double CpuOfAll(const Stage& stage) {
    double seconds = CpuSeconds(getpid()) + CpuSeconds(stage.pid());
    for (const pid_t worker : Descendants(stage.pid())) seconds += CpuSeconds(worker);
    return seconds;
  }
  // Its tables have grown once already.
  absl::StatusOr<client::PoolScope> Blocked(const Stage& stage) const {
    auto pool = stage.OpenPool({.workers = options_.workers});
    if (!pool.ok()) return pool.status();
    const auto blockers = Block(**pool, options_.workers);
    if (!blockers.ok()) return blockers.status();
    for (const auto& blocker : *blockers) blocker.Keep();
    return pool;
  }
  void Add(const char* what, const Sample& sample) {
    figures_.Add(kQueueBench, kQueueSubject, absl::StrCat("1e", std::llround(std::log10(length_)), " ", what), sample);
  }
  void AddBytes(const char* what, const char* metric, std::uint64_t before, std::uint64_t after, double payload) {
    const double grown = static_cast<double>(after) - static_cast<double>(before);
    Add(what, {metric, grown / static_cast<double>(length_) - payload});
  }

  const BenchOptions& options_;
  const std::uint64_t length_;
  Figures& figures_;
};

}  // namespace

absl::Status MeasureQueue(const BenchOptions& options, Figures& figures) {
  const auto longest = static_cast<std::uint64_t>(static_cast<double>(options.queue_max) * options.scale);
  for (std::uint32_t round = 0; round < std::min(options.rounds, kMostRounds); ++round) {
    for (std::uint64_t length = kShortest; length <= std::max(kShortest, longest); length *= 10) {
      QueueRound run(options, length, figures);
      for (const auto part : {&QueueRound::Tasks, &QueueRound::Items, &QueueRound::Flow}) {
        if (absl::Status status = (run.*part)(); !status.ok()) return status;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace poold::bench
