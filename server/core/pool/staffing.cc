#include "core/pool/staffing.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace poold::core {
namespace {

// Replacements that get ready at a time.
std::uint64_t SurplusOf(std::uint64_t wanted) { return std::max<std::uint64_t>(1, wanted / 8); }

// Those that were told to go and are slow about it are not replaced without end.
std::uint64_t MostProcesses(const Pool& pool) {
  return 3 * std::uint64_t{pool.spec.workers} + 2 * std::uint64_t{pool.spec.spares} + 2;
}

// With START_METHOD_FRESH a worker that has its task has been told to go: the others are those that wait for one. So
// the next one is cloned when a task is handed out to the last but `spares`. Elsewhere, what wants a fresh worker gets
// it beside those that have run something: these are not lost to the others.
std::uint64_t WantedWorkers(const Pool& pool, const WorkerCounts& counts) {
  if (pool.fresh()) return pool.slots() + pool.spec.spares;
  if (pool.ready_fresh.empty()) return pool.spec.workers;
  const Handle& next = *static_cast<const Handle*>(pool.ready_fresh.Next());
  const std::uint64_t items = next.is_map() ? static_cast<const MapRun&>(next).items.ready() : 1;
  const std::uint64_t waiting = std::max<std::uint64_t>(items, pool.ready_fresh.size());
  const std::uint64_t used = std::min<std::uint64_t>(counts.used, pool.spec.workers);
  return std::max<std::uint64_t>(pool.spec.workers, used + std::min<std::uint64_t>(waiting, pool.spec.workers));
}

// A pool that ran is tried for as long as it takes: what it has goes on, and what is wrong may be mended. One that is
// closing would never end so.
bool GivesUp(const Generation& generation) {
  const Pool& pool = *generation.pool;
  if (!generation.tries.is_hopeless()) return false;
  if (&generation == pool.next.get() || !pool.has_run) return true;
  return pool.state == PoolState::kClosing && pool.counts.all_ready == 0;
}

// Whether the death breaks the pool. Not what we did to the worker. One that was told to go (recycled, or fresh) and
// still runs its last task counts.
bool Breaks(const Worker& worker, bool has_guilty) {
  const Pool& pool = *worker.pool;
  if (pool.spec.death_policy != DeathPolicy::kStrict || !pool.dispatches() || !worker.ready()) return false;
  if (worker.killed_by != KilledBy::kUnspecified) return false;
  return !worker.stopping() || has_guilty;
}

}  // namespace

void Staffing::Scale(Pool& pool) {
  pool.scaling.Done();
  if (!pool.dispatches() || (pool.state == PoolState::kClosing && pool.unfinished == 0)) return;
  StopSurplus(pool);
  StartMissing(pool);
  pool.scaling.Done();
  CheckReload(pool);
}

void Staffing::StopSurplus(Pool& pool) {
  const WorkerCounts counts = pool.counts;
  const std::uint64_t wanted = WantedWorkers(pool, counts);
  const bool some_leave = counts.staying < counts.live;
  std::uint64_t surplus = counts.ready > wanted ? counts.ready - wanted : 0;
  const bool many_used = !pool.ready_fresh.empty() && surplus == 0 && counts.used > pool.spec.workers;
  if (many_used) {
    StopUsed(pool, counts.used - pool.spec.workers);
  }
  for (Node* node = pool.idle.front(); node != nullptr && surplus > 0;) {
    Worker& worker = *AsWorker(node);
    node = pool.idle.After(node);
    if (some_leave && !pool.Leaving(worker)) continue;
    Stop(worker);
    --surplus;
  }
  pool.draining = some_leave && surplus > 0;
}

// Those that were kept for what wants a fresh worker and got something else are in the way of others like them.
void Staffing::StopUsed(Pool& pool, std::uint64_t most) {
  for (Node* node = pool.idle.front(); node != nullptr && most > 0;) {
    Worker& worker = *AsWorker(node);
    node = pool.idle.After(node);
    if (worker.dispatches == 0) continue;
    Stop(worker);
    --most;
  }
}

