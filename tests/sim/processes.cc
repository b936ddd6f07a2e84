// What zygotes and workers do, and time.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

using testing::FakeWork;
using testing::FakeWorker;
using testing::ZygoteKey;

// ---- What the core asks of them ----

void World::Processes::StartZygote(PoolId pool, std::uint32_t number, const PoolSpec& spec) {
  std::uint64_t others = 0;
  for (const auto& [key, zygote] : zygotes) others += key.first == pool && !zygote.stopping;
  if (others > 1) world->ledger_.Wrong("a pool has more than two zygotes");
  FakeProcesses::StartZygote(pool, number, spec);
  if (const Pool* known = world->FindPool(pool)) world->NewGeneration(*known, number);
}

void World::Processes::StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) {
  const auto zygote = zygotes.find({pool, generation});
  if (zygote == zygotes.end() || !zygote->second.ready || zygote->second.stopping) {
    world->ledger_.Wrong("a worker was asked of a zygote that is not there");
  }
  FakeProcesses::StartWorker(pool, generation, worker);
  world->NoteStart(pool, worker);
}

void World::Processes::Dispatch(WorkerId id, std::vector<Assignment> work) {
  world->NoteDispatch(workers.at(id), work);
  FakeProcesses::Dispatch(id, std::move(work));
}

void World::Processes::StopWorker(WorkerId id) {
  FakeProcesses::StopWorker(id);
  world->NoteStop(workers.at(id).pool, id);
}

// Some generations do not start, and what is loaded may have changed.
void World::NewGeneration(const Pool& pool, std::uint32_t number) {
  const bool reload = pool.next != nullptr && pool.next->number == number;
  const Generation& generation = reload ? *pool.next : *pool.present;
  const auto [at, added] = ledger_.generations.try_emplace({pool.id, generation.first});
  if (!added) return;
  KnownGeneration& known = at->second;
  known.functions = {"f", "g", "h"};
  std::rotate(known.functions.begin(), known.functions.begin() + static_cast<std::ptrdiff_t>(Any(3)),
              known.functions.end());
  if (reload && Chance(20)) known.functions.pop_back();
  if (Chance(reload ? 40 : 92)) return;
  known.doom = static_cast<Doom>(1 + Any(pool.spec.memory_limit_bytes != 0 ? 3 : 2));
}

KnownGeneration& World::GenerationOf(PoolId pool, std::uint32_t zygote) {
  return std::prev(ledger_.generations.upper_bound({pool, zygote}))->second;
}

bool World::HasWorkers(ZygoteKey zygote) const {
  return std::any_of(processes_.workers.begin(), processes_.workers.end(), [zygote](const auto& worker) {
    return ZygoteKey{worker.second.pool, worker.second.generation} == zygote;
  });
}

// ---- Starts ----

// Some shortages have no end but that of the history.
void World::ShortageComesOrGoes() {
  if (!endless_shortage_) short_ = Chance(50);
  endless_shortage_ |= short_ && Chance(10);
}

void World::ProcessStarts() {
  if (!StartZygotes(/*all_is_well=*/false)) StartWorkers(/*all_is_well=*/false);
}

// False: there is none that could do anything.
bool World::StartZygotes(bool all_is_well) {
  for (auto& [key, zygote] : processes_.zygotes) {
    if (zygote.stopping) {
      if (HasWorkers(key)) continue;
      ZygoteDies(key, "");
    } else if (zygote.ready) {
      continue;
    } else if (!all_is_well && short_) {
      ZygoteDies(key, "no descriptor is left", LossCause::kResources);
    } else if (!all_is_well && (GenerationOf(key.first, key.second).doom == Doom::kZygote || Chance(5))) {
      ZygoteDies(key, "bad module");
    } else {
      processes_.ZygoteReady(now_, key);
    }
    return true;
  }
  return false;
}

bool World::StartWorkers(bool all_is_well) {
  for (auto& [id, worker] : processes_.workers) {
    if (worker.ready) continue;
    const Doom doom = all_is_well ? Doom::kNone : GenerationOf(worker.pool, worker.generation).doom;
    if (doom == Doom::kMemory && !worker.killed) {
      ledger_.workers.at(id).over_limit = true;
      core_.OnWorkerUsage(now_, id, 1'000'000);
    } else if (!all_is_well && !worker.killed && short_) {
      Die(id, 0, "no process can be made", LossCause::kResources);
    } else if (!all_is_well && worker.killed && Chance(20)) {
      WorkerReady(worker);  // before it heard of that
    } else if (worker.killed || doom == Doom::kInitializer || (!all_is_well && Chance(5))) {
      Die(id, 6, worker.killed ? "" : "bad initializer");
    } else if (!processes_.zygotes.contains({worker.pool, worker.generation}) && Chance(50)) {
      Die(id, 0, "its zygote is gone");
    } else {
      WorkerReady(worker);
    }
    return true;
  }
  return false;
}

void World::WorkerReady(FakeWorker& worker) {
  KnownGeneration& generation = GenerationOf(worker.pool, worker.generation);
  generation.failures_in_a_row = 0;
  ledger_.workers.at(worker.id).functions = generation.functions;
  processes_.functions = generation.functions;
  worker.uses_page = !page_less_.contains(worker.pool) && Chance(95);
  processes_.WorkerReady(now_, worker.id);
}

// ---- Work ----

