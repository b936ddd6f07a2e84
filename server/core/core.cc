#include "core/core.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {

Core::Core(const Limits& limits, WorkerPort* workers, ClientPort* clients, std::uint64_t seed, ShardInfo shard)
    : state_(std::make_unique<State>(limits, workers, clients, seed, shard)) {}
Core::~Core() = default;

Core::State::~State() = default;

// ---- Pools ----

void Core::OnOpenPool(Nanos now, SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere,
                      HandleId creation) {
  state_->now = now;
  state_->OpenPool(call, std::move(spec), owner, elsewhere, creation);
}

void Core::OnClientPresent(Nanos now, ClientId client, const ClientOrigin& origin) {
  state_->now = now;
  state_->NotePresence(client, true);
  if (!state_->shutting_down) state_->outcomes.Comes(client, origin);
}

void Core::OnClientAbsent(Nanos now, ClientId client) {
  state_->now = now;
  state_->NotePresence(client, false);
  state_->ClientGoes(client);
}

ClientView Core::ViewClient(ClientId client) const { return state_->outcomes.View(client); }

std::vector<ClientView> Core::HeldUpClients() const { return state_->outcomes.ViewHeldUp(); }

absl::StatusOr<PoolView> Core::OnResize(Nanos now, std::string_view name, std::uint32_t workers) {
  state_->now = now;
  return state_->Resize(name, workers);
}

void Core::OnReload(Nanos now, SubscriberId call, std::string_view name) {
  state_->now = now;
  state_->Reload(call, name);
}

void Core::OnClose(Nanos now, SubscriberId call, std::string_view name, bool cancel_queued) {
  state_->now = now;
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
  state_->now = now;
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
  state_->now = now;
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

MemoryUse Core::memory() const { return {state_->TaskBytes(), state_->room.used()}; }

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

// Neighbours share a block of the table of handles: those that nobody chose come in short stretches.
HandleId Core::State::NextId() {
  constexpr std::uint64_t kStretch = 64;
  if (next_id.low % kStretch == 0) next_id = {random(), random() / kStretch * kStretch};
  const HandleId id = next_id;
  ++next_id.low;
  return id;
}

HandleId Core::NewHandle() {
  HandleId id;
  do {
    id = state_->NextId();
  } while (state_->handles.Find(id) != nullptr || state_->handles.IsTombstone(id));
  return id;
}

Known Core::Knows(const HandleId& id) const {
  bool known = false;
  if (state_->handles.Find(id, &known) != nullptr) return Known::kYes;
  return known ? Known::kReleased : Known::kNo;
}

void Core::OnSubmit(Nanos now, const TaskGroup& group, std::span<NewTask> tasks, std::vector<Refusal>* refused) {
  state_->now = now;
  state_->Submit(group, tasks, refused);
}

absl::StatusOr<std::uint64_t> Core::OnMap(Nanos now, const MapGroup& group) {
  state_->now = now;
  return state_->SubmitMap(group);
}

void Core::OnGet(Nanos now, SubscriberId call, HandleId id, Nanos wait_timeout, WorkerId from) {
  state_->now = now;
  state_->StartGet(call, id, wait_timeout, from);
}

void Core::OnWait(Nanos now, SubscriberId call, std::span<const HandleId> ids, WaitMode mode, Nanos wait_timeout,
                  WorkerId from) {
  state_->now = now;
  state_->StartWait(call, ids, mode, wait_timeout, from);
}

absl::Status Core::OnSubscribe(Nanos now, SubscriberId subscriber, HandleId id, std::uint64_t first_index) {
  state_->now = now;
  absl::StatusOr<Handle*> handle = state_->FindHandle(id);
  if (!handle.ok()) return handle.status();
  Subscriber* known = state_->subscribers.Find(subscriber);
  if (known != nullptr) state_->Subscribe(**handle, known, first_index);
  return absl::OkStatus();
}

absl::StatusOr<bool> Core::OnCancel(Nanos now, HandleId id, bool running) {
  state_->now = now;
  absl::StatusOr<Handle*> handle = state_->FindHandle(id);
  if (!handle.ok()) return handle.status();
  return (*handle)->is_map() ? state_->CancelMap(*AsMap(*handle), running)
                             : state_->CancelTask(*AsTask(*handle), running);
}

bool Core::OnRelease(Nanos now, HandleId id) {
  state_->now = now;
  Handle* handle = state_->handles.Find(id);
  if (handle == nullptr) return false;
  state_->Release(*handle);
  return true;
}

void Core::OnConsumed(Nanos now, HandleId map, std::uint64_t first_index, std::uint64_t count) {
  state_->now = now;
  Handle* handle = state_->handles.Find(map);
  if (handle == nullptr || !handle->is_map()) return;
  const std::uint64_t end = first_index + count < first_index ? ~std::uint64_t{0} : first_index + count;
  state_->Consume(*AsMap(handle), {first_index, end});
  state_->WakeClients();
}

absl::StatusOr<Payload> Core::ViewResult(HandleId id, std::uint64_t index) const { return state_->ResultOf(id, index); }

absl::StatusOr<Payload> Core::ViewArguments(HandleId id, std::uint64_t index) const {
  return state_->ArgumentsOf(id, index);
}

TaskPage Core::ViewTasks(const TaskFilter& filter, std::uint64_t from, std::size_t most) const {
  if (!state_->unfinished_pools.empty()) state_->ReachListed(from);
  return state_->ListHandles(filter, from, most);
}

absl::StatusOr<Explanation> Core::Explain(Nanos now, HandleId id) const {
  absl::StatusOr<Handle*> handle = state_->FindHandle(id);
  if (!handle.ok()) return handle.status();
  Explanation explanation;
  explanation.handle = state_->ViewOf(**handle);
  explanation.options = (*handle)->group->options;
  if ((*handle)->is_map()) {
    explanation.waits_for = state_->WhyWaits(*AsMap(*handle), now, &explanation.ahead);
  } else {
    explanation.waits_for = state_->WhyWaits(*AsTask(*handle), now, &explanation.ahead);
    explanation.attempts = state_->AttemptsOf(*AsTask(*handle));
  }
  return explanation;
}

absl::StatusOr<HandleView> Core::ViewHandle(HandleId id) const {
  absl::StatusOr<Handle*> handle = state_->FindHandle(id);
  if (!handle.ok()) return handle.status();
  return state_->ViewOf(**handle);
}

absl::Status Core::OnWatch(Nanos now, SubscriberId call, std::span<const HandleId> ids, std::string_view pool,
                           bool output) {
  state_->now = now;
  return ids.empty() ? state_->WatchPool(call, pool, output) : state_->WatchHandles(call, ids, output);
}

void Core::OnSubscriberGone(Nanos now, SubscriberId subscriber) {
  state_->now = now;
  state_->ForgetSubscriber(subscriber);
}

// ---- Processes ----

void Core::OnZygoteReady(Nanos now, PoolId id, std::uint32_t generation) {
  state_->now = now;
  const std::shared_ptr<Pool> pool = state_->pools.At(id);
  if (pool == nullptr) return;
  if (state_->staffing.ZygoteIsReady(*pool, generation)) state_->Reconcile(*pool);
}

void Core::OnZygoteLost(Nanos now, PoolId id, std::uint32_t generation, std::string why, LossCause cause) {
  state_->now = now;
  const std::shared_ptr<Pool> pool = state_->pools.At(id);
  if (pool == nullptr) return;
  state_->staffing.ZygoteIsLost(*pool, generation, std::move(why), cause);
  state_->Reconcile(*pool);
  state_->Settle();
}

void Core::OnWorkerReady(Nanos now, WorkerId id, std::int64_t pid, std::vector<FunctionInfo> functions,
                         bool uses_page) {
  state_->now = now;
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr || !state_->staffing.WorkerIsReady(*worker, pid, std::move(functions), uses_page)) return;
  state_->Reconcile(*worker->pool);
}

