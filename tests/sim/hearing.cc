// What clients are told: each thing once, in order, the same to everybody.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

// ---- Subscribers ----

void World::NoteState(KnownHandle& handle, TaskState state) {
  if (!IsTerminal(state)) ledger_.Wrong("an outcome with a state that is not terminal");
  if (handle.ended && handle.final_state != TaskState::kUnspecified && handle.final_state != state) {
    ledger_.Wrong("task " + Ledger::TextOf(handle, 0) + " changed its terminal state");
  }
  handle.ended = true;
  handle.final_state = state;
  handle.items[0].final_state = state;
}

// Whoever hears of it, and whenever, hears the same.
void World::NoteOutcome(KnownHandle& handle, const Outcome& outcome) {
  NoteState(handle, outcome.state);
  const KnownOutcome heard{outcome.attempt, outcome.submitted_at, outcome.started_at, outcome.ended_at,
                           std::string(outcome.result.data.view())};
  if (heard.submitted_at > heard.ended_at || heard.started_at > heard.ended_at || heard.ended_at > now_) {
    ledger_.Wrong("task " + Ledger::TextOf(handle, 0) + " ended before it began, or will end");
  }
  if (!handle.outcome) handle.outcome = heard;
  if (*handle.outcome != heard) {
    ledger_.Wrong("the outcome of task " + Ledger::TextOf(handle, 0) + " was told in two ways");
  }
}

// Null, and wrong, if it should not hear of it.
KnownStream::Heard* World::Hears(SubscriberId to, HandleId id, const char* what) {
  ++heard_;
  KnownStream& stream = ledger_.streams.at(to);
  if (stream.gone) ledger_.Wrong(std::string(what) + " was sent to a stream that is gone");
  const auto at = stream.handles.find(id);
  if (at == stream.handles.end()) {
    ledger_.Wrong(std::string(what) + " was sent to a stream that did not subscribe");
    return nullptr;
  }
  return &at->second;
}

void World::SendOutcome(SubscriberId to, HandleId id, OutcomePtr outcome) {
  KnownStream::Heard* heard = Hears(to, id, "an outcome");
  if (heard == nullptr) return;
  KnownHandle& handle = ledger_.handles.at(id);
  if (++heard->ends > 1) ledger_.Wrong("an outcome was sent twice to one subscriber");
  NoteOutcome(handle, *outcome);
  if (outcome->state == TaskState::kSucceeded && outcome->result.data.view() != Ledger::TextOf(handle, 0)) {
    ledger_.Wrong("task " + Ledger::TextOf(handle, 0) + " got the result of another one");
  }
  CheckWhy(handle, 0, *outcome);
}

void World::NoteItem(KnownHandle& map, std::uint64_t index, TaskState state) {
  if (index >= map.items.size()) return ledger_.Wrong("an outcome of an item that was never submitted");
  KnownItem& item = map.items[index];
  if (item.final_state != TaskState::kUnspecified && item.final_state != state) {
    ledger_.Wrong("item " + Ledger::TextOf(map, index) + " changed its terminal state");
  }
  if (state == TaskState::kSucceeded && item.succeeded == 0) {
    ledger_.Wrong("item " + Ledger::TextOf(map, index) + " succeeded, and no run of it did");
  }
  item.final_state = state;
}

void World::SendItems(SubscriberId to, HandleId id, ItemBlockPtr items) {
  KnownStream::Heard* heard = Hears(to, id, "a block of items");
  if (heard == nullptr) return;
  KnownHandle& map = ledger_.handles.at(id);
  if (heard->ends > 0) ledger_.Wrong("items were sent after the end of their map");
  heard->items.resize(map.items.size());
  std::map<std::uint64_t, OutcomePtr> others(items->others.begin(), items->others.end());
  std::size_t offset = 0;
  for (std::size_t i = 0; i < items->result_bytes.size(); ++i) {
    const std::uint64_t index = items->first_index + i;
    const auto other = others.find(index);
    NoteItem(map, index, other == others.end() ? TaskState::kSucceeded : other->second->state);
    if (!ledger_.wrong.empty()) return;
    if (heard->items[index]) ledger_.Wrong("item " + Ledger::TextOf(map, index) + " was sent twice to one subscriber");
    heard->items[index] = true;
    const std::string result = items->results.substr(offset, items->result_bytes[i]);
    offset += items->result_bytes[i];
    if (other != others.end()) {
      CheckWhy(map, index, *other->second);
    } else if (result != Ledger::TextOf(map, index)) {
      ledger_.Wrong("item " + Ledger::TextOf(map, index) + " got the result '" + result + "'");
    }
  }
}

