#include "core/core.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/read/explain.h"
#include "core/state.h"

namespace poold::core {

Core::Core(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard)
    : state_(std::make_unique<State>(limits, workers, clients, seed, shard)) {}
Core::~Core() = default;

Core::State::~State() = default;

// ---- Pools ----

void Core::OnOpenPool(Nanos now, SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere,
                      HandleId creation) {
  state_->Begin(now);
  state_->OpenPool(call, std::move(spec), owner, elsewhere, creation);
}

void Core::OnClientPresent(Nanos now, ClientId client, const ClientOrigin& origin) {
  state_->Begin(now);
  state_->NotePresence(client, true);
  if (!state_->shutting_down) state_->endings.kept().Comes(client, origin);
}

void Core::OnClientAbsent(Nanos now, ClientId client) {
  state_->Begin(now);
  state_->NotePresence(client, false);
  state_->ClientGoes(client);
}

ClientView Core::ViewClient(ClientId client) const { return state_->endings.kept().View(client); }

std::vector<ClientView> Core::HeldUpClients() const { return state_->endings.kept().ViewHeldUp(); }

absl::StatusOr<PoolView> Core::OnResize(Nanos now, std::string_view name, std::uint32_t workers) {
  state_->Begin(now);
  return state_->Resize(name, workers);
}

void Core::OnReload(Nanos now, SubscriberId call, std::string_view name) {
  state_->Begin(now);
  state_->Reload(call, name);
}

void Core::OnClose(Nanos now, SubscriberId call, std::string_view name, bool cancel_queued) {
  state_->Begin(now);
  absl::StatusOr<std::shared_ptr<Pool>> pool = state_->pools.Find(name);
  if (!pool.ok()) return state_->client_port->AnswerClose(call, pool.status());
  state_->ClosePool(**pool, cancel_queued);
  if (cancel_queued && (*pool)->sweep == Sweep::kUnbegun) {
    state_->waits.Close(CallsOf(*pool), call, (*pool)->swept);
  } else {
    state_->client_port->AnswerClose(call, 0);
  }
  state_->Settle();
}

void Core::OnTerminate(Nanos now, SubscriberId call, std::string_view name, Nanos grace, bool forget) {
  state_->Begin(now);
  absl::StatusOr<std::shared_ptr<Pool>> pool = state_->pools.Find(name);
  if (!pool.ok()) return state_->client_port->AnswerTerminate(call, pool.status());
  (*pool)->forget |= forget;
  if ((*pool)->gone) {
    state_->client_port->AnswerTerminate(call, 0);
    return state_->pools.ForgetIfGone(**pool);
  }
  state_->waits.Terminate(CallsOf(*pool), call);
  state_->TerminatePool(**pool, grace, "its pool was terminated");
  state_->Settle();
}

void Core::OnJoin(Nanos now, SubscriberId call, std::string_view name, Nanos wait_timeout) {
  state_->Begin(now);
  absl::StatusOr<std::shared_ptr<Pool>> pool = state_->pools.Find(name);
  if (!pool.ok()) return state_->client_port->AnswerJoin(call, pool.status());
  const PoolState state = (*pool)->state;
  if (state == PoolState::kStarting || state == PoolState::kRunning) {
    return state_->client_port->AnswerJoin(
        call,
        MakeError(reason::kPoolStillRunning,
                  absl::StrCat("pool '", (*pool)->spec.name, "' is still running; close or terminate it first"), name));
  }
  if ((*pool)->gone) return state_->client_port->AnswerJoin(call, true);
  if (wait_timeout <= 0) return state_->client_port->AnswerJoin(call, false);
  state_->waits.Join(now, CallsOf(*pool), call, wait_timeout);
}

absl::StatusOr<PoolView> Core::ViewPool(std::string_view name) const {
  absl::StatusOr<std::shared_ptr<Pool>> pool = state_->pools.Find(name);
  if (!pool.ok()) return pool.status();
  return state_->ViewOf(**pool);
}

std::vector<FunctionInfo> Core::ViewFunctions(std::string_view name) const {
  absl::StatusOr<std::shared_ptr<Pool>> pool = state_->pools.Find(name);
  std::vector<FunctionInfo> functions;
  if (!pool.ok()) return functions;
  for (const PoolFunction& function : (*pool)->functions) {
    if (function.known) functions.push_back({function.name, function.result_type, function.signature});
  }
  return functions;
}

std::vector<PoolView> Core::ViewPools() const {
  std::vector<PoolView> views;
  for (const auto& [id, pool] : state_->pools.all()) {
    if (state_->pools.FindOrNull(pool->spec.name) == pool) views.push_back(state_->ViewOf(*pool));
  }
  return views;
}

Load Core::load() const {
  Load load;
  for (const auto& [id, pool] : state_->pools.all()) {
    if (!pool->live()) continue;
    ++load.pools;
    load.workers += pool->spec.workers;
  }
  return load;
}

MemoryUse Core::memory() const { return {state_->store.TaskBytes(), state_->endings.kept().room().used()}; }

std::vector<std::string> Core::PoolNames() const {
  std::vector<std::string> names;
  for (const auto& [id, pool] : state_->pools.all()) {
    if (pool->live()) names.push_back(pool->spec.name);
  }
  return names;
}

std::vector<std::string> Core::FunctionNames(std::string_view pool) const {
  const std::shared_ptr<Pool> known = state_->pools.FindOrNull(pool);
  return known == nullptr ? std::vector<std::string>() : known->FunctionNames();
}

bool Core::KnowsPool(std::string_view name) const { return state_->pools.FindOrNull(name) != nullptr; }

// ---- Handles ----

Submissions::Taker Core::State::TakerNamed(std::string_view name) const {
  if (shutting_down) {
    return MakeError(reason::kShuttingDown, "the daemon is shutting down", "", kSecond);
  }
  absl::StatusOr<std::shared_ptr<Pool>> pool = pools.Find(name);
  if (!pool.ok()) return pool.status();
  if ((*pool)->state == PoolState::kFailed) return FailureOf(**pool);
  if ((*pool)->state != PoolState::kStarting && (*pool)->state != PoolState::kRunning) {
    return MakeError(reason::kPoolNotRunning,
                     absl::StrCat("pool '", (*pool)->spec.name, "' was closed; open it anew to submit"), name);
  }
  return pool;
}

HandleId Core::NewHandle() { return state_->store.NewId(); }

Known Core::Knows(const HandleId& id) const {
  bool known = false;
  if (state_->store.Find(id, &known) != nullptr) return Known::kYes;
  return known ? Known::kReleased : Known::kNo;
}

void Core::OnSubmit(Nanos now, const TaskGroup& group, std::span<NewTask> tasks, std::vector<Refusal>* refused) {
  state_->Begin(now);
  const Submissions::Taker pool = state_->TakerNamed(group.pool);
  if (state_->submissions.Submit(pool, group, tasks, refused)) state_->Reconcile(**pool);
}

absl::StatusOr<std::uint64_t> Core::OnMap(Nanos now, const MapGroup& group) {
  state_->Begin(now);
  if (Handle* const known = state_->store.Find(group.id)) state_->ReachAsked(*known);
  std::shared_ptr<Pool> grown;
  absl::StatusOr<std::uint64_t> items = state_->submissions.SubmitMap(state_->TakerNamed(group.pool), group, &grown);
  if (grown != nullptr) state_->Reconcile(*grown);
  return items;
}

absl::Status Core::OnSubscribe(Nanos now, SubscriberId subscriber, HandleId id, std::uint64_t first_index) {
  state_->Begin(now);
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  Subscriber* known = state_->delivery.streams().Find(subscriber);
  if (known != nullptr) state_->delivery.Subscribe(**handle, known, first_index);
  return absl::OkStatus();
}

absl::StatusOr<bool> Core::OnCancel(Nanos now, HandleId id, bool running) {
  state_->Begin(now);
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  const std::shared_ptr<Pool> pool = (*handle)->group->pool;
  if (!(*handle)->is_map()) {
    const Cancelled cancelled = state_->tasks.Cancel(*AsTask(*handle), running);
    if (cancelled.changed) state_->Reconcile(*pool);
    return cancelled.is_cancelled;
  }
  MapRun& map = *AsMap(*handle);
  if (map.ended()) return map.items.cancelled() > 0 || map.cut();
  const bool is_cancelled = state_->maps.Cancel(map, running);
  state_->Reconcile(*pool);
  return is_cancelled;
}

bool Core::OnRelease(Nanos now, HandleId id) {
  state_->Begin(now);
  Handle* handle = state_->store.Find(id);
  if (handle == nullptr) return false;
  state_->endings.Forget(*handle);
  state_->WakeClients();
  return true;
}

void Core::OnConsumed(Nanos now, HandleId map, std::uint64_t first_index, std::uint64_t count) {
  state_->Begin(now);
  Handle* handle = state_->store.Find(map);
  if (handle == nullptr || !handle->is_map()) return;
  const std::uint64_t end = first_index + count < first_index ? ~std::uint64_t{0} : first_index + count;
  state_->Consume(*AsMap(handle), {first_index, end});
  state_->WakeClients();
}

absl::StatusOr<Payload> Core::ViewResult(HandleId id, std::uint64_t index) const {
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  return ResultOf(**handle, index);
}

absl::StatusOr<Payload> Core::ViewArguments(HandleId id, std::uint64_t index) const {
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  return ArgumentsOf(**handle, index);
}

TaskPage Core::ViewTasks(const TaskFilter& filter, std::uint64_t from, std::size_t most) const {
  if (!state_->unfinished_pools.empty()) state_->ReachListed(from);
  return ListHandles(state_->store.in_order(), filter, from, most);
}

absl::StatusOr<Explanation> Core::Explain(Nanos now, HandleId id) const {
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  Explanation explanation;
  explanation.handle = ViewOf(**handle);
  explanation.options = (*handle)->group->options;
  const auto find_worker = [this](WorkerId worker) { return state_->staffing.Find(worker); };
  const Explainer explainer(state_->scheduler, state_->endings.kept().room(), state_->waits, find_worker, now);
  explanation.waits_for = explainer.WhyWaits(**handle, &explanation.ahead);
  if (!(*handle)->is_map()) explanation.attempts = AttemptsOf(*AsTask(*handle));
  return explanation;
}

absl::StatusOr<HandleView> Core::ViewHandle(HandleId id) const {
  absl::StatusOr<Handle*> handle = state_->Get(id);
  if (!handle.ok()) return handle.status();
  return ViewOf(**handle);
}

absl::Status Core::OnWatch(Nanos now, SubscriberId call, std::span<const HandleId> ids, std::string_view pool,
                           bool output) {
  state_->Begin(now);
  if (ids.empty()) {
    absl::StatusOr<std::shared_ptr<Pool>> found = state_->pools.Find(pool);
    if (!found.ok()) return found.status();
    state_->delivery.WatchPool(**found, state_->ViewOf(**found), call, output);
    return absl::OkStatus();
  }
  std::vector<Handle*> handles;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = state_->Get(id);
    if (!handle.ok()) return handle.status();
    if (std::find(handles.begin(), handles.end(), *handle) == handles.end()) handles.push_back(*handle);
  }
  state_->delivery.WatchHandles(handles, call, output);
  return absl::OkStatus();
}

