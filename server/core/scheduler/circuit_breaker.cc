// Functions that keep killing workers wait, and everything else goes on: see circuit_breaker.h.
#include "core/scheduler/circuit_breaker.h"

#include <algorithm>

#include "core/state.h"

namespace poold::core {
namespace {

CircuitBreaker::LineKey KeyOf(const Group& group) {
  return {-group.queue->level->priority, group.queue->client, group.ready != &group.pool->ready};
}

// What we or others did says nothing of the function.
bool Counts(KilledBy killed_by) {
  return killed_by == KilledBy::kItself || killed_by == KilledBy::kMemoryLimit || killed_by == KilledBy::kKernel;
}

}  // namespace

CircuitBreaker* Core::State::BreakerOf(const Handle& handle) const {
  CircuitBreaker* breaker = handle.group->pool->functions[handle.group->function].breaker.get();
  return breaker != nullptr && breaker->open ? breaker : nullptr;
}

bool Core::State::IsHeld(const Handle& handle) const {
  const CircuitBreaker* breaker = BreakerOf(handle);
  return breaker != nullptr && handle.held == breaker->epoch;
}

bool Core::State::IsProbe(const Handle& handle, std::uint64_t token) const {
  const CircuitBreaker* breaker = BreakerOf(handle);
  return breaker != nullptr && breaker->probe == token;
}

// The next one that may be sent. What may not goes to its breaker, and clients that have no room are held up. Null:
// there is none.
Handle* Core::State::NextToSend(ReadyQueue& ready) {
  while (Node* node = ready.Next()) {
    Handle& next = *static_cast<Handle*>(node);
    if (!HasRoom(next)) {
      HoldUp(next);
      if (probes_uncalled) CallForProbes(*next.group->pool);
      continue;
    }
    const CircuitBreaker* breaker = next.group->pool->breakers_open == 0 ? nullptr : BreakerOf(next);
    if (breaker == nullptr || (breaker->probe == 0 && now >= breaker->until)) return &next;
    Hold(next);
  }
  return nullptr;
}

void Core::State::Hold(Handle& handle) {
  CircuitBreaker& breaker = *BreakerOf(handle);
  handle.group->ready->Remove(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  if (breaker.called == &handle) breaker.called = nullptr;
  CircuitBreaker::Line& line = breaker.lines[KeyOf(*handle.group)];
  line.ready = handle.group->ready;
  line.queue = handle.group->queue;
  line.waiting.PushBack(&handle);
  handle.held = breaker.epoch;
}

// REQUIRES: it waits at its breaker, or in its line.
void Core::State::LeaveLine(Handle& handle) {
  CircuitBreaker* breaker = handle.group->pool->breakers_open == 0 ? nullptr : BreakerOf(handle);
  if (breaker == nullptr || handle.held != breaker->epoch) {
    if (breaker != nullptr && breaker->called == &handle) breaker->called = nullptr;
    return handle.group->ready->Remove(handle.group->queue, &handle);
  }
  handle.held = 0;
  const auto line = breaker->lines.find(KeyOf(*handle.group));
  line->second.waiting.Remove(&handle);
  if (line->second.waiting.empty()) breaker->lines.erase(line);
}

// The next line of those with the highest priority whose client has room. The others are held up.
std::map<CircuitBreaker::LineKey, CircuitBreaker::Line>::iterator Core::State::LineToCall(CircuitBreaker& breaker) {
  auto first = breaker.lines.end();
  for (auto line = breaker.lines.begin(); line != breaker.lines.end(); ++line) {
    if (first != breaker.lines.end() && std::get<0>(line->first) != std::get<0>(first->first)) break;
    const Handle& handle = *static_cast<const Handle*>(line->second.waiting.front());
    if (!HasRoom(handle)) {
      HoldUp(handle);
      continue;
    }
    if (breaker.last_called < line->first) return line;
    if (first == breaker.lines.end()) first = line;
  }
  return first;
}

// One of those that wait at each open breaker may go back to its line, if it is time and nobody tries: the most urgent
// one, in turns between clients.
void Core::State::CallForProbes(Pool& pool) {
  do {
    probes_uncalled = false;
    for (PoolFunction& function : pool.functions) CallForProbe(function);
  } while (probes_uncalled);
}

void Core::State::CallForProbe(PoolFunction& function) {
  CircuitBreaker* breaker = function.breaker.get();
  if (breaker == nullptr || !breaker->open || now < breaker->until || breaker->probe != 0 || breaker->called != nullptr)
    return;
  const auto line = LineToCall(*breaker);
  if (line == breaker->lines.end()) return;
  breaker->last_called = line->first;
  Handle& handle = *static_cast<Handle*>(line->second.waiting.front());
  LeaveLine(handle);
  handle.group->ready->PushFront(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  breaker->called = &handle;
}

void Core::State::NoteProbe(const Handle& handle, std::uint64_t token) {
  if (CircuitBreaker* breaker = BreakerOf(handle)) breaker->probe = token;
}

void Core::State::ProbeLeft(const Handle& handle, std::uint64_t token) {
  CircuitBreaker* breaker = BreakerOf(handle);
  if (breaker != nullptr && breaker->probe == token) breaker->probe = 0;
}

void Core::State::CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls,
                                std::uint64_t result_bytes) {
  pool.NoteRun(function, elapsed, calls, result_bytes);
  pool.functions[function].deaths = 0;
  if (pool.breakers_open > 0) Lower(pool, pool.functions[function]);
}

void Core::State::NoteDeath(Pool& pool, std::uint32_t number, bool probe, KilledBy killed_by) {
  if (!Counts(killed_by) || !pool.dispatches()) return;
  PoolFunction& function = pool.functions[number];
  if (++function.deaths < kDeathsToTrip) return;
  if (function.breaker == nullptr) function.breaker = std::make_unique<CircuitBreaker>();
  CircuitBreaker& breaker = *function.breaker;
  if (breaker.open) {
    if (!probe && (now < breaker.until || breaker.probe != 0)) return;  // it began before
    breaker.span = std::min(2 * breaker.span, kLongestBreakerPause);
  } else {
    breaker.open = true;
    ++pool.breakers_open;
  }
  breaker.until = now + breaker.span;
  ArmBreakers(pool);
}

void Core::State::Lower(Pool& pool, PoolFunction& function) {
  if (function.breaker == nullptr || !function.breaker->open) return;
  CircuitBreaker& breaker = *function.breaker;
  breaker.open = false;
  for (auto& [key, line] : breaker.lines) {
    pool.scaling_due |= line.ready == &pool.ready_fresh;
    line.ready->PushAllFront(line.queue, &line.waiting);
  }
  breaker.lines.clear();
  breaker.span = kFirstBreakerPause;
  breaker.probe = 0;
  breaker.called = nullptr;
  if (++breaker.epoch == 0) breaker.epoch = 1;
  --pool.breakers_open;
  ArmBreakers(pool);
}

void Core::State::CloseBreakers(Pool& pool) {
  for (PoolFunction& function : pool.functions) Lower(pool, function);
}

// What was sent ahead of a function whose breaker has tripped comes back, as far as it was not begun.
void Core::State::TakeBackHeldCalls(Pool& pool) {
  for (Worker* worker : pool.workers) {
    if (!worker->uses_page || worker->killed_by != KilledBy::kUnspecified) continue;
    for (Node* node = worker->sent.back(); node != nullptr;) {
      Node* before = worker->sent.Before(node);
      const CircuitBreaker* breaker = BreakerOf(HandleOf(node));
      if (breaker != nullptr && AttemptToken{breaker->probe} != TokenOf(node)) {
        if (node->kind == NodeKind::kTask) {
          TakeBackTask(*AsTask(node));
        } else {
          TakeBackItems(*AsChunk(node), 0);
        }
      }
      node = before;
    }
  }
}

void Core::State::ArmBreakers(Pool& pool) {
  Nanos when = kNever;
  for (const PoolFunction& function : pool.functions) {
    const CircuitBreaker* breaker = function.breaker.get();
    if (breaker != nullptr && breaker->open && breaker->until > now) when = std::min(when, breaker->until);
  }
  timers.Set(&pool.breaker_timer, when, TimerKind::kPoolBreakers, &pool);
}

void Core::State::BreakersDue(Pool& pool) {
  ArmBreakers(pool);
  Reconcile(pool);
}

}  // namespace poold::core