void Staffing::StartMissing(Pool& pool) {
  WorkerCounts counts = pool.counts;
  const std::uint64_t wanted = WantedWorkers(pool, counts);
  Generation& newest = pool.reload == ReloadLife::kReplacing ? *pool.next : *pool.present;
  StartZygotes(pool, counts.live < wanted);
  const auto start = [&](Generation& origin, std::uint64_t most) {
    while (origin.may_start() && counts.live < most && pool.workers.size() < MostProcesses(pool)) {
      StartWorker(origin);
      ++counts.live;
      counts.staying += origin.first >= pool.stale_below;
    }
  };
  start(newest, wanted);
  start(*pool.present, wanted);  // while the next generation has its pauses
  if (counts.staying < wanted)
    start(newest, std::min(wanted + SurplusOf(wanted), counts.live + wanted - counts.staying));
}

// The zygote of a generation that is being replaced is not needed until workers are.
void Staffing::StartZygotes(Pool& pool, bool missing) {
  for (Generation* generation : {pool.next.get(), pool.present.get()}) {
    if (generation == nullptr || generation->zygote != ZygoteState::kGone || generation->tries.pauses()) {
      continue;
    }
    if (generation == pool.present.get() && pool.next != nullptr && !(missing && !pool.next->may_start())) continue;
    StartZygote(*generation);
  }
}

// Those that serve nobody yet go first, then idle ones, then busy ones after what they run.
std::vector<Worker*> Staffing::Surplus(Pool& pool) {
  std::vector<Worker*> live;
  for (Worker* worker : pool.workers) {
    if (worker->live()) live.push_back(worker);
  }
  const auto usefulness = [&pool](const Worker* worker) {
    const int leaving = pool.Leaving(*worker) ? 0 : 1;
    return !worker->ready() ? 0 : worker->sent.empty() ? 1 + leaving : 3 + leaving;
  };
  std::stable_sort(live.begin(), live.end(),
                   [&](const Worker* a, const Worker* b) { return usefulness(a) < usefulness(b); });
  const std::uint64_t wanted = WantedWorkers(pool, pool.counts);
  live.resize(live.size() > wanted ? live.size() - wanted : 0);
  return live;
}

bool Staffing::TakeUsage(Worker& worker, std::uint64_t rss_bytes) {
  const PoolSpec& spec = worker.pool->spec;
  worker.rss_bytes = rss_bytes;
  if (spec.memory_limit_bytes != 0 && rss_bytes > spec.memory_limit_bytes) {
    if (worker.killed_by != KilledBy::kUnspecified) return false;
    Kill(worker, KilledBy::kMemoryLimit, 0);
    return true;
  }
  // One that has run nothing is as small as they get.
  return spec.max_worker_rss_bytes != 0 && rss_bytes > spec.max_worker_rss_bytes && worker.dispatches > 0 &&
         WearOut(worker);
}

bool Staffing::WearOut(Worker& worker) {
  if (worker.replacement_due || !worker.live()) return false;
  Pool& pool = *worker.pool;
  worker.replacement_due = true;
  pool.Recount(worker);
  ++pool.stats.recycled;
  pool.scaling.Ask();
  if (faults_.replace_early) Stop(worker);
  return true;
}

Worker* Staffing::Find(WorkerId id) const {
  const auto at = workers_.find(id);
  return at == workers_.end() ? nullptr : at->second.get();
}

void Staffing::StartZygote(Generation& generation) {
  Pool& pool = *generation.pool;
  generation.number = ++pool.last_zygote;
  if (generation.first == 0) generation.first = generation.number;
  lives_->Move(generation.zygote, ZygoteState::kStarting);
  port_->StartZygote(pool.id, generation.number, pool.spec);
}

void Staffing::StopZygote(Generation& generation) {
  generation.tries.Cease();
  if (generation.zygote == ZygoteState::kGone) return;
  lives_->Move(generation.zygote, ZygoteState::kGone);
  generation.pool->stopping_zygotes.push_back(generation.number);
  port_->StopZygote(generation.pool->id, generation.number);
}

