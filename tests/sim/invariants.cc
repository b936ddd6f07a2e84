// What must hold after every event, and at the end.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

using testing::FakeWork;
using testing::FakeWorker;

// ---- What subscribers hear ----

void World::NoteState(KnownHandle& handle, TaskState state) {
  if (!IsTerminal(state)) ledger_.Wrong("an outcome with a state that is not terminal");
  if (handle.ended && handle.final_state != TaskState::kUnspecified && handle.final_state != state) {
    ledger_.Wrong("task " + Ledger::TextOf(handle, 0) + " changed its terminal state");
  }
  handle.ended = true;
  handle.final_state = state;
  handle.items[0].final_state = state;
}

void World::SendOutcome(SubscriberId to, HandleId id, OutcomePtr outcome) {
  ++heard_;
  KnownStream& stream = ledger_.streams.at(to);
  KnownHandle& handle = ledger_.handles.at(id);
  if (stream.gone) ledger_.Wrong("an outcome was sent to a stream that is gone");
  if (!stream.handles.contains(id)) return ledger_.Wrong("an outcome was sent to a stream that did not subscribe");
  if (++stream.handles[id].ends > 1) ledger_.Wrong("an outcome was sent twice to one subscriber");
  NoteState(handle, outcome->state);
  if (outcome->state == TaskState::kSucceeded && outcome->result.data.view() != Ledger::TextOf(handle, 0)) {
    ledger_.Wrong("task " + Ledger::TextOf(handle, 0) + " got the result of another one");
  }
  if (outcome->attempt > std::max(1u, handle.options.max_attempts)) ledger_.Wrong("an attempt above max_attempts");
}

void World::NoteItem(KnownHandle& map, std::uint64_t index, TaskState state) {
  if (index >= map.items.size()) return ledger_.Wrong("an outcome of an item that was never submitted");
  KnownItem& item = map.items[index];
  if (item.final_state != TaskState::kUnspecified && item.final_state != state) {
    ledger_.Wrong("item " + Ledger::TextOf(map, index) + " changed its terminal state");
  }
  item.final_state = state;
}

void World::SendItems(SubscriberId to, HandleId id, ItemBlockPtr items) {
  ++heard_;
  KnownStream& stream = ledger_.streams.at(to);
  KnownHandle& map = ledger_.handles.at(id);
  if (stream.gone) ledger_.Wrong("items were sent to a stream that is gone");
  KnownStream::Heard& heard = stream.handles[id];
  if (heard.ends > 0) ledger_.Wrong("items were sent after the end of their map");
  heard.items.resize(map.items.size());
  std::map<std::uint64_t, TaskState> others;
  for (const auto& [index, outcome] : items->others) others[index] = outcome->state;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < items->result_bytes.size(); ++i) {
    const std::uint64_t index = items->first_index + i;
    const auto other = others.find(index);
    NoteItem(map, index, other == others.end() ? TaskState::kSucceeded : other->second);
    if (!ledger_.wrong.empty()) return;
    if (heard.items[index]) ledger_.Wrong("item " + Ledger::TextOf(map, index) + " was sent twice to one subscriber");
    heard.items[index] = true;
    const std::string result = items->results.substr(offset, items->result_bytes[i]);
    offset += items->result_bytes[i];
    if (other == others.end() && result != Ledger::TextOf(map, index)) {
      ledger_.Wrong("item " + Ledger::TextOf(map, index) + " got the result '" + result + "'");
    }
  }
}

void World::SendMapEnd(SubscriberId to, const MapView& view) {
  ++heard_;
  KnownStream& stream = ledger_.streams.at(to);
  KnownHandle& map = ledger_.handles.at(view.id);
  if (stream.gone) ledger_.Wrong("the end of a map was sent to a stream that is gone");
  KnownStream::Heard& heard = stream.handles[view.id];
  if (++heard.ends > 1) ledger_.Wrong("the end of a map was sent twice to one subscriber");
  map.ended = true;
  const auto count = static_cast<std::uint64_t>(std::count(heard.items.begin(), heard.items.end(), true));
  if (heard.all_items && count != view.done_items) {
    ledger_.Wrong("map " + std::to_string(view.id.low) + " has " + std::to_string(view.done_items) +
                  " outcomes, its subscriber heard " + std::to_string(count));
  }
}

