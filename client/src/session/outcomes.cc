#include <utility>

#include "absl/cleanup/cleanup.h"
#include "convert.h"
#include "error.h"
#include "poold/client/status.h"
#include "session/session.h"
#include "transport/session_stream.h"

namespace poold::client::internal {
namespace {

// Of the outcomes of one map.
constexpr std::uint64_t kUntoldBytes = 16 << 10;
// Of a wait inside a task: how long it is not told of, how often after that (below a second), and of how many handles.
constexpr Duration kSoon = std::chrono::milliseconds(50);
constexpr Duration kAskEvery = std::chrono::milliseconds(900);
constexpr std::size_t kMostAsked = 256;

HandleId IdOf(std::string_view bytes) { return HandleId::FromBytes(bytes).value_or(HandleId{}); }

// A result that is not in the message can be asked for as long as the map is kept: then its items must be, too.
bool AllInline(const v1::ItemOutcomes& outcomes) {
  for (const auto& other : outcomes.others()) {
    if (other.outcome().result().size_bytes() > other.outcome().result().data().size()) return false;
  }
  return true;
}

// Whether a part of the result lies in the daemon.
bool IsInDaemon(const TaskHandleState& task) {
  if (task.phase.now() != Phase::kEnded) return false;
  const v1::Payload& result = task.detail->outcome->result();
  return result.size_bytes() > result.data().size();
}

// Whether the daemon keeps an outcome of what has ended.
bool HasOutcome(const HandleState& cell) {
  return cell.phase.now() != Phase::kRefused && cell.phase.now() != Phase::kLost;
}

}  // namespace

// Only the leader comes here, and the next response is read after this one: output stays in order.
void Session::DeliverOutputs(const v1::SessionResponse& response) {
  for (const v1::Output& output : response.outputs()) {
    const HandleId id = IdOf(output.id());
    std::shared_ptr<const OutputCallback> sink;
    {
      MutexLock lock(&mu_);
      HandleState* cell = handles_.Find(id);
      if (cell != nullptr && cell->detail) sink = cell->detail->output;
    }
    if (sink) CallOutput(*sink, {id, FromProto(output.stream()), output.data()});
  }
}

void Session::DeliverProgress(const v1::SessionResponse& response) {
  for (const v1::Progress& told : response.progress()) {
    const HandleId id = IdOf(told.id());
    const Progress progress{id, told.index(), told.fraction(), told.text()};
    std::vector<std::shared_ptr<const ProgressCallback>> callbacks;
    {
      MutexLock lock(&mu_);
      HandleState* cell = handles_.Find(id);
      if (cell == nullptr) continue;
      cell->Detail().progress = progress;
      callbacks = cell->detail->on_progress;
    }
    for (const auto& callback : callbacks) CallProgress(*callback, progress);
  }
}

void Session::Apply(v1::SessionResponse& response) {
  if (response.has_server()) OnGreeted(response.server());
  if (response.has_room_is_short()) {
    room_is_short_ = response.room_is_short();
    BringSoon();
  }
  // Refusals first: what is acknowledged and was not refused, the daemon has.
  for (const auto& refusal : response.refused()) ApplyRefusal(refusal);
  OnAcknowledged(response.taken_requests());
  for (const auto& group : response.succeeded()) ApplySucceeded(group);
  for (auto& other : *response.mutable_others()) ApplyOther(other);
  for (auto& map : *response.mutable_maps()) ApplyMap(map);
}

void Session::ApplySucceeded(const v1::OutcomeGroup& group) {
  const std::string* type_name = group.type_name().empty() ? nullptr : handles_.Intern(group.type_name());
  const char* data = group.results().data();
  for (int i = 0; i < group.id_low_size(); ++i) {
    const std::uint32_t bytes = group.result_bytes(i);
    HandleState* cell = handles_.Find({group.id_high(), group.id_low(i)});
    if (cell != nullptr && !cell->is_map) {
      TaskHandleState* task = AsTask(cell);
      task->encoding = FromProto(group.encoding());
      task->type_name = type_name;
      task->result.assign(data, bytes);
      Publish(task, Phase::kSucceeded);
      Retire(task);
    }
    data += bytes;
  }
}

void Session::ApplyOther(v1::TaskOutcome& outcome) {
  const auto shared = std::make_shared<const v1::Outcome>(std::move(*outcome.mutable_outcome()));
  const v1::IdRuns& ids = outcome.ids();
  for (int run = 0; run < ids.count_size(); ++run) {
    for (std::uint32_t i = 0; i < ids.count(run); ++i) {
      HandleState* cell = handles_.Find({ids.high(run), ids.low(run) + i});
      if (cell == nullptr || cell->is_map) continue;
      EndWithOutcome(cell, shared);
      Retire(cell);
    }
  }
}

void Session::ApplyMap(v1::MapOutcomes& outcomes) {
  HandleState* cell = handles_.Find(IdOf(outcomes.id()));
  if (cell == nullptr) return;
  if (!cell->is_map) {
    Refuse(cell, absl::InvalidArgumentError(cell->FunctionName() + " is a map: resume it with ResumeMap"));
    return;
  }
  MapHandleState* map = AsMap(cell);
  for (auto& block : *outcomes.mutable_outcomes()) {
    const std::uint64_t first = block.first_index();
    const int count = block.result_bytes_size();
    const std::uint64_t bytes = block.results().size() + sizeof(std::uint32_t) * static_cast<std::uint64_t>(count);
    const bool here = AllInline(block);
    if (map->holder.now() == Holder::kNobody) continue;
    if (!here) NoteInDaemon(map, block);
    const bool tell = here && !map->kept();
    AddBlock(map, std::move(block), tell);
    if (!tell) continue;
    map->unreleased.emplace_back(first, count);
    map->unreleased_bytes += bytes;
    const bool streamed = map->call && map->call->streamed;
    if (streamed || room_is_short_ || map->unreleased_bytes > kUntoldBytes) TellConsumed(map);
  }
  if (!outcomes.has_end()) return;
  // The counts of this client, which saw every item once.
  MapProgress progress = FromProto(outcomes.end());
  progress.done_items = map->progress.done_items;
  progress.unsuccessful_items = map->progress.unsuccessful_items;
  map->progress = std::move(progress);
  if (map->holder.now() == Holder::kHandles) AddCancelled(map);
  Publish(map, map->progress.unsuccessful_items == 0 ? Phase::kSucceeded : Phase::kEnded);
  Retire(map);
}

void Session::TellConsumed(MapHandleState* map) {
  if (!map->kept()) {
    for (const auto& [first, count] : map->unreleased) outbox_.AddConsumed(map->id, first, count);
  }
  map->unreleased.clear();
  map->unreleased_bytes = 0;
}

void Session::ApplyRefusal(const v1::SubmitResult& refusal) {
  HandleState* cell = handles_.Find(IdOf(refusal.id()));
  if (cell == nullptr) return;
  absl::Status why = FromProto(refusal.error());
  // Perhaps the pool was opened anew, in another shard.
  const bool told = wire::ShardOfId(cell->id.high, cell->id.low) != 0;
  if (told && absl::IsInvalidArgument(why) && cell->pool != nullptr) cell->pool->shard = 0;
  if (!cell->is_map) {
    if (!TryLater(cell, why)) Refuse(cell, std::move(why));
    return;
  }
  MapHandleState* map = AsMap(cell);
  // Of what was under way when it was cut short.
  if (map->input.now() == MapInput::kCutShort && refusal.has_accepted_items()) return;
  if (GoOnLater(map, why, refusal.accepted_items())) return;
  if (map->window != nullptr && refusal.has_accepted_items()) {
    CutShort(map, why, refusal.accepted_items());
    return;
  }
  if (refusal.has_accepted_items()) GiveUp(map);
  Refuse(map, std::move(why));
}

// The daemon has a part of it that nobody will ask for.
void Session::GiveUp(MapHandleState* map) {
  outbox_.AddCancel(map->id);
  outbox_.AddRelease(map->id);
}

void Session::Refuse(HandleState* cell, absl::Status why) {
  DropUpload(cell);
  EndWithRefusal(cell, std::move(why));
  Retire(cell);
}

void Session::Lose(HandleState* cell) {
  EndWithRefusal(cell, LostError(cell->FunctionName()), Phase::kLost);
  Retire(cell);
}

void Session::ReleaseAll() {
  for (HandleState* cell : handles_.Pending([](const HandleState&) { return true; })) {
    handles_.Remove(*cell);
    ForgetResubmission(cell);
    DropUpload(cell);
    if (cell->is_map) windows_.erase(AsMap(cell));
    if (!cell->kept()) outbox_.AddRelease(cell->id);
    Free(cell);
  }
}

void Session::Retire(HandleState* cell) {
  handles_.Remove(*cell);
  ForgetResubmission(cell);
  if (cell->is_map) windows_.erase(AsMap(cell));
  if (cell->pool != nullptr && --cell->pool->unfinished == 0) WakeAll(&cell->pool->idle_waiters);
  if (cell->detail && cell->detail->in_arena) {
    wire::ArenaMaker::Abandon(std::exchange(cell->detail->in_arena, std::nullopt)->slot);
  }
  if (cell->detail && !cell->detail->callbacks.empty()) PostCallbacks(cell);
  if (cell->holder.now() == Holder::kNobody) {
    Discard(cell);
  } else if (!cell->is_map) {
    ReleaseOrNote(AsTask(cell));
  }
}

// Its handles stay. Where room is short the daemon need not keep it for them; but if it was resumed it was written
// down, and others may have it, too.
void Session::ReleaseOrNote(TaskHandleState* task) {
  if (task->resumed() || task->kept()) return;
  if (IsInDaemon(*task)) return NoteInDaemon(task);
  if (room_is_short_ && HasOutcome(*task)) ReleaseOutcome(task);
}

void Session::ReleaseOutcome(HandleState* cell) {
  if (cell->claim.load(std::memory_order_relaxed) != Claim::kReleasedAtEnd) return;
  cell->claim.store(Claim::kReleased, std::memory_order_relaxed);
  outbox_.AddRelease(cell->id);
}

// So many more references. False: the last one has just gone, and nobody has taken note of it yet.
bool Session::Hold(HandleState* cell, std::uint32_t count) {
  std::uint32_t handles = cell->handles.load(std::memory_order_relaxed);
  while (handles != 0) {
    if (cell->handles.compare_exchange_weak(handles, handles + count)) return true;
  }
  return false;
}

// Each callback gets a handle of its own, also where the user has kept none.
void Session::PostCallbacks(HandleState* cell) {
  if (cell->holder.now() == Holder::kNobody) {
    cell->owner = owner_.lock();
    // The client is going: there is nobody to be told.
    if (cell->owner == nullptr) return;
    cell->holder.Move(Holder::kHandles);
    cell->handles.store(static_cast<std::uint32_t>(cell->detail->callbacks.size()), std::memory_order_relaxed);
  } else if (!Hold(cell, static_cast<std::uint32_t>(cell->detail->callbacks.size()))) {
    return;  // TakeDropped comes back to it
  }
  auto callbacks = std::exchange(cell->detail->callbacks, {});
  for (auto& callback : callbacks) {
    callbacks_.Post([callback = std::move(callback), cell] { callback(cell); });
  }
}

// Nobody holds it, and it has ended.
void Session::Discard(HandleState* cell) {
  if (HasOutcome(*cell)) ReleaseOutcome(cell);
  Free(cell);
}

void Session::Free(HandleState* cell) {
  ForgetInDaemon(cell);
  if (cell->detail) grave_.push_back(std::move(cell->detail));
  if (cell->is_map) {
    delete AsMap(cell);
  } else {
    handles_.Recycle(AsTask(cell));
  }
}

void Session::TakeDropped() {
  HandleState* cell = dropped_.exchange(nullptr, std::memory_order_acquire);
  if (cell == nullptr) return;
  dropped_count_.store(0, std::memory_order_relaxed);
  // The stack has the latest on top; in order, ids make runs.
  HandleState* in_order = nullptr;
  while (cell != nullptr) {
    HandleState* next = std::exchange(cell->next_dropped, in_order);
    in_order = std::exchange(cell, next);
  }
  for (cell = in_order; cell != nullptr;) {
    HandleState* next = cell->next_dropped;
    if (!cell->done()) {
      Detach(cell);
    } else {
      cell->holder.Move(Holder::kNobody);
      if (cell->detail && !cell->detail->callbacks.empty()) PostCallbacks(cell);
      if (cell->holder.now() == Holder::kNobody) Discard(cell);
    }
    cell = next;
  }
}

// Its last handle went while it is unfinished: a task goes on, what is left of a map is cancelled.
void Session::Detach(HandleState* cell) {
  cell->holder.Move(Holder::kNobody);
  if (!cell->is_map || cell->kept()) return;
  MapHandleState* map = AsMap(cell);
  map->arrived.clear();
  map->by_index.clear();
  map->in_daemon_blocks.clear();
  ForgetInDaemon(cell);
  if (cell->in_batch() && !cell->resumed()) {
    windows_.erase(map);
    map->window = nullptr;
    outbox_.AddCancel(cell->id);
  } else {
    // The daemon has never heard of it, or another client has submitted it.
    Refuse(map, absl::CancelledError("cancelled before it was submitted"));
  }
}

bool Session::Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) {
  WhyNoWait() = absl::OkStatus();
  if (InOutputCallback()) return false;
  MutexLock lock(&mu_);
  Waiter waiter{.mode = mode};
  std::vector<WaitNode> nodes;
  std::vector<HandleState*> pending;
  bool enough = false;
  for (HandleState* cell : cells) {
    if (!cell->done()) {
      pending.push_back(cell);
    } else {
      enough |= mode == WaitMode::kFirstCompleted || (mode == WaitMode::kFirstException && !EndedWell(*cell));
    }
  }
  if (enough || pending.empty()) return true;
  waiter.remaining = pending.size();
  nodes.reserve(pending.size());
  for (HandleState* cell : pending) Link(&cell->waiters, &nodes.emplace_back(WaitNode{&waiter}));
  const absl::Cleanup unlink = [&] {
    for (std::size_t i = 0; i < pending.size(); ++i) {
      if (!pending[i]->done()) Unlink(&pending[i]->waiters, &nodes[i]);
    }
  };
  const bool ask = stub_->inside_a_task() && pending.size() <= kMostAsked;
  return ask ? AwaitInTask(&waiter, pending, deadline) : leader_.Await(&waiter, deadline);
}

