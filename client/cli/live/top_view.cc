#include "cli/live/top_view.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

constexpr std::size_t kSlowest = 10;
constexpr std::size_t kNameColumns = 24;

// The columns behind it shall be seen.
std::string ShortName(const std::string& name) {
  const std::string shown = client::internal::OneLine(name);
  if (client::internal::Columns(shown) <= kNameColumns) return shown;
  return std::string(client::internal::FirstColumns(shown, kNameColumns - 2)) + "..";
}

uint64_t Ended(const v1::PoolStats& stats) { return stats.succeeded() + Unsuccessful(stats); }

std::string RateText(double per_second) {
  char text[32];
  std::snprintf(text, sizeof text, per_second < 10 ? "%.1f" : "%.0f", per_second);
  return text;
}

const v1::Pool* Find(const v1::ListPoolsResponse& pools, const std::string& name) {
  for (const v1::Pool& pool : pools.pools()) {
    if (pool.spec().name() == name) return &pool;
  }
  return nullptr;
}

std::string Rate(const TopLook& before, const TopLook& look, const v1::Pool& pool) {
  const v1::Pool* old = Find(before.pools, pool.spec().name());
  if (before.at == 0 || look.at <= before.at || old == nullptr) return "-";
  const uint64_t now = Ended(pool.stats());
  const uint64_t then = Ended(old->stats());
  // A pool that was opened anew counts from 0.
  return RateText(static_cast<double>(now >= then ? now - then : now) / (look.at - before.at));
}

std::string Head(const TopLook& look) {
  uint64_t queued = 0;
  uint64_t running = 0;
  for (const v1::Pool& pool : look.pools.pools()) {
    queued += pool.stats().queued();
    running += pool.stats().running();
  }
  return absl::StrCat(Count(look.pools.pools_size(), "pool"), ", ", queued, " queued, ", running,
                      " running; daemon: ", Count(look.stats.sessions(), "session"), ", ",
                      SizeText(look.stats.rss_bytes()), " of memory, outcomes ",
                      SizeText(look.stats.kept_outcome_bytes()), "\n");
}

std::string Pools(const TopLook& before, const TopLook& look) {
  TextTable table({"POOL", "STATE", "GEN", "WORKERS", "QUEUED", "RUNNING", "PER SECOND", "SUCCEEDED", "OTHER"});
  for (const v1::Pool& pool : look.pools.pools()) {
    const v1::PoolStats& s = pool.stats();
    table.Add({ShortName(pool.spec().name()), StateWord(pool.state()) + (pool.reloading() ? ", reloading" : ""),
               absl::StrCat(pool.generation()), absl::StrCat(pool.workers_size()), absl::StrCat(s.queued()),
               absl::StrCat(s.running()), Rate(before, look, pool), absl::StrCat(s.succeeded()),
               absl::StrCat(Unsuccessful(s))});
  }
  return table.Text();
}

std::string Age(const google::protobuf::Timestamp& since, double now) {
  return since.seconds() == 0 ? "-" : SpanText(std::max(0.0, now - Seconds(since)));
}

std::string Workers(const TopLook& look) {
  TextTable table({"WORKER", "POOL", "PID", "STATE", "GEN", "AGE", "RSS", "TASKS", "FUNCTION"});
  for (const v1::Pool& pool : look.pools.pools()) {
    for (const v1::Worker& worker : pool.workers()) {
      table.Add({absl::StrCat(worker.id()), ShortName(pool.spec().name()),
                 worker.pid() == 0 ? "-" : absl::StrCat(worker.pid()), StateWord(worker.state()),
                 absl::StrCat(worker.generation()), Age(worker.started_at(), look.now),
                 worker.rss_bytes() == 0 ? "-" : SizeText(static_cast<double>(worker.rss_bytes())),
                 absl::StrCat(worker.tasks_done()), worker.function().empty() ? "-" : worker.function()});
    }
  }
  return table.Text();
}

std::string Slowest(const TopLook& look) {
  std::vector<const v1::Task*> tasks;
  for (const v1::TaskEntry& entry : look.tasks.entries()) {
    if (entry.has_task() && entry.task().has_started_at()) tasks.push_back(&entry.task());
  }
  if (tasks.empty()) return "";
  std::sort(tasks.begin(), tasks.end(),
            [](const v1::Task* a, const v1::Task* b) { return Seconds(a->started_at()) < Seconds(b->started_at()); });
  tasks.resize(std::min(tasks.size(), kSlowest));
  TextTable table({"SLOWEST TASK", "POOL", "FUNCTION", "WORKER", "FOR", "PROGRESS"});
  for (const v1::Task* task : tasks) {
    table.Add({HexFromId(task->id()), ShortName(task->pool()), task->function(), absl::StrCat(task->worker_id()),
               Age(task->started_at(), look.now), task->has_progress() ? ProgressWord(task->progress()) : "-"});
  }
  return "\n" + table.Text();
}

}  // namespace

std::string TopText(const TopLook& before, const TopLook& look) {
  return absl::StrCat(Head(look), "\n", Pools(before, look), "\n", Workers(look), Slowest(look));
}

}  // namespace poold::cli
