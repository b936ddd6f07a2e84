// Zygotes and workers: starting them, learning what they can, ending them.
#include <algorithm>
#include <utility>

#include "base/nearest.h"
#include "core/state.h"

namespace poold::core {

Worker* Core::State::FindWorker(WorkerId id) const {
  const auto at = workers.find(id);
  return at == workers.end() ? nullptr : at->second.get();
}

void Core::State::StartZygote(Generation& generation) {
  Pool& pool = *generation.pool;
  generation.number = ++pool.last_zygote;
  if (generation.first == 0) generation.first = generation.number;
  lives.Move(generation.zygote, ZygoteState::kStarting);
  worker_port->StartZygote(pool.id, generation.number, pool.spec);
}

void Core::State::StopZygote(Generation& generation) {
  generation.tries.Cease();
  if (generation.zygote == ZygoteState::kGone) return;
  lives.Move(generation.zygote, ZygoteState::kGone);
  generation.pool->stopping_zygotes.push_back(generation.number);
  worker_port->StopZygote(generation.pool->id, generation.number);
}

void Core::State::StartWorker(Generation& generation) {
  Pool& pool = *generation.pool;
  auto worker = std::make_unique<Worker>();
  worker->id = WorkerId{NumberOf(++last_worker)};
  worker->pool = pools.at(pool.id);
  worker->generation = generation.number;
  worker->origin = generation.first;
  worker->start_round = generation.tries.round();
  worker->started_at = now;
  pool.workers.push_back(worker.get());
  pool.Recount(*worker);
  ++pool.stats.workers_started;
  const WorkerId id = worker->id;
  workers.emplace(id, std::move(worker));
  worker_port->StartWorker(pool.id, generation.number, id);
}

// A pool that ran is tried for as long as it takes: what it has goes on, and what is wrong may be mended. One that is
// closing would never end so.
bool Core::State::GivesUp(const Generation& generation) {
  const Pool& pool = *generation.pool;
  if (!generation.tries.is_hopeless()) return false;
  if (&generation == pool.next.get() || !pool.has_run) return true;
  return pool.state == PoolState::kClosing && pool.counts.all_ready == 0;
}

// See StartTries for what counts.
void Core::State::NoteStartFailure(Generation& generation, std::uint32_t round, std::string why, LossCause cause) {
  if (!generation.tries.Failed(round, cause)) return;
  Pool& pool = *generation.pool;
  if (GivesUp(generation)) {
    return &generation == pool.next.get() ? RollBack(pool, why) : FailPool(pool, std::move(why));
  }
  if (generation.tries.TryAgain(now, std::move(why), cause)) client_port->StartsChanged();
  TellPoolWatchers(pool);
}

void Core::State::RetryStart(Generation& generation) {
  generation.tries.PauseIsOver();
  generation.pool->scaling_due = true;
  Reconcile(*generation.pool);
}

void Core::State::LearnFunctions(Pool& pool, Worker& worker, std::vector<FunctionInfo> functions) {
  std::vector<std::int32_t> numbers;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const std::uint32_t number = pool.FunctionNumber(functions[i].name);
    PoolFunction& function = pool.functions[number];
    if (pool.next == nullptr || !pool.functions_known) function.known = true;  // else when the reload is through
    if (function.result_type == nullptr) function.result_type = std::move(functions[i].result_type);
    if (functions[i].signature != nullptr) function.signature = std::move(functions[i].signature);
    if (number >= numbers.size()) numbers.resize(number + 1, -1);
    numbers[number] = static_cast<std::int32_t>(i);
  }
  worker.functions = std::make_shared<const std::vector<std::int32_t>>(std::move(numbers));
}

void Core::State::Stop(Worker& worker) {
  if (!worker.live()) return;
  worker.pool->UnlistIdle(&worker);
  worker.pool->scaling_due = true;
  lives.Move(worker.life, worker.ready() ? WorkerLife::kStopping : WorkerLife::kStartingStopped);
  worker.pool->Recount(worker);
  worker_port->StopWorker(worker.id);
}

void Core::State::Kill(Worker& worker, KilledBy why, Nanos grace) {
  worker.pool->UnlistIdle(&worker);
  worker.pool->scaling_due = true;
  if (worker.killed_by == KilledBy::kUnspecified) {
    worker.killed_by = why;
    lives.Move(worker.life, worker.ready() ? WorkerLife::kKilled : WorkerLife::kStartingKilled);
  }
  worker.pool->Recount(worker);
  const Nanos at = grace > kNever - now ? kNever : now + grace;
  if (at >= worker.kill_at) return;
  worker.kill_at = at;
  worker_port->KillWorker(worker.id, grace);
}