// The daemon does not know that a session's client waits. Of a task it has to: it says so when nobody is left to run
// what is waited for. What is over soon is not asked about.
bool Session::AwaitInTask(Waiter* waiter, const std::vector<HandleState*>& pending, Deadline deadline) {
  while (!leader_.Await(waiter, Deadline(std::min<Duration>(kSoon, deadline.left()))) && !deadline.passed()) {
    v1::WaitRequest request;
    request.set_mode(ToProto(waiter->mode));
    for (const HandleState* cell : pending) {
      if (!cell->done()) request.add_ids(cell->id.ToBytes());
    }
    const Duration wait = std::min<Duration>(kAskEvery, deadline.left());
    request.mutable_wait_timeout()->set_nanos(static_cast<std::int32_t>(wait.count()));
    mu_.Unlock();
    const auto answer = stub_->Call(&v1::PoolService::StubInterface::Wait, request, wait);
    mu_.Lock();
    if (waiter->over() || ReasonOf(answer.status()) != reason::kWouldDeadlock) continue;
    WhyNoWait() = answer.status();
    return false;
  }
  return waiter->over();
}

void Session::Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) {
  MutexLock lock(&mu_);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i]->done()) {
      nodes[i].waiter->collector->ended.push_back(nodes[i].index);
    } else {
      Link(&cells[i]->waiters, &nodes[i]);
    }
  }
}

