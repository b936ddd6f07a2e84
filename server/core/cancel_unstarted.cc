// Cancelling all that a pool has not begun, as Executor.shutdown(cancel_futures=True) does.
#include "core/state.h"

namespace poold::core {

// Returns how many handles ended by it. Of a map whose items are being run, the rest is cancelled; it ends with them.
std::uint64_t Core::State::CancelUnbegun(Pool& pool) {
  for (Worker* worker : pool.workers) {
    for (Node* node = worker->sent.back(); node != nullptr;) {
      Node* before = worker->sent.Before(node);
      if (node->kind == NodeKind::kTask) scheduler.TakeBackTask(*AsTask(node));
      node = before;
    }
  }
  std::uint64_t cancelled = CancelUnbegunMaps(pool);
  const auto end = [&](Task& task) {
    scheduler.Unqueue(task);
    EndTask(task, CancelledOutcome(task, "its pool was closed"));
    ++cancelled;
  };
  for (ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    while (Node* node = ready->Any()) end(*AsTask(node));
  }
  while (Node* node = pool.delayed.front()) end(*AsTask(node));
  for (const PoolFunction& function : pool.functions) {
    while (function.breaker != nullptr && !function.breaker->lines.empty()) {
      end(*AsTask(function.breaker->lines.begin()->second.waiting.front()));
    }
  }
  return cancelled;
}

std::uint64_t Core::State::CancelUnbegunMaps(Pool& pool) {
  std::uint64_t cancelled = 0;
  const std::vector<MapRun*> maps = pool.maps;
  for (MapRun* map : maps) {
    const std::uint64_t before = pool.unfinished;
    CutMap(*map);
    CheckMapDone(*map);
    cancelled += before - pool.unfinished;
  }
  return cancelled;
}

}  // namespace poold::core
