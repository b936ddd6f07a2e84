// Calls that wait for an answer.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "core/state.h"

namespace poold::core {

Wait* Core::State::NewWait(Wait::Kind kind, SubscriberId call) {
  std::vector<std::unique_ptr<Wait>>& of_call = waits[call];
  of_call.push_back(std::make_unique<Wait>());
  Wait* wait = of_call.back().get();
  wait->kind = kind;
  wait->call = call;
  return wait;
}

void Core::State::SetDeadline(Wait* wait, Nanos wait_timeout) {
  const Nanos span = std::min(wait_timeout, limits.max_wait);
  timers.Set(&wait->timer, span > kNever - now ? kNever : now + span, TimerKind::kWait, wait);
}

bool Core::State::HandleEnded(Wait* wait, std::uint32_t place, bool succeeded) {
  Wait::Entry& entry = wait->entries[place];
  Handle* handle = entry.handle;
  entry.done = true;
  entry.handle = nullptr;
  --wait->left;
  if (wait->kind == Wait::Kind::kGet) {
    client_port->AnswerGet(wait->call, ViewOf(*handle));
    RemoveWait(wait);
    return true;
  }
  const bool first = IsFirst(wait->mode, succeeded);
  if (first || wait->left == 0) {
    AnswerWait(wait, first);
    return true;
  }
  entry.handle = handle;  // its outcome will be asked for when the others have ended
  return false;
}

bool Core::State::IsFirst(WaitMode mode, bool succeeded) {
  return mode == WaitMode::kFirstCompleted || (mode == WaitMode::kFirstException && !succeeded);
}

void Core::State::AnswerWait(Wait* wait, bool first) {
  WaitAnswer answer;
  answer.first = first;
  for (const Wait::Entry& entry : wait->entries) (entry.done ? answer.done : answer.not_done).push_back(entry.id);
  client_port->AnswerWait(wait->call, std::move(answer));
  RemoveWait(wait);
}

void Core::State::WaitDue(Wait* wait) {
  switch (wait->kind) {
    case Wait::Kind::kGet:
      client_port->AnswerGet(wait->call, ViewOf(*wait->entries[0].handle));
      return RemoveWait(wait);
    case Wait::Kind::kJoin:
      client_port->AnswerJoin(wait->call, false);
      return RemoveWait(wait);
    default:
      return AnswerWait(wait, false);
  }
}

void Core::State::RemoveWait(Wait* wait) {
  timers.Clear(&wait->timer);
  if (wait->from != WorkerId{}) std::erase(task_waits, wait);
  for (const Wait::Entry& entry : wait->entries) {
    if (entry.handle == nullptr || entry.handle->extras == nullptr) continue;
    std::erase_if(entry.handle->extras->waits, [wait](const auto& known) { return known.first == wait; });
    if (entry.handle->extras->aside && entry.handle->extras->waits.empty()) ReturnAside(*entry.handle);
  }
  if (wait->pool != nullptr) {
    std::erase(wait->pool->open_calls, wait);
    std::erase(wait->pool->join_calls, wait);
    std::erase(wait->pool->terminate_calls, wait);
    std::erase(wait->pool->reload_calls, wait);
    std::erase(wait->pool->later_reload_calls, wait);
  }
  const auto of_call = waits.find(wait->call);
  std::erase_if(of_call->second, [wait](const std::unique_ptr<Wait>& known) { return known.get() == wait; });
  if (of_call->second.empty()) waits.erase(of_call);
}

void Core::State::StartWait(SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
                            WorkerId from) {
  absl::flat_hash_set<HandleId> seen;
  std::vector<Handle*> asked;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = FindHandle(id);
    if (!handle.ok()) return client_port->AnswerWait(call, handle.status());
    if (seen.insert(id).second) asked.push_back(*handle);
  }
  Wait* wait = NewWait(Wait::Kind::kWait, call);
  wait->mode = mode;
  bool first = false;
  for (Handle* handle : asked) {
    wait->entries.push_back({handle->id, handle, handle->ended});
    wait->left += !handle->ended;
    if (!handle->ended) continue;
    first |= IsFirst(mode, Succeeded(*handle));
  }
  if (first || wait->left == 0 || wait_timeout <= 0) return AnswerWait(wait, first);
  for (std::uint32_t place = 0; place < wait->entries.size(); ++place) {
    Extras(*wait->entries[place].handle).waits.emplace_back(wait, place);
  }
  SetDeadline(wait, wait_timeout);
  NoteTaskWaits(wait, from);
}

bool Core::State::Succeeded(const Handle& handle) {
  if (!handle.is_map()) return static_cast<const Task&>(handle).state == TaskState::kSucceeded;
  const MapRun& map = static_cast<const MapRun&>(handle);
  return map.unsuccessful_items == 0 && map.cancelled_items == 0 && !map.cut;
}

}  // namespace poold::core
