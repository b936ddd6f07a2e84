#include "core/scheduler/ahead.h"

#include "core/pool.h"
#include "core/task.h"

namespace poold::core {

bool TakesMore(const Worker& worker, std::uint32_t max_prefetch) {
  return !worker.sent.empty() && worker.takes_work() && worker.uses_page && worker.unmeasured == 0 &&
         Refills(worker, max_prefetch) && worker.sent.size() < max_prefetch;
}

bool HoldsAhead(const Worker& worker) {
  if (!worker.uses_page || worker.killed_by != KilledBy::kUnspecified) return false;
  return worker.sent.size() > 1 || (!worker.sent.empty() && worker.sent.front()->kind == NodeKind::kChunk);
}

bool HoldsWaiting(const Worker& worker) {
  if (!HoldsAhead(worker)) return false;
  if (worker.sent.size() > 1) return true;
  const Chunk& chunk = *static_cast<const Chunk*>(worker.sent.front());
  return chunk.count - chunk.done > 1 && !worker.pool->RunsAlone(*chunk.map);
}

Nanos WorkToTakeAt(const Worker& worker) {
  const Node* head = worker.sent.front();
  if (head == nullptr || !worker.uses_page || worker.killed_by != KilledBy::kUnspecified) return kNever;
  const Chunk* chunk = head->kind == NodeKind::kChunk ? static_cast<const Chunk*>(head) : nullptr;
  if (chunk != nullptr && worker.pool->RunsAlone(*chunk->map)) return kNever;  // the other half wants another process
  if (worker.sent.size() == 1 && (chunk == nullptr || chunk->count - chunk->done < 2)) return kNever;
  const Nanos present = chunk != nullptr ? chunk->estimate : static_cast<const Task*>(head)->estimate;
  const bool at_once = worker.unmeasured > 0 || worker.load - present >= kWorthStealing;
  return at_once ? worker.progress_at : worker.progress_at + kPatience;
}

}  // namespace poold::core
