// What clients do.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

// More than the queue may hold is refused.
void World::NoteTaken(const std::string& pool, const absl::StatusOr<PoolView>& before, std::uint64_t taken) {
  if (taken == 0) return;
  if (shut_down_) ledger_.Wrong("something new was taken after the shutdown began");
  if (!before.ok()) return ledger_.Wrong("pool " + pool + " took something, and there is none");
  const std::uint64_t most =
      before->spec.max_queued_tasks != 0 ? before->spec.max_queued_tasks : limits_.max_queued_tasks;
  if (before->stats.queued + taken > most) ledger_.Wrong("more tasks were taken than the queue may hold");
}

void World::SubmitSome() {
  Client& client = AnyClient();
  const std::string pool = AnyPool();
  const auto options = std::make_shared<TaskOptions>(AnyOptions());
  const std::string function = Chance(3) ? "unknown" : Chance(50) ? "f" : "g";
  std::vector<NewTask> tasks;
  const std::uint64_t count = Chance(20) ? 1 + Any(wide_ ? 600 : 40) : 1 + Any(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const HandleId id{1, ++last_task_};
    KnownHandle& known = ledger_.handles[id];
    known = {id, false, pool, PoolId{}, function, client.id, *options, {{}}, true};
    if (const Pool* of = FindPool(pool)) known.pool_id = of->id;
    if (Chance(1)) known.guilty_every = 1;
    tasks.push_back({id, {Encoding::kRaw, nullptr, Bytes(Ledger::TextOf(known, 0))}});
    Subscribed(client.stream, known, true);
    live_.push_back(id);
  }
  const auto before = core_.ViewPool(pool);
  std::vector<Refusal> refused;
  core_.OnSubmit(now_, {client.id, client.stream, pool, function, options}, tasks, &refused);
  for (const Refusal& refusal : refused) {
    ledger_.handles.erase(refusal.id);
    ledger_.streams.at(client.stream).handles.erase(refusal.id);
    std::erase(live_, refusal.id);
  }
  NoteTaken(pool, before, count - refused.size());
}

// A client did not see the answer and sends the same task again.
void World::SubmitAgain() {
  const KnownHandle* known = AnyHandle();
  if (known == nullptr || known->is_map || peer_.Find(known->id) == nullptr) return;
  for (const Client& client : clients_) {
    if (client.id != known->client) continue;
    NewTask task{known->id, {Encoding::kRaw, nullptr, Bytes(Ledger::TextOf(*known, 0))}};
    Subscribed(client.stream, *known, false);
    std::vector<Refusal> refused;
    core_.OnSubmit(
        now_, {client.id, client.stream, known->pool, known->function, std::make_shared<TaskOptions>(known->options)},
        {&task, 1}, &refused);
    if (!refused.empty()) ledger_.Wrong("a known task that was sent again was refused");
    ExpectToldAgain(client.stream, *known);
  }
}

// Items of `map` from `first` up to those that it has now.
absl::StatusOr<std::uint64_t> World::SendItemsOf(KnownHandle& map, std::uint64_t first, MapGroup group) {
  group.client = map.client;
  group.pool = map.pool;
  group.function = map.function;
  group.options = std::make_shared<TaskOptions>(map.options);
  group.id = map.id;
  group.first_index = first;
  auto column = std::make_shared<ItemColumn>();
  std::string data;
  for (std::uint64_t i = first; i < map.items.size(); ++i) {
    const std::string text = Ledger::TextOf(map, i);
    column->lengths.push_back(static_cast<std::uint32_t>(text.size()));
    data += text;
  }
  column->data = Bytes(data);
  group.items = column;
  return core_.OnMap(now_, group);
}

void World::MapSome() {
  const HandleId id{2, ++last_map_};
  Client& client = AnyClient();
  KnownHandle& known = ledger_.handles[id];
  known = {id, true, AnyPool(), PoolId{}, Chance(30) ? "g" : "h", client.id, AnyOptions()};
  if (const Pool* of = FindPool(known.pool)) known.pool_id = of->id;
  known.complete = Chance(60);
  known.fail_fast = Chance(20);
  if (Chance(25)) known.guilty_every = 5 + Any(30);
  if (Chance(30)) {  // so that chunks are worth splitting
    known.options.max_attempts = static_cast<std::uint32_t>(2 + Any(9));
    known.options.retry_on = 0x70;
  }
  known.items.resize(Any(wide_ ? 900 : 60));
  MapGroup group;
  group.subscriber = client.stream;
  group.complete = known.complete;
  group.fail_fast = known.fail_fast;
  group.chunk_size = Chance(30) ? static_cast<std::uint32_t>(1 + Any(20)) : 0;
  Subscribed(client.stream, known, true);
  const auto before = core_.ViewPool(known.pool);
  if (!SendItemsOf(known, 0, group).ok()) {
    ledger_.handles.erase(id);
    ledger_.streams.at(client.stream).handles.erase(id);
    return;
  }
  live_.push_back(id);
  NoteTaken(known.pool, before, known.items.size());
}