void Core::OnTaskResult(Nanos now, WorkerId worker, AttemptToken token, TaskResult result) {
  state_->now = now;
  state_->TakeTaskResult(worker, token, std::move(result));
  state_->dropped.Add(result.result.data);  // nobody took it
}

void Core::OnItemResults(Nanos now, WorkerId worker, AttemptToken token, ItemBlock items, Nanos elapsed) {
  state_->now = now;
  state_->TakeItemResults(worker, token, std::move(items), elapsed);
}

void Core::OnOutput(Nanos now, WorkerId worker, AttemptToken token, OutputStream stream, Bytes data) {
  state_->now = now;
  state_->TakeOutput(worker, token, stream, data);
  state_->dropped.Add(data);
}

void Core::OnProgress(Nanos now, WorkerId worker, AttemptToken token, std::uint32_t item, double fraction,
                      std::string text) {
  state_->now = now;
  state_->TakeProgress(worker, token, item, fraction, std::move(text));
}

void Core::OnWorkerUsage(Nanos now, WorkerId id, std::uint64_t rss_bytes) {
  state_->now = now;
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr || !state_->staffing.TakeUsage(*worker, rss_bytes)) return;
  state_->Reconcile(*std::shared_ptr<Pool>(worker->pool));
}

void Core::OnWorkerLost(Nanos now, WorkerId id, WorkerLoss loss) {
  state_->now = now;
  Worker* worker = state_->staffing.Find(id);
  if (worker == nullptr) return;
  state_->LoseWorker(*worker, std::move(loss));
  state_->Settle();
}

// ---- Time ----

void Core::OnTick(Nanos now) {
  assert(state_->CheckRooms().empty());  // in debug builds; the simulator looks after every event
  state_->now = now;
  std::size_t left = state_->limits.slice;
  DueTimer due;
  while (left > 0 && state_->timers.PopDue(now, &due)) {
    State::Spend(&left, 1);
    state_->RunTimer(due, &left);
  }
  if (!state_->unfinished_pools.empty()) state_->RunSlice();
}

Nanos Core::NextTimer() const {
  return state_->unfinished_pools.empty() ? state_->timers.Next() : std::min(state_->now, state_->timers.Next());
}

Nanos Core::OnLeave(Nanos now) {
  if (!state_->unfinished_pools.empty()) {
    state_->now = now;
    if (!std::exchange(state_->slice_done, false)) state_->RunSlice();
    state_->slice_done = false;
  }
  return NextTimer();
}

Dropped& Core::dropped() { return state_->dropped; }

// ---- The end ----

void Core::OnShutdown(Nanos now) {
  state_->now = now;
  state_->shutting_down = true;
  state_->AllClientsGo();
  const Pools::ById pools = state_->pools.all();
  for (const auto& [id, pool] : pools) state_->ClosePool(*pool, /*cancel_queued=*/false);
  state_->Settle();
  state_->CheckAllGone();
}

void Core::OnTerminateAll(Nanos now) {
  state_->now = now;
  const Pools::ById pools = state_->pools.all();
  for (const auto& [id, pool] : pools) state_->TerminatePool(*pool, 0, "its pool was terminated");
  state_->Settle();
  state_->CheckAllGone();
}

}  // namespace poold::core
