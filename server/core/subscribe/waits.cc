#include "core/subscribe/waits.h"

#include <algorithm>
#include <utility>

namespace poold::core {
namespace {

// Whether a handle that ended so is what this mode waits for.
bool IsFirst(WaitMode mode, bool succeeded) {
  return mode == WaitMode::kFirstCompleted || (mode == WaitMode::kFirstException && !succeeded);
}

bool Holds(const std::vector<Wait*>& calls, const Wait& wait) {
  return std::find(calls.begin(), calls.end(), &wait) != calls.end();
}

}  // namespace

Wait* Waits::New(Wait::Kind kind, SubscriberId call) {
  std::vector<std::unique_ptr<Wait>>& of_call = by_call_[call];
  of_call.push_back(std::make_unique<Wait>());
  Wait* wait = of_call.back().get();
  wait->kind = kind;
  wait->call = call;
  return wait;
}

void Waits::SetDeadline(Nanos now, Wait* wait, Nanos wait_timeout) {
  const Nanos span = std::min(wait_timeout, max_wait_);
  timers_->Set(&wait->timer, span > kNever - now ? kNever : now + span, TimerKind::kWait, wait);
}

void Waits::Remove(Wait* wait) {
  timers_->Clear(&wait->timer);
  if (wait->from != WorkerId{}) std::erase(of_tasks_, wait);
  for (const Wait::Entry& entry : wait->entries) {
    if (entry.handle == nullptr || entry.handle->empty()) continue;
    std::erase_if(entry.handle->places_, [wait](const HandleWaits::Place& place) { return place.wait == wait; });
    if (entry.handle->empty()) listener_->NobodyWaits(*entry.handle->handle_);
  }
  if (PoolCalls* pool = wait->pool.get()) {
    for (auto* calls :
         {&pool->open_, &pool->join_, &pool->terminate_, &pool->close_, &pool->reload_, &pool->later_reload_}) {
      std::erase(*calls, wait);
    }
  }
  const auto of_call = by_call_.find(wait->call);
  std::erase_if(of_call->second, [wait](const std::unique_ptr<Wait>& known) { return known.get() == wait; });
  if (of_call->second.empty()) by_call_.erase(of_call);
}

void Waits::CallerGone(SubscriberId call) {
  while (by_call_.contains(call)) Remove(by_call_.find(call)->second.back().get());
}

bool Waits::Waiting(SubscriberId call, const Wait* wait) const {
  const auto of_call = by_call_.find(call);
  if (of_call == by_call_.end()) return false;
  return std::any_of(of_call->second.begin(), of_call->second.end(),
                     [wait](const std::unique_ptr<Wait>& known) { return known.get() == wait; });
}

// ---- Calls for handles ----

Wait* Waits::Get(Nanos now, SubscriberId call, HandleId id, HandleWaits* waits, Nanos wait_timeout) {
  Wait* wait = New(Wait::Kind::kGet, call);
  wait->entries.push_back({id, waits, false});
  wait->left = 1;
  waits->places_.push_back({wait, 0});
  SetDeadline(now, wait, wait_timeout);
  return wait;
}

Wait* Waits::WaitFor(Nanos now, SubscriberId call, std::span<const Asked> asked, WaitMode mode, Nanos wait_timeout,
                     WaitsOf waits_of) {
  Wait* wait = New(Wait::Kind::kWait, call);
  wait->mode = mode;
  bool first = false;
  for (const Asked& one : asked) {
    wait->entries.push_back({one.id, nullptr, one.ended});
    wait->left += !one.ended;
    first |= one.ended && IsFirst(mode, one.succeeded);
  }
  if (first || wait->left == 0 || wait_timeout <= 0) {
    Answer(wait, first);
    return nullptr;
  }
  for (std::uint32_t place = 0; place < wait->entries.size(); ++place) {
    HandleWaits* const waits = waits_of(place);
    wait->entries[place].handle = waits;
    waits->places_.push_back({wait, place});
  }
  SetDeadline(now, wait, wait_timeout);
  return wait;
}

void Waits::ComesFrom(Wait* wait, WorkerId worker, AttemptToken attempt) {
  wait->from = worker;
  wait->from_attempt = attempt;
  of_tasks_.push_back(wait);
}

void Waits::Refuse(Wait* wait, const absl::Status& why) {
  const SubscriberId call = wait->call;
  const bool get = wait->kind == Wait::Kind::kGet;
  Remove(wait);
  if (get) {
    port_->AnswerGet(call, why);
  } else {
    port_->AnswerWait(call, why);
  }
}

void Waits::HandleEnded(HandleWaits& waits, bool succeeded, ViewHandle view) {
  const std::vector<HandleWaits::Place> places = std::exchange(waits.places_, {});
  for (const HandleWaits::Place& place : places) {
    if (!EntryEnded(place, succeeded, view)) waits.places_.push_back(place);
  }
}

bool Waits::EntryEnded(const HandleWaits::Place& place, bool succeeded, ViewHandle view) {
  Wait* const wait = place.wait;
  Wait::Entry& entry = wait->entries[place.entry];
  HandleWaits* const handle = std::exchange(entry.handle, nullptr);
  entry.done = true;
  --wait->left;
  if (wait->kind == Wait::Kind::kGet) {
    port_->AnswerGet(wait->call, view(handle->handle_));
    Remove(wait);
    return true;
  }
  const bool first = IsFirst(wait->mode, succeeded);
  if (first || wait->left == 0) {
    Answer(wait, first);
    return true;
  }
  entry.handle = handle;  // its outcome will be asked for when the others have ended
  return false;
}

void Waits::HandleGone(HandleWaits& waits) {
  for (const HandleWaits::Place& place : waits.places_) place.wait->entries[place.entry].handle = nullptr;
  waits.places_.clear();
}

void Waits::Answer(Wait* wait, bool first) {
  WaitAnswer answer;
  answer.first = first;
  for (const Wait::Entry& entry : wait->entries) (entry.done ? answer.done : answer.not_done).push_back(entry.id);
  port_->AnswerWait(wait->call, std::move(answer));
  Remove(wait);
}

void Waits::Due(Wait* wait, ViewHandle view) {
  switch (wait->kind) {
    case Wait::Kind::kGet:
      port_->AnswerGet(wait->call, view(wait->entries[0].handle->handle_));
      return Remove(wait);
    case Wait::Kind::kJoin:
      port_->AnswerJoin(wait->call, false);
      return Remove(wait);
    default:
      return Answer(wait, false);
  }
}

// ---- Calls for pools ----

Wait* Waits::NewOfPool(Wait::Kind kind, std::shared_ptr<PoolCalls> pool, SubscriberId call, std::vector<Wait*>* list) {
  Wait* wait = New(kind, call);
  wait->pool = std::move(pool);
  list->push_back(wait);
  return wait;
}

void Waits::Open(std::shared_ptr<PoolCalls> pool, SubscriberId call, bool created) {
  std::vector<Wait*>* const list = &pool->open_;
  NewOfPool(Wait::Kind::kOpen, std::move(pool), call, list)->created = created;
}

void Waits::Join(Nanos now, std::shared_ptr<PoolCalls> pool, SubscriberId call, Nanos wait_timeout) {
  std::vector<Wait*>* const list = &pool->join_;
  SetDeadline(now, NewOfPool(Wait::Kind::kJoin, std::move(pool), call, list), wait_timeout);
}

void Waits::Terminate(std::shared_ptr<PoolCalls> pool, SubscriberId call) {
  std::vector<Wait*>* const list = &pool->terminate_;
  NewOfPool(Wait::Kind::kTerminate, std::move(pool), call, list);
}

void Waits::Close(std::shared_ptr<PoolCalls> pool, SubscriberId call, std::uint64_t before) {
  std::vector<Wait*>* const list = &pool->close_;
  NewOfPool(Wait::Kind::kClose, std::move(pool), call, list)->cancelled = before;
}

void Waits::AnswerCloses(PoolCalls& pool, std::uint64_t handles) {
  while (!pool.close_.empty()) {
    Wait* wait = pool.close_.back();
    port_->AnswerClose(wait->call, handles - wait->cancelled);
    Remove(wait);
  }
}

void Waits::Reload(std::shared_ptr<PoolCalls> pool, SubscriberId call) {
  std::vector<Wait*>* const list = &pool->later_reload_;
  NewOfPool(Wait::Kind::kReload, std::move(pool), call, list);
}

void Waits::ReloadBegins(PoolCalls& pool) { pool.reload_ = std::exchange(pool.later_reload_, {}); }

void Waits::NoteCancelled(PoolCalls& pool, std::uint64_t handles) {
  for (Wait* wait : pool.terminate_) wait->cancelled = handles;
}

void Waits::AnswerOpens(PoolCalls& pool, const absl::Status& status, ViewPool view) {
  while (!pool.open_.empty()) {
    Wait* wait = pool.open_.back();
    if (status.ok()) {
      port_->AnswerOpenPool(wait->call, view(), wait->created);
    } else {
      port_->AnswerOpenPool(wait->call, status, false);
    }
    Remove(wait);
  }
}

void Waits::AnswerReloadsOf(std::vector<Wait*>& calls, const absl::Status& status, ViewPool view) {
  while (!calls.empty()) {
    Wait* wait = calls.back();
    if (status.ok()) {
      port_->AnswerReload(wait->call, view());
    } else {
      port_->AnswerReload(wait->call, status);
    }
    Remove(wait);
  }
}

void Waits::AnswerReloads(PoolCalls& pool, const absl::Status& status, ViewPool view) {
  AnswerReloadsOf(pool.reload_, status, view);
}

void Waits::RefuseReloads(PoolCalls& pool, const absl::Status& why) {
  const auto none = [] { return PoolView(); };
  AnswerReloadsOf(pool.reload_, why, none);
  AnswerReloadsOf(pool.later_reload_, why, none);
}

void Waits::PoolGone(PoolCalls& pool) {
  while (!pool.join_.empty()) {
    port_->AnswerJoin(pool.join_.back()->call, true);
    Remove(pool.join_.back());
  }
  while (!pool.terminate_.empty()) {
    port_->AnswerTerminate(pool.terminate_.back()->call, pool.terminate_.back()->cancelled);
    Remove(pool.terminate_.back());
  }
}

// ---- What must hold ----

std::string Waits::Check() const {
  for (const auto& [call, waits] : by_call_) {
    if (waits.empty()) return "a caller is known that waits for nothing";
    for (const std::unique_ptr<Wait>& wait : waits) {
      if (wait->call != call) return "a call is known by a wrong id";
      if (std::string wrong = CheckOne(*wait); !wrong.empty()) return wrong;
    }
  }
  return "";
}

std::string Waits::CheckOne(const Wait& wait) const {
  if (Holds(of_tasks_, wait) != (wait.from != WorkerId{})) return "it is not known which waits come from tasks";
  if (const PoolCalls* pool = wait.pool.get()) {
    const int lists = Holds(pool->open_, wait) + Holds(pool->join_, wait) + Holds(pool->terminate_, wait) +
                      Holds(pool->close_, wait) + Holds(pool->reload_, wait) + Holds(pool->later_reload_, wait);
    return lists == 1 && wait.entries.empty() ? "" : "a call for a pool is not in one list of the pool";
  }
  std::size_t left = 0;
  for (std::size_t i = 0; i < wait.entries.size(); ++i) {
    const Wait::Entry& entry = wait.entries[i];
    left += !entry.done;
    if (entry.handle == nullptr && !entry.done) return "a call waits for a handle that is gone";
    if (entry.handle == nullptr) continue;
    const std::vector<HandleWaits::Place>& places = entry.handle->places_;
    const auto is_it = [&](const HandleWaits::Place& place) { return place.wait == &wait && place.entry == i; };
    if (std::none_of(places.begin(), places.end(), is_it)) return "a handle forgot a call that waits for it";
  }
  return left == wait.left && left > 0 ? "" : "a call waits for handles that have all ended";
}

}  // namespace poold::core