void Staffing::StartWorker(Generation& generation) {
  Pool& pool = *generation.pool;
  auto worker = std::make_unique<Worker>();
  worker->id = WorkerId{NumberIn(shard_, ++last_worker_)};
  worker->pool = pool.shared_from_this();
  worker->generation = generation.number;
  worker->origin = generation.first;
  worker->start_round = generation.tries.round();
  worker->started_at = now_;
  pool.workers.push_back(worker.get());
  pool.Recount(*worker);
  ++pool.stats.workers_started;
  const WorkerId id = worker->id;
  workers_.emplace(id, std::move(worker));
  port_->StartWorker(pool.id, generation.number, id);
}

// See StartTries for what counts.
void Staffing::NoteStartFailure(Generation& generation, std::uint32_t round, std::string why, LossCause cause) {
  if (!generation.tries.Failed(round, cause)) return;
  Pool& pool = *generation.pool;
  if (GivesUp(generation)) {
    return &generation == pool.next.get() ? RollBack(pool, why) : listener_->DoesNotStart(pool, std::move(why));
  }
  if (generation.tries.TryAgain(now_, std::move(why), cause)) listener_->StartsChanged();
  listener_->PoolChanged(pool);
}

void Staffing::RetryStart(Generation& generation) {
  generation.tries.PauseIsOver();
  generation.pool->scaling.Ask();
}