void World::SendMapEnd(SubscriberId to, const MapView& view) {
  KnownStream::Heard* heard = Hears(to, view.id, "the end of a map");
  if (heard == nullptr) return;
  if (++heard->ends > 1) ledger_.Wrong("the end of a map was sent twice to one subscriber");
  ledger_.handles.at(view.id).ended = true;
  const auto count = static_cast<std::uint64_t>(std::count(heard->items.begin(), heard->items.end(), true));
  if (heard->all_items && count != view.done_items) {
    ledger_.Wrong("map " + std::to_string(view.id.low) + " has " + std::to_string(view.done_items) +
                  " outcomes, its subscriber heard " + std::to_string(count));
  }
}

void World::SendOutput(SubscriberId to, const OutputEvent& output) {
  const KnownStream::Heard* heard = Hears(to, output.id, "output");
  if (heard != nullptr && heard->ends > 0) ledger_.Wrong("output was sent after the outcome");
}

void World::SendProgress(SubscriberId to, const ProgressEvent& progress) {
  const KnownStream::Heard* heard = Hears(to, progress.id, "progress");
  if (heard != nullptr && heard->ends > 0) ledger_.Wrong("progress was sent after the outcome");
}

// ---- Watchers ----

void World::NoteView(const HandleView& view) {
  const auto* task = std::get_if<TaskView>(&view);
  if (task == nullptr || !IsTerminal(task->state)) return;
  const auto known = ledger_.handles.find(task->id);
  if (known != ledger_.handles.end()) NoteOutcome(known->second, *task->outcome);
}

void World::SendEvent(SubscriberId to, WatchEvent event) {
  ++heard_;
  if (!watches_.contains(to)) ledger_.Wrong("an event was sent to a watch that is over");
  if (const auto* task = std::get_if<TaskView>(&event)) NoteView(*task);
}

void World::EndWatch(SubscriberId to) {
  ++heard_;
  if (watches_.erase(to) == 0) ledger_.Wrong("a watch was ended twice");
}

// ---- Callers ----

void World::Answered(SubscriberId call) {
  ++heard_;
  if (ledger_.calls.erase(call) == 0) ledger_.Wrong("a call was answered twice, or after it was given up");
}

// Nothing is left of the pool that it is about.
void World::CheckGone(SubscriberId call) {
  const auto known = ledger_.calls.find(call);
  if (known == ledger_.calls.end() || known->second.pool == PoolId{}) return;
  const PoolId pool = known->second.pool;
  for (const auto& [id, worker] : processes_.workers) {
    if (worker.pool == pool) ledger_.Wrong("a pool was said to be gone while it had a worker");
  }
  for (const auto& [key, zygote] : processes_.zygotes) {
    if (key.first == pool) ledger_.Wrong("a pool was said to be gone while it had a zygote");
  }
}

void World::AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) {
  open_refused_ = !pool.ok();
  if (pool.ok() && pool->state != PoolState::kRunning && pool->state != PoolState::kClosing) {
    ledger_.Wrong("a pool was said to be open that does not run");
  }
  Answered(to);
}

// All that was to be cancelled was.
void World::AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) {
  const auto known = ledger_.calls.find(to);
  const Pool* pool = known == ledger_.calls.end() ? nullptr : FindPool(known->second.pool);
  if (cancelled.ok() && known->second.cancels && pool != nullptr && pool->state == PoolState::kClosing &&
      pool->stats.queued > 0) {
    ledger_.Wrong("something waits in pool " + pool->spec.name + " after all that waited was cancelled");
  }
  if (cancelled.ok() && *cancelled > known->second.unfinished) {
    ledger_.Wrong("a close says that it cancelled more than there was");
  }
  Answered(to);
}

void World::AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) {
  if (cancelled.ok()) CheckGone(to);
  Answered(to);
}

void World::AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) {
  if (done.ok() && *done) CheckGone(to);
  Answered(to);
}

void World::AnswerReload(SubscriberId to, absl::StatusOr<PoolView> view) {
  const auto known = ledger_.calls.find(to);
  const Pool* pool = known == ledger_.calls.end() ? nullptr : FindPool(known->second.pool);
  if (view.ok() && pool == nullptr) ledger_.Wrong("a pool that is gone was said to be reloaded");
  for (std::size_t i = 0; view.ok() && pool != nullptr && i < pool->workers.size(); ++i) {
    if (pool->workers[i]->origin < pool->present->first) ledger_.Wrong("a reload is over while an old worker lives");
  }
  Answered(to);
}

