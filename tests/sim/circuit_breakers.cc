// Functions that kill their workers: one call at a time tries, and somebody does.
#include "world.h"

namespace poold::core::sim {

void World::CheckBreakers() {
  peer_.ForEachPool([this](const Pool& pool) {
    std::uint32_t open = 0;
    for (std::uint32_t number = 0; number < pool.functions.size(); ++number) {
      const CircuitBreaker* breaker = pool.functions[number].breaker.get();
      const bool is_open = breaker != nullptr && breaker->open;
      open += is_open;
      if (!is_open) {
        begun_before_trip_.erase({pool.id, number});
        if (breaker != nullptr && !breaker->lines.empty()) ledger_.Wrong("somebody waits at a breaker that is closed");
      } else {
        CheckBreaker(pool, number, *breaker);
      }
    }
    if (open != pool.breakers_open) ledger_.Wrong("the open breakers of pool " + pool.spec.name + " are miscounted");
  });
}

void World::CheckBreaker(const Pool& pool, std::uint32_t number, const CircuitBreaker& breaker) {
  std::set<std::uint64_t> sent;
  bool idle = false;
  for (const Worker* worker : pool.workers) {
    idle |= worker->idle();
    for (Node* node = worker->sent.front(); node != nullptr; node = worker->sent.After(node)) {
      const bool is_task = node->kind == NodeKind::kTask;
      const Handle& handle = is_task ? *static_cast<Handle*>(AsTask(node)) : *AsChunk(node)->map;
      if (handle.group->function != number) continue;
      sent.insert(is_task ? AsTask(node)->token : AsChunk(node)->token);
      if (!is_task && AsChunk(node)->token == breaker.probe && AsChunk(node)->count > 1) {
        ledger_.Wrong("more than one item tries at an open breaker");
      }
    }
  }
  BegunBeforeTrip& before = begun_before_trip_[{pool.id, number}];
  // It may have closed and tripped again since it was looked at.
  if (before.epoch != breaker.epoch) before = {breaker.epoch, sent};
  std::uint64_t trying = 0;
  for (const std::uint64_t token : sent) trying += !before.tokens.contains(token);
  if (trying > 1) ledger_.Wrong("more than one tries at an open breaker");
  // The one whose turn it is may wait for a fresh worker.
  const auto* called = static_cast<const Handle*>(breaker.called);
  if (called != nullptr && called->group->ready == &pool.ready_fresh) idle &= pool.UnusedIdle() != nullptr;
  const bool due = now_ >= breaker.until && core_.NextTimer() > now_;
  const bool could = pool.dispatches() && pool.functions_known && pool.has_slot() && idle;
  const bool waits = std::any_of(breaker.lines.begin(), breaker.lines.end(), [&](const auto& line) {
    return peer_.HasRoom(*static_cast<const Handle*>(line.second.waiting.front()));
  });
  if (due && could && breaker.probe == 0 && waits) ledger_.Wrong("nobody tries at a breaker, and could");
}

}  // namespace poold::core::sim
