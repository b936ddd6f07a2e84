// Calls that wait for handles, and what becomes of them. The calls themselves are in subscribe/waits.h.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/read/task_waits.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

absl::Status WouldDeadlock(const Pool& pool) {
  return MakeError(
      reason::kWouldDeadlock,
      absl::StrCat("a task of pool '", pool.spec.name,
                   "' would wait for ever: no worker is left that could run what it waits for, since all that could (",
                   pool.spec.workers,
                   " in its own pool) wait like it; give the pool more workers than tasks "
                   "that wait, submit to another pool, or return and let the client go on"),
      pool.spec.name);
}

}  // namespace

void Core::OnGet(Nanos now, SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from) {
  state_->Begin(now);
  absl::StatusOr<Handle*> found = state_->Get(id);
  if (!found.ok()) return state_->client_port->AnswerGet(call, found.status());
  Handle& handle = **found;
  if (handle.ended() || wait_timeout <= 0) return state_->client_port->AnswerGet(call, ViewOf(handle));
  state_->NoteTaskWaits(state_->waits.Get(now, call, id, &handle.Extras().waits, wait_timeout), from);
}

void Core::OnWait(Nanos now, SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
                  WorkerId from) {
  state_->Begin(now);
  absl::flat_hash_set<HandleId> seen;
  std::vector<Handle*> found;
  std::vector<Waits::Asked> asked;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = state_->Get(id);
    if (!handle.ok()) return state_->client_port->AnswerWait(call, handle.status());
    if (!seen.insert(id).second) continue;
    found.push_back(*handle);
    asked.push_back({(*handle)->id, (*handle)->ended(), (*handle)->ended() && Succeeded(**handle)});
  }
  const auto waits_of = [&](std::size_t place) { return &found[place]->Extras().waits; };
  Wait* wait = state_->waits.WaitFor(now, call, asked, mode, wait_timeout, waits_of);
  if (wait != nullptr) state_->NoteTaskWaits(wait, from);
}

void Core::State::WaitDue(Wait* wait) {
  if (!unfinished_pools.empty()) {
    const SubscriberId call = wait->call;
    std::vector<HandleId> asked;
    for (const Wait::Entry& entry : wait->entries) {
      if (!entry.done) asked.push_back(entry.id);
    }
    for (const HandleId& id : asked) {
      if (Handle* const handle = store.Find(id)) ReachAsked(*handle);
    }
    if (!waits.Waiting(call, wait)) return;
  }
  waits.Due(wait, [](const Handle* handle) { return core::ViewOf(*handle); });
}

// Notes that a task waits, or refuses the wait when it could not end: see subscribe/deadlock.h.
void Core::State::NoteTaskWaits(Wait* wait, WorkerId from) {
  const Worker* worker = from == WorkerId{} ? nullptr : staffing.Find(from);
  if (worker == nullptr || worker->sent.front() == nullptr) return;
  const auto find = [this](WorkerId id) { return staffing.Find(id); };
  waits.ComesFrom(wait, from, TokenOf(worker->sent.front()));
  if (WaitsInVain(WaitsOfTasks(waits, find), from)) waits.Refuse(wait, WouldDeadlock(*worker->pool));
}

}  // namespace poold::core