// Refused for a circle: something that it asked for waits itself for a task that waits, or for a pool all of whose
// workers wait.
void World::CheckDeadlock(SubscriberId call, const absl::Status& status) {
  if (DetailOf(status).reason != "WOULD_DEADLOCK") return;
  const auto known = ledger_.calls.find(call);
  if (known == ledger_.calls.end() || known->second.from == WorkerId{}) {
    return ledger_.Wrong("a wait of no task was refused as a task's");
  }
  std::map<PoolId, std::set<WorkerId>> waiting;
  for (const auto& [id, other] : ledger_.calls) {
    const auto worker = processes_.workers.find(other.from);
    if (worker != processes_.workers.end()) waiting[worker->second.pool].insert(other.from);
  }
  for (const HandleId id : known->second.asked) {
    const Handle* handle = peer_.Find(id);
    if (handle == nullptr || handle->ended()) continue;
    const Pool& pool = *handle->group->pool;
    const auto* task = handle->is_map() ? nullptr : static_cast<const Task*>(handle);
    const bool runs = task != nullptr && task->worker != nullptr && waiting[pool.id].contains(task->worker->id);
    if (runs || waiting[pool.id].size() >= pool.spec.workers) return;
  }
  ledger_.Wrong("a task's wait was refused although it could end");
}

void World::AnswerGet(SubscriberId to, absl::StatusOr<HandleView> view) {
  CheckDeadlock(to, view.status());
  if (view.ok()) NoteView(*view);
  const auto known = ledger_.calls.find(to);
  if (view.ok() && known != ledger_.calls.end() && known->second.due > now_) {
    const auto* task = std::get_if<TaskView>(&*view);
    if (task != nullptr ? !IsTerminal(task->state) : !std::get<MapView>(*view).done) {
      ledger_.Wrong("a get was answered before there was an outcome, and before its time");
    }
  }
  Answered(to);
}

// False: it has not, or nobody can tell.
bool World::HasEnded(HandleId id, bool* succeeded) const {
  const Handle* handle = peer_.Find(id);
  if (handle == nullptr || !handle->ended()) return false;
  if (const KnownHandle& known = ledger_.handles.at(id); !known.is_map) {
    *succeeded = static_cast<const Task*>(handle)->state() == TaskState::kSucceeded;
  } else {
    const MapRun& map = *static_cast<const MapRun*>(handle);
    *succeeded = map.items.unsuccessful() == 0 && map.items.cancelled() == 0 && !map.cut();
  }
  return true;
}

// What it waits for has come about.
bool World::IsOver(const KnownCall& wait) const {
  if (wait.waits.empty()) return false;
  bool all = true;
  for (const HandleId id : wait.waits) {
    bool succeeded = true;
    const bool ended = HasEnded(id, &succeeded);
    all &= ended;
    if (ended && wait.mode == WaitMode::kFirstCompleted) return true;
    if (ended && !succeeded && wait.mode == WaitMode::kFirstException) return true;
  }
  return all;
}

void World::AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) {
  CheckDeadlock(to, answer.status());
  const auto at = ledger_.calls.find(to);
  if (at != ledger_.calls.end() && answer.ok()) {
    const KnownCall& wait = at->second;
    if (answer->done.size() + answer->not_done.size() != wait.waits.size()) {
      ledger_.Wrong("a wait's answer does not name every id once");
    }
    bool succeeded = true;
    for (const HandleId id : answer->not_done) {
      if (HasEnded(id, &succeeded)) ledger_.Wrong("a wait's answer says of an ended handle that it has not");
    }
    bool released = false;
    bool first = false;
    for (const HandleId id : answer->done) {
      released |= peer_.Find(id) == nullptr;
      if (peer_.Find(id) == nullptr) continue;
      if (!HasEnded(id, &succeeded)) ledger_.Wrong("a wait's answer comes before the end");
      first |= wait.mode == WaitMode::kFirstCompleted || (wait.mode == WaitMode::kFirstException && !succeeded);
    }
    if (!released && first != answer->first) ledger_.Wrong("a wait's answer is wrong about one that ended the wait");
    if (wait.due > now_ && !released && !IsOver(wait)) ledger_.Wrong("a wait was answered too early");
  }
  Answered(to);
}

void World::RoomIsShort(ClientId id, bool is_short) {
  Client& client = *FindClient(id);
  if (client.told_short == is_short) ledger_.Wrong("a client was told again how the room is");
  client.told_short = is_short;
}

void World::ClientIsHeldUp(const ClientView& view, bool held_up) {
  Client& client = *FindClient(view.id);
  if (client.told_held_up == held_up) ledger_.Wrong("it was told again that a client is held up, or is not");
  if (!held_up && client.told_short) ledger_.Wrong("a client goes on although its room is short");
  client.told_held_up = held_up;
}

void World::AllPoolsGone() {
  if (all_gone_) ledger_.Wrong("all pools were said to be gone twice");
  if (!shut_down_) ledger_.Wrong("all pools were said to be gone, and nobody asked");
  if (!processes_.workers.empty() || !processes_.zygotes.empty()) {
    ledger_.Wrong("all pools were said to be gone while a process lived");
  }
  all_gone_ = true;
}

}  // namespace poold::core::sim