void Core::State::ZygoteIsReady(Pool& pool, std::uint32_t number) {
  Generation* generation = pool.FindZygote(number);
  if (generation == nullptr || generation->zygote != ZygoteState::kStarting) return;
  lives.Move(generation->zygote, ZygoteState::kReady);
  generation->zygote_ready_at = now;
  const bool missing = pool.counts.ready < pool.spec.workers;
  if (!missing && generation->tries.Started()) {
    client_port->StartsChanged();
    TellPoolWatchers(pool);
  }
  if (generation == pool.next.get() && pool.reload == ReloadLife::kPreparing) {
    lives.Move(pool.reload, ReloadLife::kReplacing);
    pool.stale_below = generation->first;
    pool.RecountAll();
  }
  pool.scaling_due = true;
  Reconcile(pool);
}

void Core::State::LoseZygote(Pool& pool, std::uint32_t number, std::string why, LossCause cause) {
  pool.scaling_due = true;
  std::erase(pool.stopping_zygotes, number);
  if (Generation* generation = pool.FindZygote(number)) {
    const bool was_ready = generation->zygote == ZygoteState::kReady;
    lives.Move(generation->zygote, ZygoteState::kGone);
    if (!was_ready && pool.dispatches()) {
      NoteStartFailure(*generation, generation->tries.round(),
                       why.empty() ? "the zygote ended before it was ready" : std::move(why), cause);
    } else if (was_ready && !pool.StartsFrom(number)) {
      StartTries& tries = generation->tries;
      tries.Ended(now, tries.round(), now - generation->zygote_ready_at, /*wanted=*/pool.dispatches());
    }
  }
  Reconcile(pool);
}

void Core::State::WorkerIsReady(Worker& worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page) {
  Pool& pool = *worker.pool;
  if (worker.ready()) return;
  lives.Move(worker.life, worker.live()       ? WorkerLife::kReady
                          : worker.stopping() ? WorkerLife::kStopping
                                              : WorkerLife::kKilled);
  pool.Recount(worker);
  worker.pid = pid;
  worker.mark = WorkerMark(worker.id, pid, worker.generation);
  worker.uses_page = uses_page;
  worker.progress_at = worker.ready_at = now;
  if (pool.spec.max_worker_age < kNever - now) {
    timers.Set(&worker.age_timer, now + pool.spec.max_worker_age, TimerKind::kWorkerAge, &worker);
  }
  Generation& origin = pool.OriginOf(worker);
  if (origin.tries.Started()) client_port->StartsChanged();
  pool.scaling_due = true;
  LearnFunctions(pool, worker, std::move(functions));
  if (worker.idle()) pool.ListIdle(&worker);
  if (!pool.functions_known && pool.dispatches()) {
    pool.functions_known = true;
    EndUnknownFunctions(pool);
  }
  CheckRunning(pool);
  TellPoolWatchers(pool);
  Reconcile(pool);
}

void Core::State::CheckRunning(Pool& pool) {
  if (pool.counts.all_ready < pool.spec.workers) return;
  pool.has_run = true;
  if (pool.state == PoolState::kStarting) ChangeState(pool, PoolState::kRunning);
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kClosing) AnswerOpenCalls(pool, absl::OkStatus());
  if (pool.state == PoolState::kRunning && pool.reload_wanted && pool.next == nullptr) BeginReload(pool);
}

// What was submitted before the functions were known.
void Core::State::EndUnknownFunctions(Pool& pool) {
  std::vector<Handle*> unknown;
  const auto note = [&](Handle& handle) {
    if (!pool.functions[handle.group->function].known) unknown.push_back(&handle);
  };
  for (const ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    ready->ForEach([&](Node* node) { note(*static_cast<Handle*>(node)); });
  }
  for (Node* node = pool.delayed.front(); node != nullptr; node = pool.delayed.After(node)) note(*AsTask(node));
  for (MapRun* map : pool.maps) {
    if (!map->linked()) note(*map);
  }
  std::string asked;
  std::string hint;
  for (Handle* handle : unknown) {
    const std::string& name = pool.functions[handle->group->function].name;
    // For one name: there may be as many as there are tasks.
    if (asked.empty()) hint = base::DidYouMean(asked = name, pool.FunctionNames());
    std::string message = "pool '" + pool.spec.name + "' has no function '" + name + "'";
    if (name == asked) message += hint;
    const OutcomePtr outcome =
        NeverStartedOutcome(TaskState::kFailed, "poold.UnknownFunction", message, handle->group->submitted_at);
    if (handle->is_map()) {
      EndReadyItems(*AsMap(handle), outcome);
      CheckMapDone(*AsMap(handle));
    } else {
      scheduler.Unqueue(*AsTask(handle));
      EndTask(*AsTask(handle), outcome);
    }
  }
}

}  // namespace poold::core
