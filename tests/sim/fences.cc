// Functions that kill their workers: one call at a time tries, and somebody does.
#include "world.h"

namespace poold::core::sim {

void World::CheckFences() {
  peer_.ForEachPool([this](const Pool& pool) {
    std::uint32_t standing = 0;
    for (std::uint32_t number = 0; number < pool.functions.size(); ++number) {
      const Fence* fence = pool.functions[number].fence.get();
      const bool stands = fence != nullptr && fence->stands;
      standing += stands;
      if (!stands) {
        begun_before_fence_.erase({pool.id, number});
        if (fence != nullptr && !fence->lines.empty()) ledger_.Wrong("somebody waits at a fence that does not stand");
      } else {
        CheckFence(pool, number, *fence);
      }
    }
    if (standing != pool.fences) ledger_.Wrong("the fences of pool " + pool.spec.name + " are miscounted");
  });
}

void World::CheckFence(const Pool& pool, std::uint32_t number, const Fence& fence) {
  std::set<std::uint64_t> sent;
  bool idle = false;
  for (const Worker* worker : pool.workers) {
    idle |= worker->idle();
    for (Node* node = worker->sent.front(); node != nullptr; node = worker->sent.After(node)) {
      const bool is_task = node->kind == NodeKind::kTask;
      const Handle& handle = is_task ? *static_cast<Handle*>(AsTask(node)) : *AsChunk(node)->map;
      if (handle.group->function != number) continue;
      sent.insert(is_task ? AsTask(node)->token : AsChunk(node)->token);
      if (!is_task && AsChunk(node)->token == fence.trial && AsChunk(node)->count > 1) {
        ledger_.Wrong("more than one item tries at a fence");
      }
    }
  }
  const auto [before, first_seen] = begun_before_fence_.try_emplace({pool.id, number}, sent);
  std::uint64_t trying = 0;
  for (const std::uint64_t token : sent) trying += !before->second.contains(token);
  if (trying > 1) ledger_.Wrong("more than one tries at a fence");
  // The one whose turn it is may wait for a fresh worker.
  const auto* called = static_cast<const Handle*>(fence.called);
  if (called != nullptr && called->group->ready == &pool.ready_fresh) idle &= pool.UnusedIdle() != nullptr;
  const bool due = now_ >= fence.until && core_.NextTimer() > now_;
  const bool could = pool.dispatches() && pool.functions_known && pool.has_slot() && idle;
  const bool waits = std::any_of(fence.lines.begin(), fence.lines.end(), [&](const auto& line) {
    return peer_.HasRoom(*static_cast<const Handle*>(line.second.waiting.front()));
  });
  if (due && could && fence.trial == 0 && waits) ledger_.Wrong("nobody tries at a fence, and could");
}

}  // namespace poold::core::sim