void Core::OnSubscriberGone(Nanos now, SubscriberId subscriber) {
  state_->Begin(now);
  state_->delivery.Gone(subscriber);
  state_->waits.CallerGone(subscriber);
}

// ---- Processes ----

void Core::OnZygoteReady(Nanos now, PoolId id, std::uint32_t generation) {
  state_->Begin(now);
  const std::shared_ptr<Pool> pool = state_->pools.At(id);
  if (pool == nullptr) return;
  if (state_->staffing.ZygoteIsReady(*pool, generation)) state_->Reconcile(*pool);
}

void Core::OnZygoteLost(Nanos now, PoolId id, std::uint32_t generation, std::string why, LossCause cause) {
  state_->Begin(now);
  const std::shared_ptr<Pool> pool = state_->pools.At(id);
  if (pool == nullptr) return;
  state_->staffing.ZygoteIsLost(*pool, generation, std::move(why), cause);
  state_->Reconcile(*pool);
  state_->Settle();
}

void Core::OnWorkerReady(Nanos now, WorkerId id, std::int64_t pid, std::vector<FunctionInfo> functions,
                         bool uses_page) {
  state_->Begin(now);
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr || !state_->staffing.WorkerIsReady(*worker, pid, std::move(functions), uses_page)) return;
  state_->Reconcile(*worker->pool);
}