void World::AppendToSome() {
  KnownHandle* known = AnyHandle();
  if (known == nullptr || !known->is_map || known->complete) return;
  const std::size_t had = known->items.size();
  MapGroup group;
  group.complete = Chance(50);
  // Some of it the daemon has already.
  const std::uint64_t first = had - std::min<std::uint64_t>(had, Any(4));
  known->items.resize(std::max<std::uint64_t>(had, first + Any(24)));
  if (SendItemsOf(*known, first, group).ok()) {
    known->complete |= group.complete;
  } else {
    known->items.resize(had);
  }
}

void World::CancelOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr) return;
  handle->cancelled = true;
  const absl::StatusOr<bool> cancelled = core_.OnCancel(now_, handle->id, Chance(50));
  if (!cancelled.ok() && peer_.Find(handle->id) != nullptr) ledger_.Wrong("a cancel of a known handle failed");
}

void World::ReleaseOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr || Hoards(*handle) || (!handle->ended && !Chance(10))) return;
  handle->released = true;
  core_.OnRelease(now_, handle->id);
}

void World::ConsumeSome() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr || !handle->is_map || handle->items.empty() || Hoards(*handle)) return;
  const std::uint64_t first = Any(handle->items.size());
  // Only what ended can have been seen.
  std::uint64_t count = 0;
  while (first + count < handle->items.size() && handle->items[first + count].final_state != TaskState::kUnspecified) {
    ++count;
  }
  core_.OnConsumed(now_, handle->id, first, count);
}

void World::AskForOne() {
  KnownHandle* handle = AnyHandle();
  if (handle == nullptr) return;
  const Nanos wait = Chance(20) ? 0 : static_cast<Nanos>(Any(30)) * kMillisecond;
  const SubscriberId call = NewCall(now_ + wait);
  KnownCall& known = ledger_.calls.at(call);
  const testing::FakeWorker* asks = Chance(40) ? AnyWorker() : nullptr;
  if (asks != nullptr && asks->running()) known.from = asks->id;
  if (Chance(50)) {
    known.asked = {handle->id};
    return core_.OnGet(now_, call, handle->id, wait, known.from);
  }
  std::vector<HandleId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(AnyHandle()->id);
    if (std::find(known.waits.begin(), known.waits.end(), ids.back()) == known.waits.end()) {
      known.waits.push_back(ids.back());
    }
  }
  for (const HandleId id : known.waits) ledger_.handles.at(id).waited = true;
  known.mode = static_cast<WaitMode>(1 + Any(3));
  known.asked = ids;
  core_.OnWait(now_, call, ids, known.mode, wait, known.from);
}

void World::WatchSome() {
  const SubscriberId call{++last_call_};
  watches_[call] = false;
  absl::Status status = absl::OkStatus();
  if (Chance(50)) {
    status = core_.OnWatch(now_, call, {}, AnyPool(), Chance(50));
  } else if (KnownHandle* handle = AnyHandle()) {
    const HandleId ids[] = {handle->id, AnyHandle()->id};
    status = core_.OnWatch(now_, call, ids, "", true);
  } else {
    status = absl::NotFoundError("");
  }
  if (!status.ok()) watches_.erase(call);
}

// Twice is heard twice only where it was over.
void World::Subscribe(SubscriberId stream, const KnownHandle& handle) {
  Subscribed(stream, handle, false);
  if (!core_.OnSubscribe(now_, stream, handle.id).ok()) {
    ledger_.streams.at(stream).handles.erase(handle.id);
  } else {
    ExpectToldAgain(stream, handle);
  }
}

// A client loses its stream and comes back: it subscribes to what it has not seen.
void World::Reconnect() {
  Client& client = AnyClient();
  KnownStream& old = ledger_.streams.at(client.stream);
  old.gone = true;
  core_.OnSubscriberGone(now_, client.stream);
  const SubscriberId stream = NewStream();
  for (const auto& [id, heard] : ledger_.streams.at(client.stream).handles) {
    if (heard.ends > 0 || ledger_.handles.at(id).released) continue;
    Subscribe(stream, ledger_.handles.at(id));
    if (Chance(20)) Subscribe(stream, ledger_.handles.at(id));
  }
  client.stream = stream;
}

// A call or a watch is given up.
void World::GoAway() {
  if (Chance(50) && !ledger_.calls.empty()) {
    const SubscriberId call = ledger_.calls.begin()->first;
    ledger_.calls.erase(call);
    core_.OnSubscriberGone(now_, call);
  } else if (!watches_.empty()) {
    const SubscriberId call = watches_.begin()->first;
    watches_.erase(call);
    core_.OnSubscriberGone(now_, call);
  }
}

}  // namespace poold::core::sim