void Staffing::LearnFunctions(Pool& pool, Worker& worker, std::vector<FunctionInfo> functions) {
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

void Staffing::Stop(Worker& worker) {
  if (!worker.live()) return;
  worker.pool->UnlistIdle(&worker);
  worker.pool->scaling.Ask();
  lives_->Move(worker.life, worker.ready() ? WorkerLife::kStopping : WorkerLife::kStartingStopped);
  worker.pool->Recount(worker);
  port_->StopWorker(worker.id);
}

void Staffing::Recycle(Worker& worker) {
  worker.pool->stats.recycled += !worker.stopping();
  Stop(worker);
}

void Staffing::Kill(Worker& worker, KilledBy why, Nanos grace) {
  worker.pool->UnlistIdle(&worker);
  worker.pool->scaling.Ask();
  if (worker.killed_by == KilledBy::kUnspecified) {
    worker.killed_by = why;
    lives_->Move(worker.life, worker.ready() ? WorkerLife::kKilled : WorkerLife::kStartingKilled);
  }
  worker.pool->Recount(worker);
  const Nanos at = After(now_, grace);
  if (at >= worker.kill_at) return;
  worker.kill_at = at;
  port_->KillWorker(worker.id, grace);
}

bool Staffing::ZygoteIsReady(Pool& pool, std::uint32_t number) {
  Generation* generation = pool.FindZygote(number);
  if (generation == nullptr || generation->zygote != ZygoteState::kStarting) return false;
  lives_->Move(generation->zygote, ZygoteState::kReady);
  generation->zygote_ready_at = now_;
  const bool missing = pool.counts.ready < pool.spec.workers;
  if (!missing && generation->tries.Started()) {
    listener_->StartsChanged();
    listener_->PoolChanged(pool);
  }
  if (generation == pool.next.get() && pool.reload == ReloadLife::kPreparing) {
    lives_->Move(pool.reload, ReloadLife::kReplacing);
    pool.stale_below = generation->first;
    pool.RecountAll();
  }
  pool.scaling.Ask();
  return true;
}

void Staffing::ZygoteIsLost(Pool& pool, std::uint32_t number, std::string why, LossCause cause) {
  pool.scaling.Ask();
  std::erase(pool.stopping_zygotes, number);
  if (Generation* generation = pool.FindZygote(number)) {
    const bool was_ready = generation->zygote == ZygoteState::kReady;
    lives_->Move(generation->zygote, ZygoteState::kGone);
    if (!was_ready && pool.dispatches()) {
      NoteStartFailure(*generation, generation->tries.round(),
                       why.empty() ? "the zygote ended before it was ready" : std::move(why), cause);
    } else if (was_ready && !pool.StartsFrom(number)) {
      StartTries& tries = generation->tries;
      tries.Ended(now_, tries.round(), now_ - generation->zygote_ready_at, /*wanted=*/pool.dispatches());
    }
  }
}

bool Staffing::WorkerIsReady(Worker& worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page) {
  Pool& pool = *worker.pool;
  if (worker.ready()) return false;
  lives_->Move(worker.life, worker.live()       ? WorkerLife::kReady
                            : worker.stopping() ? WorkerLife::kStopping
                                                : WorkerLife::kKilled);
  pool.Recount(worker);
  worker.pid = pid;
  worker.mark = WorkerMark(worker.id, pid, worker.generation);
  worker.uses_page = uses_page;
  worker.progress_at = worker.ready_at = now_;
  if (pool.spec.max_worker_age < kNever - now_) {
    timers_->Set(&worker.age_timer, now_ + pool.spec.max_worker_age, TimerKind::kWorkerAge, &worker);
  }
  Generation& origin = pool.OriginOf(worker);
  if (origin.tries.Started()) listener_->StartsChanged();
  pool.scaling.Ask();
  LearnFunctions(pool, worker, std::move(functions));
  if (worker.idle()) pool.ListIdle(&worker);
  if (!pool.functions_known && pool.dispatches()) {
    pool.functions_known = true;
    listener_->FunctionsAreKnown(pool, /*reloaded=*/false);
  }
  CheckReady(pool);
  listener_->PoolChanged(pool);
  return true;
}

void Staffing::CheckReady(Pool& pool) {
  if (pool.counts.all_ready < pool.spec.workers) return;
  pool.has_run = true;
  listener_->AllAreReady(pool);
  if (pool.state == PoolState::kRunning && pool.reload_wanted && pool.next == nullptr) BeginReload(pool);
}

void Staffing::Open(Pool& pool) { StartZygote(*pool.present); }

void Staffing::WindDown(Pool& pool) {
  pool.present->tries.Cease();
  if (pool.counts.live > 0) {
    for (Worker* worker : pool.workers) Stop(*worker);
  }
  if (pool.workers.empty()) StopZygote(*pool.present);
}

void Staffing::KillAll(Pool& pool, Nanos grace) {
  const std::vector<Worker*> workers = pool.workers;
  for (Worker* worker : workers) Kill(*worker, KilledBy::kTerminate, grace);
  StopZygote(*pool.present);
}

Staffing::Loss Staffing::NoteLoss(Worker& worker, DeathCertificate& death, bool has_guilty) {
  death.generation = worker.generation;
  death.worker = worker.id;
  if (death.pid == 0) death.pid = worker.pid;
  if (worker.killed_by != KilledBy::kUnspecified) {
    death.killed_by = worker.killed_by;
  } else if (death.killed_by == KilledBy::kUnspecified) {
    death.killed_by = death.signal == SIGKILL || death.signal == SIGTERM ? KilledBy::kOutsider : KilledBy::kItself;
  }
  const Loss loss{worker.ready(), !worker.live(), Breaks(worker, has_guilty)};
  worker.pool->broken |= loss.breaks;
  lives_->Move(worker.life, WorkerLife::kLost);
  worker.pool->Recount(worker);
  return loss;
}

void Staffing::Forget(Worker& worker, const Loss& loss, std::string why, LossCause cause) {
  Pool& pool = *worker.pool;
  pool.UnlistIdle(&worker);
  pool.Remove(worker);
  ++pool.stats.workers_lost;
  const std::uint32_t round = worker.start_round;
  const Nanos lived = now_ - worker.ready_at;
  const bool by_memory = worker.killed_by == KilledBy::kMemoryLimit;
  const bool wasted = worker.dispatches == 0 && loss.was_ready && (!loss.expected || by_memory);
  timers_->Clear(&worker.age_timer);
  Generation& generation = pool.OriginOf(worker);
  const std::unique_ptr<Worker> gone = std::move(workers_.extract(worker.id).mapped());
  pool.scaling.Ask();
  listener_->PoolChanged(pool);
  if (!loss.was_ready && (!loss.expected || by_memory) && pool.dispatches()) {
    if (why.empty()) why = "a worker ended before it was ready";
    if (by_memory) why = "a worker was above memory_limit_bytes before it was ready";
    NoteStartFailure(generation, round, std::move(why), by_memory ? LossCause::kItself : cause);
  }
  if (wasted) generation.tries.Ended(now_, round, lived, /*wanted=*/pool.dispatches());
}

std::string Staffing::Check(const Pool& pool) {
  if ((pool.reload != ReloadLife::kNone) != (pool.next != nullptr)) return "a reload has no next generation";
  const bool replaces = pool.next != nullptr && pool.stale_below == pool.next->first;
  if ((pool.reload == ReloadLife::kReplacing) != replaces) return "it is not known which workers are stale";
  WorkerCounts counts;
  for (const Worker* worker : pool.workers) {
    const bool dies = worker->life == WorkerLife::kKilled || worker->life == WorkerLife::kStartingKilled;
    if (dies != (worker->killed_by != KilledBy::kUnspecified)) return "a worker is killed, and nobody knows why";
    if (worker->life == WorkerLife::kLost) return "a worker is listed that is lost";
    counts += pool.CountsOf(*worker);
  }
  return counts == pool.counts ? "" : "workers are miscounted";
}

void Staffing::Reload(Pool& pool) {
  pool.reload_wanted = true;
  if (pool.state == PoolState::kRunning && pool.next == nullptr) BeginReload(pool);
}

void Staffing::BeginReload(Pool& pool) {
  pool.reload_wanted = false;
  listener_->ReloadBegins(pool);
  lives_->Move(pool.reload, ReloadLife::kPreparing);
  pool.next = std::make_unique<Generation>(&pool, timers_);
  StartZygote(*pool.next);
  listener_->PoolChanged(pool);
}

// Over when nobody of the present generation is left.
void Staffing::CheckReload(Pool& pool) {
  if (pool.reload != ReloadLife::kReplacing || pool.counts.stale > 0) return;
  if (pool.counts.ready < pool.spec.workers) return;
  StopZygote(*pool.present);
  lives_->Move(pool.reload, ReloadLife::kNone);
  pool.present = std::move(pool.next);
  pool.reload_failure.clear();
  ++pool.stats.reloads;
  ForgetFunctions(pool);
  listener_->FunctionsAreKnown(pool, /*reloaded=*/true);
  EndReload(pool, /*replaced=*/true);
}

void Staffing::RollBack(Pool& pool, std::string_view why) {
  pool.reload_failure = std::string(why);
  ++pool.stats.rollbacks;
  DropNext(pool);
  for (Worker* worker : pool.workers) worker->replacement_due |= worker->origin > pool.present->first;
  pool.RecountAll();
  EndReload(pool, /*replaced=*/false);
}

void Staffing::AbandonReload(Pool& pool) {
  pool.reload_wanted = false;
  if (pool.next != nullptr) DropNext(pool);
}

void Staffing::DropNext(Pool& pool) {
  StopZygote(*pool.next);
  lives_->Move(pool.reload, ReloadLife::kNone);
  pool.stale_below = pool.present->first;
  const std::uint32_t origin = pool.next->first;
  pool.next = nullptr;
  pool.RecountAll();
  pool.scaling.Ask();
  const std::vector<Worker*> workers = pool.workers;
  for (Worker* worker : workers) {
    if (worker->origin == origin && !worker->ready()) Kill(*worker, KilledBy::kTerminate, 0);
  }
}

void Staffing::EndReload(Pool& pool, bool replaced) {
  listener_->ReloadEnds(pool, replaced);
  if (pool.reload_wanted && pool.state == PoolState::kRunning) BeginReload(pool);
}

// The functions are those of the new workers.
void Staffing::ForgetFunctions(Pool& pool) {
  for (std::uint32_t number = 0; number < pool.functions.size(); ++number) {
    pool.functions[number].known =
        std::any_of(pool.workers.begin(), pool.workers.end(), [number](const Worker* worker) {
          return worker->functions != nullptr && number < worker->functions->size() &&
                 (*worker->functions)[number] >= 0;
        });
  }
}

}  // namespace poold::core