void Core::OnTaskResult(Nanos now, WorkerId id, AttemptToken token, TaskResult result) {
  state_->Begin(now);
  Task* const task = state_->store.FindAttempt(id, token);
  // What its pool ends is said to be cancelled.
  if (task != nullptr && task->worker->pool->sweep != Sweep::kAll) {
    Worker& worker = *task->worker;
    if (state_->tasks.TakeResult(*task, result)) state_->ReconcileWorker(*worker.pool, worker);
  } else if (Worker* worker = state_->staffing.Find(id)) {
    ++worker->pool->stats.dropped_results;
  }
  state_->dropped.Add(result.result.data);  // nobody took it
}

void Core::OnItemResults(Nanos now, WorkerId id, AttemptToken token, ItemBlock items, Nanos elapsed) {
  state_->Begin(now);
  Chunk* chunk = state_->scheduler.FindChunk(id, token);
  const std::uint64_t count = items.result_bytes.size();
  if (chunk != nullptr && count > 0 && items.first_index == chunk->done && count <= chunk->count - chunk->done) {
    Worker& worker = *chunk->worker;
    state_->maps.TakeResults(*chunk, std::move(items), elapsed);
    state_->ReconcileWorker(*worker.pool, worker);
  } else {
    if (Worker* worker = state_->staffing.Find(id)) worker->pool->stats.dropped_results += count;
    state_->dropped.AddWhole(std::move(items));
  }
}

