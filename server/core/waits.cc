// Calls that wait for handles, and what becomes of them. The calls themselves are in subscribe/waits.h.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

Need NeedOf(const Handle& handle) {
  const Pool& pool = *handle.group->pool;
  Need need{pool.id, pool.spec.workers, !pool.dispatches(), WorkerId{}};
  if (handle.is_map()) return need;
  const Worker* worker = static_cast<const Task&>(handle).worker;
  if (worker != nullptr && worker->sent.front() == &handle) need.runner = worker->id;
  return need;
}

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

void Core::State::StartGet(SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from) {
  absl::StatusOr<Handle*> found = FindHandle(id);
  if (!found.ok()) return client_port->AnswerGet(call, found.status());
  Handle& handle = **found;
  if (handle.ended || wait_timeout <= 0) return client_port->AnswerGet(call, ViewOf(handle));
  NoteTaskWaits(waits.Get(now, call, id, &Extras(handle).waits, wait_timeout), from);
}

void Core::State::StartWait(SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
                            WorkerId from) {
  absl::flat_hash_set<HandleId> seen;
  std::vector<Handle*> found;
  std::vector<Waits::Asked> asked;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = FindHandle(id);
    if (!handle.ok()) return client_port->AnswerWait(call, handle.status());
    if (!seen.insert(id).second) continue;
    found.push_back(*handle);
    asked.push_back({(*handle)->id, (*handle)->ended, (*handle)->ended && Succeeded(**handle)});
  }
  const auto waits_of = [&](std::size_t place) { return &Extras(*found[place]).waits; };
  Wait* wait = waits.WaitFor(now, call, asked, mode, wait_timeout, waits_of);
  if (wait != nullptr) NoteTaskWaits(wait, from);
}

bool Core::State::Succeeded(const Handle& handle) {
  if (!handle.is_map()) return static_cast<const Task&>(handle).state == TaskState::kSucceeded;
  const MapRun& map = static_cast<const MapRun&>(handle);
  return map.unsuccessful_items == 0 && map.cancelled_items == 0 && !map.cut;
}

void Core::State::WaitDue(Wait* wait) {
  if (!unfinished_pools.empty()) {
    const SubscriberId call = wait->call;
    std::vector<HandleId> asked;
    for (const Wait::Entry& entry : wait->entries) {
      if (!entry.done) asked.push_back(entry.id);
    }
    for (const HandleId& id : asked) {
      if (Handle* const handle = handles.Find(id)) Reach(*handle);
    }
    if (!waits.Waiting(call, wait)) return;
  }
  waits.Due(wait, [this](const Handle* handle) { return ViewOf(*handle); });
}

// ---- Tasks that wait: see subscribe/deadlock.h ----

bool Core::State::WaitsStill(const Wait& wait) const {
  const Worker* worker = staffing.Find(wait.from);
  return worker != nullptr && worker->sent.front() != nullptr && TokenOf(worker->sent.front()) == wait.from_attempt;
}

std::vector<WaitingWorker> Core::State::WaitsOfTasks() const {
  std::vector<WaitingWorker> waiting;
  for (const Wait* wait : waits.of_tasks()) {
    if (!WaitsStill(*wait)) continue;
    WaitingWorker one{
        wait->from, staffing.Find(wait->from)->pool->id, wait->for_all(), wait->left > kMostNeedsLookedAt, {}};
    for (const Wait::Entry& entry : wait->entries) {
      if (entry.handle != nullptr && !entry.done && !one.unknown) one.Add(NeedOf(entry.handle->handle()));
    }
    waiting.push_back(std::move(one));
  }
  return waiting;
}

std::uint64_t Core::State::WaitingWorkers(const Pool& pool) const {
  absl::flat_hash_set<WorkerId> waiting;
  for (const Wait* wait : waits.of_tasks()) {
    if (WaitsStill(*wait) && staffing.Find(wait->from)->pool.get() == &pool) waiting.insert(wait->from);
  }
  return waiting.size();
}

void Core::State::NoteTaskWaits(Wait* wait, WorkerId from) {
  const Worker* worker = from == WorkerId{} ? nullptr : staffing.Find(from);
  if (worker == nullptr || worker->sent.front() == nullptr) return;
  waits.ComesFrom(wait, from, TokenOf(worker->sent.front()));
  if (WaitsInVain(WaitsOfTasks(), from)) waits.Refuse(wait, WouldDeadlock(*worker->pool));
}

}  // namespace poold::core