void Session::Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) {
  MutexLock lock(&mu_);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] != nullptr && !cells[i]->done()) Unlink(&cells[i]->waiters, &nodes[i]);
  }
}

std::optional<std::uint32_t> Session::Collect(Waiter& waiter, Deadline deadline) {
  MutexLock lock(&mu_);
  if (!waiter.over() && !deadline.passed() && !InOutputCallback()) leader_.Await(&waiter, deadline);
  if (!waiter.over()) return std::nullopt;
  const std::uint32_t index = waiter.collector->ended.front();
  waiter.collector->ended.pop_front();
  return index;
}

bool Session::WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) {
  WhyNoWait() = absl::OkStatus();
  if (InOutputCallback()) return false;
  MutexLock lock(&mu_);
  while (map.blocks == blocks && !map.done()) {
    if (deadline.passed()) return false;
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&map.block_waiters, &node);
    if (!stub_->inside_a_task()) {
      leader_.Await(&waiter, deadline);
    } else if (!AwaitInTask(&waiter, {&map}, deadline) && !WhyNoWait().ok()) {
      return false;
    }
  }
  return true;
}

bool Session::AwaitIdle(const std::string& pool, Deadline deadline) {
  MutexLock lock(&mu_);
  PoolEntry* entry = handles_.FindPool(pool);
  while (entry->unfinished != 0) {
    if (deadline.passed()) return false;
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&entry->idle_waiters, &node);
    leader_.Await(&waiter, deadline);
  }
  return true;
}

void Session::OnProgress(HandleState& cell, ProgressCallback callback) {
  auto shared = std::make_shared<const ProgressCallback>(std::move(callback));
  MutexLock lock(&mu_);
  if (!cell.done()) cell.Detail().on_progress.push_back(std::move(shared));
}

void Session::OnDone(HandleState& cell, std::function<void(HandleState*)> callback) {
  MutexLock lock(&mu_);
  if (!cell.done()) {
    cell.Detail().callbacks.push_back(std::move(callback));
    return;
  }
  cell.handles.fetch_add(1, std::memory_order_relaxed);
  callbacks_.Post([callback = std::move(callback), &cell] { callback(&cell); });
}

}  // namespace poold::client::internal
