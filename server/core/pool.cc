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
void Pool::NoteRun(std::uint32_t function, Nanos elapsed, std::uint64_t came, std::uint64_t result_bytes) {
  if (came == 0) return;
  functions[function].calls += came;
  double& bytes = functions[function].result_bytes;
  const double each = static_cast<double>(result_bytes) / static_cast<double>(came);
  bytes = each > bytes ? each : bytes + 0.125 * (each - bytes);
  double& average = functions[function].average;
  const double sample = std::max(1.0, static_cast<double>(elapsed) / static_cast<double>(came));
  const double weight = sample < average || came >= 64 ? 0.5 : 0.125;
  average = average == 0 ? sample : average + weight * (sample - average);
}

bool Pool::FreshIsNext() const {
  if (ready_fresh.empty()) return false;
  if (ready.empty()) return true;
  const int priority = ready_fresh.NextPriority();
  return priority > ready.NextPriority() || (priority == ready.NextPriority() && fresh_turn);
}

WorkerCounts Pool::CountsOf(const Worker& worker) const {
  WorkerCounts its;
  its.all_ready = worker.ready();
  its.stale = worker.origin < stale_below;
  if (!worker.live()) return its;
  its.live = 1;
  its.ready = worker.ready();
  its.staying = !Leaving(worker);
  its.used = worker.dispatches > 0;
  return its;
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
                                 [](const Worker* one, WorkerId its) { return one->id < its; }));
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
