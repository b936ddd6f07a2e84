#include "core/read/explain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/read/view_of.h"
#include "core/task/handle_list.h"

namespace poold::core {
namespace {

// Of a longer line the place is told by the order of submission.
constexpr std::size_t kMostWalked = 4096;

std::string TimeText(Nanos span) {
  if (span < 100 * kMillisecond) return absl::StrCat(std::max<Nanos>(1, span / kMillisecond), " ms");
  const Nanos tenths = (span + 50 * kMillisecond) / (100 * kMillisecond);
  return absl::StrCat(tenths / 10, ".", tenths % 10, " s");
}

std::string Count(std::uint64_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

std::uint64_t ThingsIn(const Node* node) {
  return node->kind == NodeKind::kMap ? static_cast<const MapRun*>(node)->items.ready() : 1;
}

// Things before `node` in its own client's line. Exact near both ends.
std::uint64_t PlaceInLine(const NodeList& line, const Handle& handle) {
  std::uint64_t before = 0;
  const Node* node = line.front();
  for (std::size_t i = 0; i < kMostWalked && node != nullptr; ++i, node = line.After(node)) {
    if (node == &handle) return before;
    before += ThingsIn(node);
  }
  std::uint64_t behind = 0;
  for (node = &handle; behind < kMostWalked && node != nullptr; node = line.After(node)) ++behind;
  if (node == nullptr) return line.size() - behind;
  const std::uint64_t first = HandleList::PlaceOf(*static_cast<const Handle*>(line.front()));
  const std::uint64_t last = HandleList::PlaceOf(*static_cast<const Handle*>(line.back()));
  const std::uint64_t own = std::clamp(HandleList::PlaceOf(handle), first, std::max(first, last));
  if (last <= first) return before;
  return static_cast<std::uint64_t>(static_cast<double>(own - first) / static_cast<double>(last - first) *
                                    static_cast<double>(line.size()));
}

std::string WhySentAhead(const Worker& worker, const Node* node) {
  std::uint64_t behind = 0;
  for (const Node* other = worker.sent.front(); other != nullptr && other != node; other = worker.sent.After(other)) {
    ++behind;
  }
  return absl::StrCat("it was sent ahead to worker ", static_cast<std::uint64_t>(worker.id), ", behind ",
                      Count(behind, "other", "others"));
}

}  // namespace

// What runs before it as things stand: higher priorities, its own client's line, and, since clients take turns, as many
// of every other client as come before it in its own line.
std::uint64_t Explainer::CountAhead(const Handle& handle) const {
  if (!handle.linked()) return 0;
  const Pool& pool = *handle.group->pool;
  const ClientQueue& own = *handle.group->queue;
  const CircuitBreaker* breaker = CircuitBreakers::Of(handle);
  const bool held = CircuitBreakers::IsHeld(handle);
  const NodeList& line =
      held ? breaker->lines.at({-own.level->priority, own.client, handle.group->ready != &pool.ready}).waiting
           : own.waiting;
  const std::uint64_t place = PlaceInLine(line, handle);
  if (held) return place;
  std::uint64_t ahead = place;
  handle.group->ready->ForEachLine(own.level->priority, [&](const ClientQueue& other) {
    if (&other == &own) return;
    const bool higher = other.level->priority > own.level->priority;
    ahead += higher ? other.waiting.size() : std::min<std::uint64_t>(other.waiting.size(), place + 1);
  });
  for (std::size_t i = 0; i < std::min(kMostWalked, pool.maps.size()); ++i) {
    const MapRun& map = *pool.maps[i];
    const ClientQueue& other = *map.group->queue;
    if (!map.linked() || CircuitBreakers::IsHeld(map) || &other == &own || map.items.ready() == 0) continue;
    // Counted as one above.
    if (other.level->priority > own.level->priority) ahead += map.items.ready() - 1;
    if (other.level == own.level && other.waiting.front() == &map) {
      const auto a_turn = static_cast<double>(scheduler_.ChunkSize(pool, map));
      const double turns = a_turn * static_cast<double>(place + 1);
      ahead += turns < static_cast<double>(map.items.ready()) ? static_cast<std::uint64_t>(turns) - 1
                                                              : map.items.ready() - 1;
    }
  }
  return ahead;
}

std::string Explainer::WhyPoolIsSlow(const Pool& pool) const {
  std::uint64_t ready = 0;
  std::uint64_t starting = 0;
  for (const Worker* worker : pool.workers) (worker->ready() ? ready : starting) += 1;
  if (!pool.dispatches()) return absl::StrCat("pool '", pool.spec.name, "' is ending");
  if (pool.functions_known && ready > 0) return "";
  std::string why = pool.functions_known ? absl::StrCat("no worker of pool '", pool.spec.name, "' is ready; ", starting,
                                                        " of ", pool.spec.workers, " are starting")
                                         : absl::StrCat("pool '", pool.spec.name, "' is starting");
  return absl::StrCat(why, WhyStartsFail(pool));
}

std::string Explainer::WhyStartsFail(const Pool& pool) const {
  const Generation& generation = *pool.present;
  std::string why;
  if (!generation.tries.failure().empty()) why = absl::StrCat("; the last start failed: ", StartFailureOf(pool));
  const Nanos next_try = generation.tries.next_try();
  if (next_try != kNever)
    absl::StrAppend(&why, "; it is tried again in ", TimeText(std::max<Nanos>(0, next_try - now_)));
  return why;
}

std::string Explainer::WhyBreakerHolds(const Handle& handle) const {
  const CircuitBreaker* breaker = CircuitBreakers::Of(handle);
  if (breaker == nullptr) return "";
  const PoolFunction& function = handle.group->pool->functions[handle.group->function];
  const std::string deaths = absl::StrCat(function.deaths, " workers in a row died under it");
  if (now_ < breaker->until) {
    return absl::StrCat("the circuit breaker of its function '", function.name, "' is open for ",
                        TimeText(breaker->until - now_), ": ", deaths);
  }
  return absl::StrCat("the circuit breaker of its function '", function.name,
                      "' is open, and one call is the probe: ", deaths);
}

std::string Explainer::WhyQueued(const Handle& handle, std::uint64_t* ahead) const {
  const Pool& pool = *handle.group->pool;
  std::string why = WhyPoolIsSlow(pool);
  if (why.empty() && !scheduler_.HasRoom(handle)) {
    why = absl::StrCat("its client has no room for outcomes: it keeps ", handle.group->queue->quota->used, " bytes; ",
                       room_.floor(), " are its own, and of the common part ", room_.common_used(), " of ",
                       room_.common(), " bytes are in use; release outcomes that are no longer needed");
  }
  *ahead = CountAhead(handle);
  if (why.empty()) why = WhyBreakerHolds(handle);
  if (why.empty()) {
    why = pool.busy < 2 ? "its worker is busy" : absl::StrCat("all ", pool.busy, " workers that are ready are busy");
    if (*ahead == 0) {
      why += "; it comes next";
    } else {
      absl::StrAppend(&why, " and ", Count(*ahead, "task comes", "tasks come"), " before it");
    }
    if (const std::uint64_t waiting = WaitingWorkers(pool, waits_, find_worker_); waiting > 0) {
      absl::StrAppend(&why, "; ", Count(waiting, "of them waits", "of them wait"), " for other tasks");
    }
    why += WhyStartsFail(pool);
  }
  if (pool.state == PoolState::kClosing) why += " (the pool is closing: it finishes what it has)";
  return why;
}

std::string Explainer::WhyWaits(const Task& task, std::uint64_t* ahead) const {
  if (task.ended()) return "";
  if (task.worker != nullptr) {
    return task.worker->sent.front() == &task ? "" : WhySentAhead(*task.worker, &task);
  }
  if (task.life == TaskLife::kDelayed) {
    const std::string left = TimeText(std::max<Nanos>(0, task.not_before - now_));
    if (task.attempt == 0) return absl::StrCat("its start time comes in ", left);
    return absl::StrCat("it is tried again in ", left, ", after attempt ", task.attempt);
  }
  return WhyQueued(task, ahead);
}

std::string Explainer::WhyWaits(const MapRun& map, std::uint64_t* ahead) const {
  if (map.ended()) return "";
  const Chunk* sent_ahead = nullptr;
  for (const Chunk* chunk : map.chunks) {
    if (chunk->worker->sent.front() == chunk) return "";
    sent_ahead = chunk;
  }
  if (sent_ahead != nullptr) return WhySentAhead(*sent_ahead->worker, sent_ahead);
  if (map.not_before > now_ && map.items.done() == 0) {
    return absl::StrCat("its start time comes in ", TimeText(map.not_before - now_));
  }
  if (map.items.ready() > 0) return WhyQueued(map, ahead);
  if (map.items.waiting() > 0) {
    return absl::StrCat(Count(map.items.waiting(), "item waits", "items wait"), " to be tried again");
  }
  return "all items that have come are done; it waits for more, or for its completion";
}

std::string Explainer::WhyWaits(const Handle& handle, std::uint64_t* ahead) const {
  return handle.is_map() ? WhyWaits(AsMap(handle), ahead) : WhyWaits(AsTask(handle), ahead);
}

}  // namespace poold::core
