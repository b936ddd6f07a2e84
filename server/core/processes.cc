// Zygotes and workers: starting them, learning what they can, ending them.
#include "core/state.h"

namespace poold::core {
namespace {

// Before each new try of something that did not start.
constexpr Nanos kStartPauses[] = {100 * kMillisecond, 400 * kMillisecond, 1600 * kMillisecond};

}  // namespace

Worker* Core::State::FindWorker(WorkerId id) const {
  const auto at = workers.find(id);
  return at == workers.end() ? nullptr : at->second.get();
}

void Core::State::StartZygote(Pool& pool) {
  pool.zygote = ZygoteState::kStarting;
  worker_port->StartZygote(pool.id, ++pool.generation, pool.spec);
}

void Core::State::StartMissingWorkers(Pool& pool) {
  if (!pool.dispatches() || pool.start_timer != kNoTimer) return;
  if (pool.state == PoolState::kClosing && pool.unfinished == 0) return;
  if (pool.zygote == ZygoteState::kGone) return StartZygote(pool);
  if (pool.zygote != ZygoteState::kReady) return;
  std::uint64_t there = 0;
  for (const Worker* worker : pool.workers) {
    there += !worker->stopping && worker->killed_by == KilledBy::kUnspecified;
  }
  for (; there < pool.spec.workers; ++there) StartWorker(pool);
}

void Core::State::StartWorker(Pool& pool) {
  auto worker = std::make_unique<Worker>();
  worker->id = WorkerId{++last_worker};
  worker->pool = pools.at(pool.id);
  worker->generation = pool.generation;
  worker->start_round = pool.start_round;
  worker->started_at = now;
  pool.workers.push_back(worker.get());
  ++pool.stats.workers_started;
  const WorkerId id = worker->id;
  workers.emplace(id, std::move(worker));
  worker_port->StartWorker(pool.id, pool.generation, id);
}

// Those that fail together count as one try.
void Core::State::NoteStartFailure(Pool& pool, std::uint32_t round, std::string why) {
  if (round != pool.start_round || pool.start_timer != kNoTimer) return;
  if (pool.start_failures >= std::size(kStartPauses)) return FailPool(pool, std::move(why));
  timers.Set(&pool.start_timer, now + kStartPauses[pool.start_failures++], TimerKind::kPoolStart, &pool);
}

void Core::State::RetryStart(Pool& pool) {
  ++pool.start_round;
  StartMissingWorkers(pool);
  Settle(pool);
}

void Core::State::LearnFunctions(Pool& pool, Worker& worker, std::vector<FunctionInfo> functions) {
  std::vector<std::int32_t> numbers;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const std::uint32_t number = pool.FunctionNumber(functions[i].name);
    PoolFunction& function = pool.functions[number];
    function.known = true;
    if (function.result_type == nullptr) function.result_type = std::move(functions[i].result_type);
    if (number >= numbers.size()) numbers.resize(number + 1, -1);
    numbers[number] = static_cast<std::int32_t>(i);
  }
  worker.functions = std::make_shared<const std::vector<std::int32_t>>(std::move(numbers));
}

void Core::State::Stop(Worker& worker) {
  if (worker.stopping || worker.killed_by != KilledBy::kUnspecified) return;
  worker.pool->UnlistIdle(&worker);
  worker.stopping = true;
  worker_port->StopWorker(worker.id);
}

void Core::State::Kill(Worker& worker, KilledBy why, Nanos grace) {
  worker.pool->UnlistIdle(&worker);
  if (worker.killed_by == KilledBy::kUnspecified) worker.killed_by = why;
  worker_port->KillWorker(worker.id, grace);
}

void Core::State::ZygoteIsReady(Pool& pool) {
  if (pool.zygote != ZygoteState::kStarting) return;
  pool.zygote = ZygoteState::kReady;
  StartMissingWorkers(pool);
  Advance(pool);
}

void Core::State::LoseZygote(Pool& pool, std::string why) {
  const ZygoteState was = pool.zygote;
  pool.zygote = ZygoteState::kGone;
  if (was == ZygoteState::kStarting && pool.dispatches()) {
    NoteStartFailure(pool, pool.start_round, why.empty() ? "the zygote ended before it was ready" : std::move(why));
  }
  StartMissingWorkers(pool);
  Settle(pool);
}

void Core::State::WorkerIsReady(Worker& worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page) {
  Pool& pool = *worker.pool;
  if (worker.ready) return;
  worker.ready = true;
  worker.pid = pid;
  worker.uses_page = uses_page;
  worker.progress_at = now;
  pool.start_failures = 0;
  LearnFunctions(pool, worker, std::move(functions));
  if (worker.idle()) pool.ListIdle(&worker);
  if (!pool.functions_known && pool.dispatches()) {
    pool.functions_known = true;
    EndUnknownFunctions(pool);
  }
  std::uint64_t ready = 0;
  for (const Worker* other : pool.workers) ready += other->ready;
  if (ready >= pool.spec.workers) {
    if (pool.state == PoolState::kStarting) ChangeState(pool, PoolState::kRunning);
    if (pool.state == PoolState::kRunning || pool.state == PoolState::kClosing) AnswerOpenCalls(pool, absl::OkStatus());
  }
  TellPoolWatchers(pool);
  Settle(pool);
}

// What was submitted before the functions were known.
void Core::State::EndUnknownFunctions(Pool& pool) {
  std::vector<Handle*> unknown;
  const auto note = [&](Handle& handle) {
    if (!pool.functions[handle.group->function].known) unknown.push_back(&handle);
  };
  pool.ready.ForEach([&](Node* node) { note(*static_cast<Handle*>(node)); });
  for (Node* node = pool.delayed.front(); node != nullptr; node = pool.delayed.After(node)) note(*AsTask(node));
  for (MapRun* map : pool.maps) {
    if (!map->linked()) note(*map);
  }
  for (Handle* handle : unknown) {
    const std::string& name = pool.functions[handle->group->function].name;
    const std::string nearest = NearestName(name, pool.FunctionNames());
    std::string message = "pool '" + pool.spec.name + "' has no function '" + name + "'";
    if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
    const OutcomePtr outcome = Stillborn(TaskState::kFailed, "poold.UnknownFunction", message, handle->submitted_at);
    if (handle->is_map()) {
      EndReadyItems(*AsMap(handle), outcome);
      CheckMapDone(*AsMap(handle));
    } else {
      Unqueue(*AsTask(handle));
      EndTask(*AsTask(handle), outcome);
    }
  }
}

}  // namespace poold::core