void World::SendOutput(SubscriberId to, const OutputEvent& output) {
  ++heard_;
  const KnownStream& stream = ledger_.streams.at(to);
  if (stream.gone) ledger_.Wrong("output was sent to a stream that is gone");
  const auto at = stream.handles.find(output.id);
  if (at != stream.handles.end() && at->second.ends > 0) ledger_.Wrong("output was sent after the outcome");
}

void World::SendEvent(SubscriberId to, WatchEvent event) {
  ++heard_;
  if (!watches_.contains(to)) ledger_.Wrong("an event was sent to a watch that is over");
}

void World::EndWatch(SubscriberId to) {
  ++heard_;
  if (watches_.erase(to) == 0) ledger_.Wrong("a watch was ended twice");
}

void World::Answered(SubscriberId call) {
  ++heard_;
  if (calls_.erase(call) == 0) ledger_.Wrong("a call was answered twice, or after it was given up");
}

// ---- What workers do ----

void World::NoteBegin(const FakeWork& work, std::uint32_t place) {
  KnownHandle* handle = nullptr;
  KnownItem* item = ledger_.ItemOf(work.Item(place), &handle);
  if (item == nullptr) return;
  const std::string name(work.Item(place));
  if (item->running) ledger_.Wrong("two attempts of " + name + " overlap");
  if (item->final_state != TaskState::kUnspecified)
    ledger_.Wrong(name + " began after it had ended in state " + std::to_string(static_cast<int>(item->final_state)));
  item->running = true;
  if (++item->executions > handle->options.max_attempts) ledger_.Wrong(name + " ran more often than it may");
}

void World::NoteStop(const FakeWorker& worker) {
  if (!worker.running()) return;
  KnownHandle* handle = nullptr;
  if (KnownItem* item = ledger_.ItemOf(worker.work.front().Item(worker.work.front().finished), &handle)) {
    item->running = false;
  }
}

void World::NoteDispatch(const FakeWorker& worker, const std::vector<Assignment>& work) {
  ++heard_;
  if (!worker.ready || worker.stopping || worker.killed) ledger_.Wrong("work was sent to a worker that takes none");
  if (!peer_.HasRoom()) ledger_.Wrong("work was sent while the room for outcomes was full");
  if (worker.work.size() + work.size() > std::max<std::size_t>(1, limits_.max_prefetch)) {
    ledger_.Wrong("more was sent ahead than max_prefetch");
  }
  if (!worker.uses_page && worker.work.size() + work.size() > 1) ledger_.Wrong("sent ahead without a claim page");
  for (const Assignment& one : work) {
    KnownHandle* handle = nullptr;
    const FakeWork first{one};
    if (ledger_.ItemOf(first.Item(0), &handle) == nullptr) return;
    ++served_now_[{worker.pool, handle->options.priority, handle->client}];
  }
}

// ---- After every event ----

void World::Check() {
  ++events_;
  if (ledger_.wrong.empty()) CheckHandles();
  if (ledger_.wrong.empty()) CheckWorkers();
  if (ledger_.wrong.empty()) CheckTurns();
  if (ledger_.wrong.empty()) CheckClock();
}

// One terminal state, which never changes. Looks at every handle that can still be named.
void World::CheckHandles() {
  for (auto& [id, known] : ledger_.handles) {
    if (known.released) continue;
    const Handle* handle = peer_.Find(id);
    if (handle == nullptr) {  // its time to live has passed
      known.released = known.ended = true;
      continue;
    }
    if (known.ended && !handle->ended) ledger_.Wrong("a handle that had ended lives again");
    if (!handle->ended) continue;
    if (known.is_map) {
      known.ended = true;
    } else {
      NoteState(known, static_cast<const Task*>(handle)->state);
    }
  }
}

void World::CheckWorkers() {
  peer_.ForEachPool([this](const Pool& pool) {
    std::uint64_t sent = 0;
    for (const Worker* worker : pool.workers) {
      sent += worker->sent.size();
      if (worker->load < 0) ledger_.Wrong("a worker's load is below zero");
      const bool could = pool.dispatches() && pool.functions_known && peer_.HasRoom() && pool.has_slot();
      if (could && worker->idle() && !pool.ready.empty()) {
        ledger_.Wrong("a worker of pool " + pool.spec.name + " is idle while a task could run on it");
      }
    }
    if (sent != pool.sent) ledger_.Wrong("the count of what workers have is wrong");
    if (pool.stats.queued > (1ull << 40) || pool.stats.running > (1ull << 40) ||
        pool.stats.queued_bytes > (1ull << 40)) {
      ledger_.Wrong("a count of pool " + pool.spec.name + " fell below zero");
    }
  });
}