void Core::OnOutput(Nanos now, WorkerId worker, AttemptToken token, OutputStream stream, Bytes data) {
  state_->Begin(now);
  Task* const task = state_->store.FindAttempt(worker, token);
  if (task != nullptr && task->worker->pool->sweep != Sweep::kAll) {
    state_->delivery.Output(*task, nullptr, stream, data);
  } else if (Chunk* chunk = state_->scheduler.FindChunk(worker, token)) {
    state_->delivery.Output(*chunk->map, chunk, stream, data);
  }
  state_->dropped.Add(data);
}

void Core::OnProgress(Nanos now, WorkerId worker, AttemptToken token, std::uint32_t item, double fraction,
                      std::string text) {
  state_->Begin(now);
  Task* const task = state_->store.FindAttempt(worker, token);
  if (task != nullptr && task->worker->pool->sweep != Sweep::kAll) {
    state_->delivery.Progress(*task, 0, fraction, std::move(text));
  } else if (Chunk* chunk = state_->scheduler.FindChunk(worker, token); chunk != nullptr && item < chunk->count) {
    state_->delivery.Progress(*chunk->map, chunk->begin + item, fraction, std::move(text));
  }
}

void Core::OnWorkerUsage(Nanos now, WorkerId id, std::uint64_t rss_bytes) {
  state_->Begin(now);
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr || !state_->staffing.TakeUsage(*worker, rss_bytes)) return;
  state_->Reconcile(*std::shared_ptr<Pool>(worker->pool));
}

void Core::OnWorkerLost(Nanos now, WorkerId id, WorkerLoss loss) {
  state_->Begin(now);
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr) return;
  state_->LoseWorker(*worker, std::move(loss));
  state_->Settle();
}

// ---- Time ----

void Core::OnTick(Nanos now) {
  assert(state_->CheckRooms().empty());  // in debug builds; the simulator looks after every event
  state_->Begin(now);
  DueTimer due;
  while (state_->steps.any() && state_->timers.PopDue(now, &due)) {
    state_->steps.Spend(1);
    state_->RunTimer(due);
  }
  if (state_->is_unfinished) state_->RunSlice();
}

Nanos Core::NextTimer() const {
  return state_->is_unfinished ? std::min(state_->now, state_->timers.Next()) : state_->timers.Next();
}

Nanos Core::OnLeave(Nanos now) {
  if (state_->is_unfinished) {
    state_->now = now;
    if (!std::exchange(state_->slice_done, false)) state_->RunSlice();
    state_->slice_done = false;
  }
  return NextTimer();
}

Dropped& Core::dropped() { return state_->dropped; }

// ---- The end ----

void Core::OnShutdown(Nanos now) {
  state_->Begin(now);
  state_->shutting_down = true;
  state_->AllClientsGo();
  const Pools::ById pools = state_->pools.all();
  for (const auto& [id, pool] : pools) state_->ClosePool(*pool, /*cancel_queued=*/false);
  state_->Settle();
  state_->CheckAllGone();
}

void Core::OnTerminateAll(Nanos now) {
  state_->Begin(now);
  const Pools::ById pools = state_->pools.all();
  for (const auto& [id, pool] : pools) state_->TerminatePool(*pool, 0, "its pool was terminated");
  state_->Settle();
  state_->CheckAllGone();
}

}  // namespace poold::core
