// Waiting for room in the daemon: tasks in the backlog of their pool, items of maps in their window. A refusal says
// when to try again; then a few are tried, and more as long as none is refused.
#include <algorithm>

#include "error.h"
#include "poold/codec/large_text.h"
#include "session/jitter.h"
#include "session/session.h"

namespace poold::client::internal {
namespace {

constexpr Duration kRetryWhenFull = std::chrono::milliseconds(20);
constexpr std::uint32_t kMostBurst = 4096;
// A map that is not streamed waits for the daemon to take some of its items when so much of them lies here.
constexpr std::uint64_t kMostWindowBytes = 4 << 20;
constexpr auto kNever = std::chrono::steady_clock::time_point::max();

bool IsFull(const absl::Status& why) { return why.code() == absl::StatusCode::kResourceExhausted; }

// It came behind items that were refused, which are still here, or were sent again and taken since.
bool IsGap(const absl::Status& why, const ItemWindow& window, std::uint64_t accepted) {
  return ReasonOf(why) == reason::kItemsMissing && window.first() <= accepted && accepted <= window.end();
}

bool CancelAsked(const HandleState& cell) {
  return cell.phase.now() == Phase::kCancelling || cell.phase.now() == Phase::kWaitingToCancel;
}

std::shared_ptr<const v1::Outcome> NeverSubmitted() {
  auto outcome = std::make_shared<v1::Outcome>();
  outcome->set_state(v1::TASK_STATE_CANCELLED);
  outcome->mutable_failure()->set_type("poold.Cancelled");
  outcome->mutable_failure()->set_message("cancelled before the daemon had room for it");
  return outcome;
}

}  // namespace

// ---- Tasks ----

void Session::NoteSent(HandleState* cell, std::uint64_t batch) {
  cell->batch = batch;
  if (cell->phase.now() == Phase::kWaiting) {
    cell->phase.Move(Phase::kSent);
  } else if (cell->phase.now() == Phase::kWaitingToCancel) {
    cell->phase.Move(Phase::kCancelling);
    outbox_.AddCancel(cell->id);
  }
}

void Session::NoteWaiting(HandleState* cell) {
  if (cell->phase.now() == Phase::kSent) {
    cell->phase.Move(Phase::kWaiting);
  } else if (cell->phase.now() == Phase::kCancelling) {
    cell->phase.Move(Phase::kWaitingToCancel);
  }
}

void Session::Postpone(HandleState* cell) {
  NoteWaiting(cell);
  cell->pool->backlog.emplace(cell->detail->resubmission->number, cell->id);
  full_pools_.insert(cell->pool);
}

// The daemon was restarted, and does not know the arena. Nobody has taken the arguments: they go another way.
bool Session::SendAnotherWay(HandleState* cell) {
  ArgsInArena in_arena = *std::exchange(cell->detail->in_arena, std::nullopt);
  const wire::ArenaMapping& arena = *in_arena.slot.mapping;
  if (!arena.Is(in_arena.slot.place, wire::SlotState::kFilled)) return false;
  cell->detail->resubmission.emplace(Resubmission{
      .args = {in_arena.encoding, std::move(in_arena.type_name),
               codec::CopyText(arena.View(in_arena.slot.place.slot, in_arena.bytes))},
      .large = true,
      .options = std::move(in_arena.options),
      .number = next_submission_++,
      .bytes = in_arena.bytes + kResubmissionBytes,
  });
  resubmission_bytes_ += cell->detail->resubmission->bytes;
  wire::ArenaMaker::Abandon(in_arena.slot);
  Resubmit(cell);
  return true;
}

// When the daemon's queue is full and the caller wants to wait for room; or does not have the arguments.
bool Session::TryLater(HandleState* cell, const absl::Status& why) {
  if (cell->detail && cell->detail->in_arena && ReasonOf(why) == reason::kUploadNotFound) return SendAnotherWay(cell);
  if (!cell->detail || !cell->detail->resubmission) return false;
  if (cell->detail->resubmission->large && ReasonOf(why) == reason::kUploadNotFound) {
    // It waited for too long, or for a daemon that is gone; or an earlier stream had brought the task already, and the
    // daemon knows it again.
    cell->detail->upload_id.clear();
    Resubmit(cell);
    return true;
  }
  if (!IsFull(why) || !cell->detail->resubmission->options.wait_when_full) return false;
  if (CancelAsked(*cell)) {
    EndUnsent(cell);
    return true;
  }
  PoolEntry& pool = *cell->pool;
  Postpone(cell);
  // The first refusal of a burst says how long; the rest of the burst is refused for the same reason.
  if (pool.try_at == kNever || pool.try_at <= Clock::now()) {
    pool.try_at = Clock::now() + Jittered(RetryDelayOf(why).value_or(kRetryWhenFull));
    pool.burst = std::max(1u, pool.burst / 2);
  }
  return true;
}

void Session::Resubmit(HandleState* cell) {
  const Resubmission& again = *cell->detail->resubmission;
  if (again.large && cell->detail->upload_id.empty()) {
    NoteWaiting(cell);
    return UploadAgain(cell);
  }
  TaskCall call{cell->pool->name,     *cell->function, again.args.encoding,
                again.args.type_name, again.args.data, &again.options};
  NoteSent(cell, outbox_.AddTask(call, cell->id, {.upload_id = cell->detail->upload_id}));
  offered_.push_back({cell->batch, cell->id});
}

void Session::ResubmitSome(PoolEntry& pool) {
  pool.try_at = kNever;
  for (std::uint32_t i = 0; i < pool.burst && !pool.backlog.empty(); ++i) {
    HandleState* cell = handles_.Find(pool.backlog.begin()->second);
    pool.backlog.erase(pool.backlog.begin());
    if (cell == nullptr || cell->is_map || !cell->detail || !cell->detail->resubmission) continue;
    Resubmit(cell);
    if (cell->in_batch()) pool.tried_batch = cell->batch;
  }
  if (pool.backlog.empty()) full_pools_.erase(&pool);
}

// It has ended: it is not sent again.
void Session::ForgetResubmission(HandleState* cell) {
  if (!cell->detail || !cell->detail->resubmission) return;
  const Resubmission& resubmission = *cell->detail->resubmission;
  cell->pool->backlog.erase(resubmission.number);
  resubmission_bytes_ -= resubmission.bytes;
  if (room_waiters_ != nullptr && resubmission_bytes_ < options_.max_unsent_bytes) WakeAll(&room_waiters_);
  cell->detail->resubmission.reset();
}

// It is cancelled, and the daemon has never taken it.
void Session::EndUnsent(HandleState* cell) {
  DropUpload(cell);
  if (cell->is_map) {
    MapHandleState* map = AsMap(cell);
    if (map->input.now() == MapInput::kOpen) map->input.Move(MapInput::kComplete);
    AddCancelled(map);
  } else {
    cell->Detail().outcome = NeverSubmitted();
  }
  Publish(cell, Phase::kNeverSent);
  Retire(cell);
}

// What is under way to the daemon now and is refused there for want of room ends then (TryLater, GoOnLater).
bool Session::CancelHere(HandleState& cell) {
  MutexLock lock(&mu_);
  if (cell.done()) return cell.phase.now() == Phase::kNeverSent;
  if (!cell.in_batch()) {
    EndUnsent(&cell);
    return true;
  }
  if (cell.phase.now() == Phase::kSent) cell.phase.Move(Phase::kCancelling);
  return false;
}

void Session::CancelSoon(HandleState& cell, bool running) {
  if (CancelHere(cell)) return;
  Write write;
  {
    MutexLock lock(&mu_);
    if (cell.done()) return;
    outbox_.AddCancel(cell.id, running);
    write = WriteOrNudge();
  }
  Begin(std::move(write));
}

// ---- Maps ----

void Session::SendWindow(MapHandleState* map) {
  if (Clock::now() < map->hold_until) return;
  map->hold_until = {};
  ItemWindow& window = *map->window;
  while (window.has_next() && outbox_.bytes() < options_.max_unsent_bytes) {
    const std::uint64_t first = window.next();
    const MapBatch batch = window.Next();
    const std::uint64_t number = outbox_.AddItems(map->call->View(), map->id, first, batch);
    if (first == 0) NoteSent(map, number);
    window.NoteSent(number);
  }
}

// True: it was refused for now.
bool Session::GoOnLater(MapHandleState* map, const absl::Status& why, std::uint64_t accepted) {
  if (map->window == nullptr) return false;
  const bool full = IsFull(why);
  if (!full && !IsGap(why, *map->window, accepted)) return false;
  if (full && accepted == 0 && CancelAsked(*map)) {
    EndUnsent(map);
    return true;
  }
  map->window->Rewind(accepted, /*fewer=*/full);
  windows_.insert(map);
  if (accepted == 0) NoteWaiting(map);
  if (full) map->hold_until = Clock::now() + Jittered(RetryDelayOf(why).value_or(kRetryWhenFull));
  SendWindow(map);
  return true;
}

// No more is taken (the pool was closed): the map ends with what the daemon has.
void Session::CutShort(MapHandleState* map, const absl::Status& why, std::uint64_t accepted) {
  map->why_cut_short = std::string(why.message());
  map->input.Move(MapInput::kCutShort);
  windows_.erase(map);
  map->window = nullptr;
  outbox_.AddItems(map->call->View(), map->id, accepted, {.complete = true});
  WakeAll(&map->window_waiters);
}

absl::Status Session::AwaitWindow(MapHandleState* map) {
  MutexLock lock(&mu_);
  if (map->call->streamed || InOutputCallback()) return absl::OkStatus();
  while (!map->done() && map->window != nullptr && map->window->bytes() > kMostWindowBytes) {
    Waiter waiter;
    WaitNode node{&waiter};
    const Linked linked(&map->window_waiters, &node);
    leader_.Await(&waiter, Deadline(kForever));
  }
  return absl::OkStatus();
}

void Session::Walked(MapHandleState& map, const ItemCursor& cursor) {
  Write write;
  std::vector<std::shared_ptr<const ReceivedBlock>> gone;
  {
    MutexLock lock(&mu_);
    while (!map.by_index.empty()) {
      const auto first = map.by_index.begin();
      if (first->first + first->second->count() > cursor.position) break;
      gone.push_back(std::move(first->second));
      map.by_index.erase(first);
    }
    if (map.call->options.order == MapOrder::kAsCompleted) {
      for (; map.arrived_before < cursor.block && !map.arrived.empty(); ++map.arrived_before) {
        gone.push_back(std::move(map.arrived.front()));
        map.arrived.pop_front();
      }
    }
    for (const auto& block : gone) {
      if (!block->told) outbox_.AddConsumed(map.id, block->first(), block->count());
    }
    write = NextWrite();
  }
  Begin(std::move(write));
}

// ---- Both ----

// What was sent up to here and not refused, the daemon has taken.
void Session::AcknowledgeRoom() {
  const std::uint64_t upto = outbox_.last_acknowledged();
  for (; !offered_.empty() && offered_.front().batch <= upto; offered_.pop_front()) {
    HandleState* cell = handles_.Find(offered_.front().id);
    if (cell != nullptr && cell->in_batch() && cell->batch == offered_.front().batch) ForgetResubmission(cell);
  }
  for (auto at = windows_.begin(); at != windows_.end();) {
    MapHandleState* map = *at;
    map->window->Acknowledge(upto);
    SendWindow(map);
    if (map->window->bytes() <= kMostWindowBytes) WakeAll(&map->window_waiters);
    // Nothing is to be sent and nothing is under way: until more items come.
    if (map->window->all_taken()) {
      windows_.erase(at++);
    } else {
      ++at;
    }
  }
  const std::vector<PoolEntry*> pools(full_pools_.begin(), full_pools_.end());
  for (PoolEntry* pool : pools) {
    if (pool->try_at != kNever || pool->tried_batch > upto) continue;
    pool->burst = std::min(kMostBurst, pool->burst * 2);
    ResubmitSome(*pool);
  }
}

void Session::TryRoom(Clock::time_point now) {
  if (state_ != State::kUp) return;
  for (MapHandleState* map : windows_) {
    SendWindow(map);
  }
  const std::vector<PoolEntry*> pools(full_pools_.begin(), full_pools_.end());
  for (PoolEntry* pool : pools) {
    if (pool->try_at <= now) ResubmitSome(*pool);
  }
}

Session::Clock::time_point Session::NextTry() {
  Clock::time_point next = kNever;
  if (state_ != State::kUp) return next;
  for (const MapHandleState* map : windows_) {
    if (map->hold_until > Clock::time_point{}) next = std::min(next, map->hold_until);
  }
  for (const PoolEntry* pool : full_pools_) next = std::min(next, pool->try_at);
  return next;
}

}  // namespace poold::client::internal