bool World::IsGuilty(const FakeWorker& worker) {
  const FakeWork& work = worker.work.front();
  KnownHandle* handle = nullptr;
  std::size_t index = 0;
  if (ledger_.ItemOf(work.Item(work.finished), &handle, &index) == nullptr) return false;
  return handle->IsGuilty(index) || (deadly_ && handle->function == "g");
}

// It goes on with what it has. False: it died.
bool World::Work(FakeWorker& worker) {
  if (!worker.running()) return processes_.Begin(worker), true;
  if (Chance(20)) SpeakFrom(worker);
  if (IsGuilty(worker)) return Chance(20) || (Die(worker.id, 11), false);
  if (!Chance(60)) return true;
  const bool succeeded = Chance(85);
  NoteEnd(worker, succeeded);
  processes_.End(worker, succeeded, AnyElapsed());
  // It does not wait for us. Without a page nothing could come between.
  if (!worker.uses_page || Chance(50)) processes_.Begin(worker);
  return true;
}

void World::WorkerDoes() {
  FakeWorker* worker = AnyWorker();
  if (worker == nullptr || !worker->ready) return;
  const WorkerId id = worker->id;
  if (!Work(*worker)) return;
  if (Chance(60)) processes_.Deliver(now_, id);
  const auto at = processes_.workers.find(id);
  if (at == processes_.workers.end()) return;
  const bool goes = at->second.killed ? Chance(50) : at->second.stopping && at->second.work.empty();
  if (goes || Chance(1)) Die(id, goes ? 15 : Chance(50) ? 11 : 9);
}

void World::SpeakFrom(FakeWorker& worker) {
  core_.OnOutput(now_, worker.id, worker.work.front().what.token, OutputStream::kStdout, Bytes(std::string("hello\n")));
  const FakeWork& work = worker.work.front();
  if (Chance(50)) core_.OnProgress(now_, worker.id, work.what.token, work.finished, 0.5, "half");
}

// Somebody looks at its memory.
void World::WorkerGrows() {
  constexpr std::uint64_t kSizes[] = {500, 1'000, 1'001, 2'000, 2'001};
  const FakeWorker* worker = AnyWorker();
  if (worker == nullptr) return;
  const Pool* pool = FindPool(worker->pool);
  const std::uint64_t rss_bytes = kSizes[Any(5)];
  const std::uint64_t limit = pool->spec.memory_limit_bytes;
  if (limit == 0 && pool->spec.max_worker_rss_bytes == 0) return;
  const WorkerId id = worker->id;
  const bool over = limit != 0 && rss_bytes > limit;
  const bool was_killed = worker->killed;
  if (over && !was_killed) ledger_.workers.at(id).over_limit = true;
  core_.OnWorkerUsage(now_, id, rss_bytes);
  worker = &processes_.workers.at(id);
  if (over && !was_killed && (!worker->killed || worker->grace != 0)) {
    ledger_.Wrong("a worker above its memory limit lives");
  }
  if (!over && worker->killed && !was_killed) ledger_.Wrong("a worker below its memory limit was killed");
}

// ---- Ends ----

void World::ProcessDies() {
  if (Chance(30) && !processes_.zygotes.empty()) {
    auto at = processes_.zygotes.begin();
    std::advance(at, Any(processes_.zygotes.size()));
    return ZygoteDies(at->first, "killed", LossCause::kOutsider);
  }
  if (const FakeWorker* worker = AnyWorker()) Die(worker->id, 9, "killed", LossCause::kOutsider);
}

void World::ZygoteDies(ZygoteKey key, const std::string& why, LossCause cause) {
  const testing::FakeZygote& zygote = processes_.zygotes.at(key);
  if (!zygote.ready && !zygote.stopping && cause == LossCause::kItself) {
    ++ledger_.pools.at(key.first).start_failures;
    ++GenerationOf(key.first, key.second).failures_in_a_row;
  }
  processes_.ZygoteDies(now_, key, why, cause);
}

void World::Die(WorkerId id, int signal, const std::string& start_failure, LossCause cause) {
  breaking_ = PoolId{};
  dying_of_ = cause;
  const PoolId pool = processes_.workers.at(id).pool;
  processes_.Die(now_, id, signal, start_failure, cause);
  if (breaking_ == pool) CheckStrict(pool);
}

// ---- Time ----

// Each timer ends a handle at most, but for one of a call that waited for many, and for one that lets others go on.
void World::Tick() {
  Bounded("a tick", limits_.slice + 64, [this] { core_.OnTick(now_); });
}

void World::TimePasses(Nanos most) {
  constexpr int kMostSlices = 64;  // that all there is takes
  const Nanos end = now_ + static_cast<Nanos>(Any(static_cast<std::uint64_t>(most)));
  int ticks = 0;  // since time passed
  while (core_.NextTimer() <= end && ledger_.wrong.empty()) {
    const Nanos before = std::exchange(now_, std::max(now_, core_.NextTimer() + (Chance(10) ? 1000 : 0)));  // or late
    ticks = now_ > before ? 1 : ticks + 1;
    Tick();
    CheckTurns();
    if (limits_.slice == kSlice && ticks > kMostSlices) {
      ledger_.Wrong("NextTimer says something is due that OnTick did not do");
    }
  }
  now_ = std::max(now_, end);
  const std::uint64_t heard = heard_;
  core_.OnTick(now_);  // early: nothing is due
  if (heard != heard_) ledger_.Wrong("a tick before NextTimer did something");
}

}  // namespace poold::core::sim
