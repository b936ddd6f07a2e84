#include "core/pool.h"

#include <algorithm>
#include <limits>

#include "wire/absl_text.h"

namespace poold::core {

std::uint32_t Pool::FunctionNumber(std::string_view name) {
  const auto [at, added] = function_numbers.try_emplace(std::string(name), functions.size());
  if (added) functions.push_back({std::string(name)});
  return at->second;
}

std::vector<std::string> Pool::FunctionNames() const {
  std::vector<std::string> names;
  for (const PoolFunction& function : functions) {
    if (function.known) names.push_back(function.name);
  }
  return names;
}

// A first call is often slow (cold caches), so the average falls faster than it rises.
void Pool::NoteRun(std::uint32_t function, Nanos elapsed, std::uint64_t calls, std::uint64_t result_bytes) {
  if (calls == 0) return;
  functions[function].calls += calls;
  double& bytes = functions[function].result_bytes;
  const double each = static_cast<double>(result_bytes) / static_cast<double>(calls);
  bytes = each > bytes ? each : bytes + 0.125 * (each - bytes);
  double& average = functions[function].average;
  const double sample = std::max(1.0, static_cast<double>(elapsed) / static_cast<double>(calls));
  const double weight = sample < average || calls >= 64 ? 0.5 : 0.125;
  average = average == 0 ? sample : average + weight * (sample - average);
}

bool Pool::FreshIsNext() const {
  if (ready_fresh.empty()) return false;
  if (ready.empty()) return true;
  const int priority = ready_fresh.NextPriority();
  return priority > ready.NextPriority() || (priority == ready.NextPriority() && fresh_turn);
}

WorkerCounts Pool::CountsOf(const Worker& worker) const {
  WorkerCounts counts;
  counts.all_ready = worker.ready();
  counts.stale = worker.origin < stale_below;
  if (!worker.live()) return counts;
  counts.live = 1;
  counts.ready = worker.ready();
  counts.staying = !Leaving(worker);
  counts.used = worker.dispatches > 0;
  return counts;
}

void Pool::Recount(Worker& worker) {
  counts -= worker.counted;
  worker.counted = CountsOf(worker);
  counts += worker.counted;
  index.Touch(worker);
}

void Pool::RecountAll() {
  for (Worker* worker : workers) Recount(*worker);
}

void Pool::Remove(Worker& worker) {
  workers.erase(std::lower_bound(workers.begin(), workers.end(), worker.id,
                                 [](const Worker* one, WorkerId id) { return one->id < id; }));
  counts -= worker.counted;
  worker.counted = {};
  index.Remove(worker);
}

void Pool::ListIdle(Worker* worker) {
  if (worker->linked()) return;
  worker->dispatches == 0 ? idle.PushFront(worker) : idle.PushBack(worker);
}

void Pool::UnlistIdle(Worker* worker) {
  if (worker->linked()) idle.Remove(worker);
}

}  // namespace poold::core
