// Functions that keep killing workers wait, and everything else goes on: see fence.h.
#include "core/fence.h"

#include <algorithm>

#include "core/state.h"

namespace poold::core {
namespace {

Fence::LineKey KeyOf(const Group& group) {
  return {-group.queue->level->priority, group.queue->client, group.ready != &group.pool->ready};
}

// What we or others did says nothing of the function.
bool Counts(KilledBy killed_by) {
  return killed_by == KilledBy::kItself || killed_by == KilledBy::kMemoryLimit || killed_by == KilledBy::kKernel;
}

}  // namespace

Fence* Core::State::FenceOf(const Handle& handle) const {
  Fence* fence = handle.group->pool->functions[handle.group->function].fence.get();
  return fence != nullptr && fence->stands ? fence : nullptr;
}

bool Core::State::IsHeld(const Handle& handle) const {
  const Fence* fence = FenceOf(handle);
  return fence != nullptr && handle.held == fence->era;
}

bool Core::State::IsTrial(const Handle& handle, std::uint64_t token) const {
  const Fence* fence = FenceOf(handle);
  return fence != nullptr && fence->trial == token;
}

// The next one that may be sent. What may not goes to its fence, and clients that have no room are held up. Null: there
// is none.
Handle* Core::State::NextToSend(ReadyQueue& ready) {
  while (Node* node = ready.Next()) {
    Handle& next = *static_cast<Handle*>(node);
    if (!HasRoom(next)) {
      HoldUp(next);
      if (trials_uncalled) CallForTrials(*next.group->pool);
      continue;
    }
    const Fence* fence = next.group->pool->fences == 0 ? nullptr : FenceOf(next);
    if (fence == nullptr || (fence->trial == 0 && now >= fence->until)) return &next;
    Hold(next);
  }
  return nullptr;
}

void Core::State::Hold(Handle& handle) {
  Fence& fence = *FenceOf(handle);
  handle.group->ready->Remove(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  if (fence.called == &handle) fence.called = nullptr;
  Fence::Line& line = fence.lines[KeyOf(*handle.group)];
  line.ready = handle.group->ready;
  line.queue = handle.group->queue;
  line.waiting.PushBack(&handle);
  handle.held = fence.era;
}

// REQUIRES: it waits at its fence, or in its line.
void Core::State::LeaveLine(Handle& handle) {
  Fence* fence = handle.group->pool->fences == 0 ? nullptr : FenceOf(handle);
  if (fence == nullptr || handle.held != fence->era) {
    if (fence != nullptr && fence->called == &handle) fence->called = nullptr;
    return handle.group->ready->Remove(handle.group->queue, &handle);
  }
  handle.held = 0;
  const auto line = fence->lines.find(KeyOf(*handle.group));
  line->second.waiting.Remove(&handle);
  if (line->second.waiting.empty()) fence->lines.erase(line);
}

// The next line of those with the highest priority whose client has room. The others are held up.
std::map<Fence::LineKey, Fence::Line>::iterator Core::State::LineToCall(Fence& fence) {
  auto first = fence.lines.end();
  for (auto line = fence.lines.begin(); line != fence.lines.end(); ++line) {
    if (first != fence.lines.end() && std::get<0>(line->first) != std::get<0>(first->first)) break;
    const Handle& handle = *static_cast<const Handle*>(line->second.waiting.front());
    if (!HasRoom(handle)) {
      HoldUp(handle);
      continue;
    }
    if (fence.last_called < line->first) return line;
    if (first == fence.lines.end()) first = line;
  }
  return first;
}

// One of those that wait at each fence may go back to its line, if it is time and nobody tries: the most urgent one, in
// turns between clients.
void Core::State::CallForTrials(Pool& pool) {
  do {
    trials_uncalled = false;
    for (PoolFunction& function : pool.functions) CallForTrial(function);
  } while (trials_uncalled);
}

void Core::State::CallForTrial(PoolFunction& function) {
  Fence* fence = function.fence.get();
  if (fence == nullptr || !fence->stands || now < fence->until || fence->trial != 0 || fence->called != nullptr) return;
  const auto line = LineToCall(*fence);
  if (line == fence->lines.end()) return;
  fence->last_called = line->first;
  Handle& handle = *static_cast<Handle*>(line->second.waiting.front());
  LeaveLine(handle);
  handle.group->ready->PushFront(handle.group->queue, &handle);
  NoteFresh(*handle.group);
  fence->called = &handle;
}

void Core::State::NoteTrial(const Handle& handle, std::uint64_t token) {
  if (Fence* fence = FenceOf(handle)) fence->trial = token;
}

void Core::State::TrialLeft(const Handle& handle, std::uint64_t token) {
  Fence* fence = FenceOf(handle);
  if (fence != nullptr && fence->trial == token) fence->trial = 0;
}

void Core::State::CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls,
                                std::uint64_t result_bytes) {
  pool.NoteRun(function, elapsed, calls, result_bytes);
  pool.functions[function].deaths = 0;
  if (pool.fences > 0) Lower(pool, pool.functions[function]);
}

void Core::State::NoteDeath(Pool& pool, std::uint32_t number, bool trial, KilledBy killed_by) {
  if (!Counts(killed_by) || !pool.dispatches()) return;
  PoolFunction& function = pool.functions[number];
  if (++function.deaths < kDeathsToFence) return;
  if (function.fence == nullptr) function.fence = std::make_unique<Fence>();
  Fence& fence = *function.fence;
  if (fence.stands) {
    if (!trial && (now < fence.until || fence.trial != 0)) return;  // it began before
    fence.span = std::min(2 * fence.span, kLongestFence);
  } else {
    fence.stands = true;
    ++pool.fences;
  }
  fence.until = now + fence.span;
  ArmFences(pool);
}

void Core::State::Lower(Pool& pool, PoolFunction& function) {
  if (function.fence == nullptr || !function.fence->stands) return;
  Fence& fence = *function.fence;
  fence.stands = false;
  for (auto& [key, line] : fence.lines) {
    pool.staff_due |= line.ready == &pool.ready_fresh;
    line.ready->PushAllFront(line.queue, &line.waiting);
  }
  fence.lines.clear();
  fence.span = kFirstFence;
  fence.trial = 0;
  fence.called = nullptr;
  if (++fence.era == 0) fence.era = 1;
  --pool.fences;
  ArmFences(pool);
}

void Core::State::LowerFences(Pool& pool) {
  for (PoolFunction& function : pool.functions) Lower(pool, function);
}

// What was sent ahead of a function that is fenced now comes back, as far as it was not begun.
void Core::State::TakeBackFenced(Pool& pool) {
  for (Worker* worker : pool.workers) {
    if (!worker->uses_page || worker->killed_by != KilledBy::kUnspecified) continue;
    for (Node* node = worker->sent.back(); node != nullptr;) {
      Node* before = worker->sent.Before(node);
      const Fence* fence = FenceOf(HandleOf(node));
      if (fence != nullptr && AttemptToken{fence->trial} != TokenOf(node)) {
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

void Core::State::ArmFences(Pool& pool) {
  Nanos when = kNever;
  for (const PoolFunction& function : pool.functions) {
    const Fence* fence = function.fence.get();
    if (fence != nullptr && fence->stands && fence->until > now) when = std::min(when, fence->until);
  }
  timers.Set(&pool.fence_timer, when, TimerKind::kPoolFences, &pool);
}

void Core::State::FencesDue(Pool& pool) {
  ArmFences(pool);
  Settle(pool);
}

}  // namespace poold::core