// Nobody who waits is passed over while others have more turns than there are clients.
void World::CheckTurns() {
  std::map<Turn, std::uint64_t> waiting;
  peer_.ForEachPool([&](const Pool& pool) {
    pool.ready.ForEach([&](Node* node) {
      const Handle& handle = *static_cast<Handle*>(node);
      ++waiting[{pool.id, handle.group->options->priority, handle.group->queue->client}];
    });
  });
  std::erase_if(passed_over_, [&](const auto& turn) { return !waiting.contains(turn.first); });
  for (const auto& [turn, count] : waiting) {
    const bool waited = passed_over_.contains(turn);  // since before this event
    std::uint64_t& passed = passed_over_[turn];
    if (served_now_.contains(turn)) passed = 0;
    for (const auto& [other, served] : served_now_) {
      const bool rival = other.pool == turn.pool && other.priority == turn.priority && other.client != turn.client;
      if (waited && rival && !served_now_.contains(turn)) passed += served;
    }
    if (passed > 2 * clients_.size() + 2) {
      ledger_.Wrong("client " + std::to_string(static_cast<std::uint64_t>(turn.client)) + " was passed over " +
                    std::to_string(passed) + " times");
    }
  }
  served_now_.clear();
}

void World::CheckClock() {
  if (core_.NextTimer() <= now_) return;  // due, but not told yet
  for (const auto& [call, known] : calls_) {
    if (known.due < now_) return ledger_.Wrong("a call was not answered at its time, and no timer is set for it");
  }
}

// ---- When everything is quiet ----

void World::CheckEnd() {
  for (const auto& [id, handle] : ledger_.handles) {
    for (std::size_t i = 0; i < handle.items.size(); ++i) {
      if (handle.items[i].running) ledger_.Wrong(Ledger::TextOf(handle, i) + " still runs");
    }
    if (!handle.ended && !handle.released) {
      const auto pool = core_.ViewPool(handle.pool);
      ledger_.Wrong(Ledger::TextOf(handle, 0) + " never ended; its pool is in state " +
                    std::to_string(pool.ok() ? static_cast<int>(pool->state) : -1) + " with " +
                    std::to_string(pool.ok() ? pool->workers.size() : 0) + " workers, queued " +
                    std::to_string(pool.ok() ? pool->stats.queued : 0) + ", running " +
                    std::to_string(pool.ok() ? pool->stats.running : 0));
    }
  }
  for (const auto& [id, stream] : ledger_.streams) {
    if (stream.gone) continue;
    for (const auto& [handle, heard] : stream.handles) {
      if (heard.ends != 1) {
        ledger_.Wrong("the subscriber of " + Ledger::TextOf(ledger_.handles.at(handle), 0) + " heard no outcome");
      }
    }
  }
  if (!calls_.empty()) ledger_.Wrong("a call was never answered");
  for (const auto& [id, stream] : ledger_.streams) {
    if (!stream.gone) core_.OnSubscriberGone(now_, id);
  }
  for (const PoolView& pool : core_.ViewPools()) {
    const PoolStats& stats = pool.stats;
    if (stats.queued + stats.running + stats.queued_bytes + stats.kept_outcomes + stats.kept_outcome_bytes != 0) {
      ledger_.Wrong("pool " + pool.spec.name + " counts things that are not there: queued " +
                    std::to_string(stats.queued) + " running " + std::to_string(stats.running) + " queued_bytes " +
                    std::to_string(stats.queued_bytes) + " kept " + std::to_string(stats.kept_outcomes) +
                    " kept bytes " + std::to_string(stats.kept_outcome_bytes));
    }
    if (stats.submitted !=
        stats.succeeded + stats.failed + stats.crashed + stats.timed_out + stats.expired + stats.cancelled) {
      ledger_.Wrong("pool " + pool.spec.name +
                    ": what was submitted is not what ended: " + std::to_string(stats.submitted) + " = " +
                    std::to_string(stats.succeeded) + "+" + std::to_string(stats.failed) + "+" +
                    std::to_string(stats.crashed) + "+" + std::to_string(stats.timed_out) + "+" +
                    std::to_string(stats.expired) + "+" + std::to_string(stats.cancelled));
    }
  }
  if (const std::string left = peer_.Leftovers(); !left.empty()) ledger_.Wrong("left over: " + left);
}

}  // namespace poold::core::sim
