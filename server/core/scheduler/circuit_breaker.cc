#include "core/scheduler/circuit_breaker.h"

#include <algorithm>

#include "core/pool.h"

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

CircuitBreaker* CircuitBreakers::Of(const Handle& handle) {
  CircuitBreaker* breaker = handle.group->pool->functions[handle.group->function].breaker.get();
  return breaker != nullptr && breaker->open ? breaker : nullptr;
}

bool CircuitBreakers::IsHeld(const Handle& handle) {
  const CircuitBreaker* breaker = Of(handle);
  return breaker != nullptr && handle.held == breaker->epoch;
}

bool CircuitBreakers::IsProbe(const Handle& handle, std::uint64_t token) {
  const CircuitBreaker* breaker = Of(handle);
  return breaker != nullptr && breaker->probe == token;
}

void CircuitBreakers::Hold(Handle& handle) {
  CircuitBreaker& breaker = *Of(handle);
  handle.group->ready->Remove(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  if (breaker.called == &handle) breaker.called = nullptr;
  CircuitBreaker::Line& line = breaker.lines[KeyOf(*handle.group)];
  line.ready = handle.group->ready;
  line.queue = handle.group->queue;
  line.waiting.PushBack(&handle);
  handle.held = breaker.epoch;
}

void CircuitBreakers::LeaveLine(Handle& handle) {
  CircuitBreaker* breaker = handle.group->pool->breakers_open == 0 ? nullptr : Of(handle);
  if (breaker == nullptr || handle.held != breaker->epoch) {
    if (breaker != nullptr && breaker->called == &handle) breaker->called = nullptr;
    return handle.group->ready->Remove(handle.group->queue, &handle);
  }
  handle.held = 0;
  const auto line = breaker->lines.find(KeyOf(*handle.group));
  line->second.waiting.Remove(&handle);
  if (line->second.waiting.empty()) breaker->lines.erase(line);
}

// The next line of those with the highest priority whose client has room.
CircuitBreakers::Lines::iterator CircuitBreakers::LineToCall(CircuitBreaker& breaker, HasRoom has_room) {
  auto first = breaker.lines.end();
  for (auto line = breaker.lines.begin(); line != breaker.lines.end(); ++line) {
    if (first != breaker.lines.end() && std::get<0>(line->first) != std::get<0>(first->first)) break;
    if (!has_room(*static_cast<const Handle*>(line->second.waiting.front()))) continue;
    if (breaker.last_called < line->first) return line;
    if (first == breaker.lines.end()) first = line;
  }
  return first;
}

void CircuitBreakers::CallForProbes(Pool& pool, Nanos now, HasRoom has_room) {
  do {
    probes_uncalled_ = false;
    for (PoolFunction& function : pool.functions) CallForProbe(function, now, has_room);
  } while (probes_uncalled_);
}

void CircuitBreakers::CallForProbe(PoolFunction& function, Nanos now, HasRoom has_room) {
  CircuitBreaker* breaker = function.breaker.get();
  if (breaker == nullptr || !breaker->open || now < breaker->until || breaker->probe != 0 || breaker->called != nullptr)
    return;
  const auto line = LineToCall(*breaker, has_room);
  if (line == breaker->lines.end()) return;
  breaker->last_called = line->first;
  Handle& handle = *static_cast<Handle*>(line->second.waiting.front());
  LeaveLine(handle);
  handle.group->ready->PushFront(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  breaker->called = &handle;
}

void CircuitBreakers::LineIsHeldUp(Pool& pool, const ClientQueue* queue) {
  for (PoolFunction& function : pool.functions) {
    CircuitBreaker* breaker = function.breaker.get();
    if (breaker == nullptr || breaker->called == nullptr) continue;
    if (static_cast<const Handle*>(breaker->called)->group->queue != queue) continue;
    breaker->called = nullptr;
    probes_uncalled_ = true;
  }
}

void CircuitBreakers::NoteSent(const Handle& handle, std::uint64_t token) {
  if (CircuitBreaker* breaker = Of(handle)) breaker->probe = token;
}

void CircuitBreakers::NoteLeft(const Handle& handle, std::uint64_t token) {
  CircuitBreaker* breaker = Of(handle);
  if (breaker != nullptr && breaker->probe == token) breaker->probe = 0;
}

void CircuitBreakers::CallsCameBack(Pool& pool, std::uint32_t function, Nanos now) {
  pool.functions[function].deaths = 0;
  if (pool.breakers_open > 0) CloseOne(pool, pool.functions[function], now);
}

void CircuitBreakers::NoteDeath(Pool& pool, std::uint32_t number, bool probe, KilledBy killed_by, Nanos now) {
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
    pool.recalls = true;
    pool.recalled = WorkerId{};
  }
  breaker.until = now + breaker.span;
  Arm(pool, now);
}

void CircuitBreakers::CloseOne(Pool& pool, PoolFunction& function, Nanos now) {
  if (function.breaker == nullptr || !function.breaker->open) return;
  CircuitBreaker& breaker = *function.breaker;
  breaker.open = false;
  for (auto& [key, line] : breaker.lines) {
    if (line.ready == &pool.ready_fresh) pool.scaling.Ask();
    line.ready->PushAllFront(line.queue, &line.waiting);
  }
  breaker.lines.clear();
  breaker.span = kFirstBreakerPause;
  breaker.probe = 0;
  breaker.called = nullptr;
  if (++breaker.epoch == 0) breaker.epoch = 1;
  --pool.breakers_open;
  Arm(pool, now);
}

void CircuitBreakers::Close(Pool& pool, Nanos now) {
  for (PoolFunction& function : pool.functions) CloseOne(pool, function, now);
}

void CircuitBreakers::ForgetDeaths(Pool& pool, Nanos now) {
  Close(pool, now);
  for (PoolFunction& function : pool.functions) function.deaths = 0;
}

void CircuitBreakers::Arm(Pool& pool, Nanos now) {
  Nanos when = kNever;
  for (const PoolFunction& function : pool.functions) {
    const CircuitBreaker* breaker = function.breaker.get();
    if (breaker != nullptr && breaker->open && breaker->until > now) when = std::min(when, breaker->until);
  }
  timers_->Set(&pool.breaker_timer, when, TimerKind::kPoolBreakers, &pool);
}

std::string CircuitBreakers::Check(const Pool& pool) {
  std::uint32_t open = 0;
  for (const PoolFunction& function : pool.functions) {
    if (function.breaker == nullptr) continue;
    const CircuitBreaker& breaker = *function.breaker;
    open += breaker.open;
    const bool tries = breaker.probe != 0 || breaker.called != nullptr;
    if (!breaker.open && (tries || !breaker.lines.empty()))
      return "somebody waits or tries at a breaker that is closed";
    for (const auto& [key, line] : breaker.lines) {
      if (line.waiting.empty()) return "a line at a breaker is empty";
    }
  }
  return open == pool.breakers_open ? "" : "open breakers are miscounted";
}

}  // namespace poold::core
