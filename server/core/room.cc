// Room for outcomes: who is held up for want of it, who is told, and what has to make way. See client_quota.h.
//
// A client that is present is held up when it has no room: its lines are taken out of the ready queues, all of each in
// constant time, and go back when it has room again. What a client left that is not present is never held up: the
// oldest of what was left goes for what comes, but not what somebody waits for. In the same way a pool that is closing
// is finished: there the oldest outcomes of the same client go.
#include <algorithm>

#include "core/state.h"

namespace poold::core {
namespace {

// What came may be a little more than what goes for it: so what was too much, because more clients have come, goes
// little by little.
constexpr std::uint64_t kMoreBytes = 16 << 10;

}  // namespace

// ---- Who is known ----

ClientQuota& Core::State::QuotaOf(ClientId id, const ClientOrigin& origin) {
  if (latest_client == nullptr || latest_client->id != id) latest_client = &KnowClient(id);
  if (latest_client == unused_client) unused_client = nullptr;
  latest_client->origin = origin;
  return *latest_client;
}

ClientQuota& Core::State::KnowClient(ClientId id) {
  std::unique_ptr<ClientQuota>& client = clients[id];
  if (client == nullptr) {
    client = std::make_unique<ClientQuota>();
    client->id = id;
    client->number = ++last_client;
  }
  return *client;
}

void Core::State::EnterQuota(Group& group, const ClientOrigin& origin) {
  if (group.queue->quota != nullptr) return;
  group.queue->quota = &QuotaOf(group.queue->client, origin);
  ++group.queue->quota->queues;
}

void Core::State::LeaveQuota(ClientQuota& client) {
  if (--client.queues > 0 || client.present || &client == unused_client) return;
  if (ClientQuota* unused = std::exchange(unused_client, &client)) {
    timers.Clear(&unused->kept_timer);
    UnlistLeft(*unused);
    if (unused == latest_client) latest_client = nullptr;
    clients.erase(unused->id);
  }
}

void Core::State::ClientComes(ClientId id, const ClientOrigin& origin) {
  if (shutting_down) return;
  ClientQuota& client = QuotaOf(id, origin);
  if (client.present) return;
  UnlistLeft(client);
  aside_bytes -= client.aside_bytes;
  room.Come(&client);
  ListAside(client);
  TellRoom(client);
}

void Core::State::ClientGoes(ClientId id) {
  const auto at = clients.find(id);
  if (at == clients.end() || !at->second->present) return;
  ClientQuota& client = *at->second;
  ++client.queues;
  room.Go(&client);
  aside_bytes += client.aside_bytes;
  ListAside(client);
  TellOneRoom(client);
  TellRoom(client);
  if (!client.kept.empty()) ListLeft(client, EndedAt(*static_cast<Handle*>(client.kept.front())));
  NoteFreed(client);
  WakeClients();
  LeaveQuota(client);
}

// While the daemon drains nobody has a floor, and nobody is held up.
void Core::State::AllClientsGo() {
  while (!room.present().empty()) ClientGoes(room.present().back()->id);
}

// ---- Who is held up ----

bool Core::State::HasOwnRoom(const Handle& handle) const {
  if (Drains(*handle.group->pool)) return true;
  const ClientQuota& client = QuotaOf(handle);
  return room.HasRoom(client) && !(faults.no_floors && client.present);
}

// Where its client waits. False: it waits there already.
bool Core::State::HoldUp(const Handle& handle) {
  Pool& pool = *handle.group->pool;
  ClientQueue* queue = handle.group->queue;
  ClientQuota& client = *queue->quota;
  if (queue->held_up) return false;
  handle.group->ready->HoldUp(queue);
  NoteFresh(*handle.group);
  client.held.push_back({&pool, handle.group->ready, queue});
  if (!client.linked()) held_clients.PushBack(&client);
  if (!std::exchange(client.told_held_up, true)) client_port->ClientIsHeldUp(ViewOf(client), true);
  for (PoolFunction& function : pool.functions) {  // others may be tried in its place
    CircuitBreaker* breaker = function.breaker.get();
    if (breaker == nullptr || breaker->called == nullptr) continue;
    if (static_cast<const Handle*>(breaker->called)->group->queue != queue) continue;
    breaker->called = nullptr;
    probes_uncalled = true;
  }
  return true;
}

// The queue ends: nothing waits in it.
void Core::State::DropHeldLine(const ClientQueue* queue) {
  ClientQuota& client = *queue->quota;
  const auto line =
      std::find_if(client.held.begin(), client.held.end(), [queue](const HeldLine& one) { return one.queue == queue; });
  line->ready->LetGo(line->queue);
  client.held.erase(line);
  if (!client.held.empty()) return;
  (client.waking ? waking : held_clients).Remove(&client);
  client.waking = false;
  TellGoesOn(client);
}

void Core::State::WakeAllClients() {
  while (Node* node = held_clients.front()) {
    held_clients.Remove(node);
    waking.PushBack(node);
    static_cast<ClientQuota*>(node)->waking = true;
  }
}

// This client, or all, have more room than before.
void Core::State::NoteFreed(ClientQuota& client) {
  if (held_clients.empty() || faults.never_wake) return;
  if (room.open()) return WakeAllClients();
  if (!client.linked() || client.waking || !room.HasRoom(client)) return;
  held_clients.Remove(&client);
  waking.PushBack(&client);
  client.waking = true;
}

void Core::State::WakeEachClient() {
  if (std::exchange(is_waking, true)) return;
  while (Node* node = waking.front()) WakeClient(*static_cast<ClientQuota*>(node));
  is_waking = false;
}

void Core::State::WakeClient(ClientQuota& client) {
  waking.Remove(&client);
  client.waking = false;
  std::vector<HeldLine> lines;
  lines.swap(client.held);
  std::vector<std::shared_ptr<Pool>> settle;
  for (const HeldLine& line : lines) {
    if (!room.HasRoom(client) && !Drains(*line.pool)) {
      client.held.push_back(line);
      continue;
    }
    line.ready->LetGo(line.queue);
    if (line.ready == &line.pool->ready_fresh) line.pool->scaling_due = true;
    const auto pool = pools.find(line.pool->id);
    if (pool == pools.end()) continue;  // it is over; only outcomes of it are kept
    if (std::find(settle.begin(), settle.end(), pool->second) == settle.end()) settle.push_back(pool->second);
  }
  if (!client.held.empty()) held_clients.PushBack(&client);
  TellGoesOn(client);
  for (const std::shared_ptr<Pool>& pool : settle) {
    if (pool->dispatches()) Reconcile(*pool);
  }
}

// ---- Who is told ----

void Core::State::TellScarceRoom(ClientQuota& client) {
  if (room.scarce() == told_scarce) return TellOneRoom(client);
  told_scarce = room.scarce();
  for (ClientQuota* one : room.present()) TellOneRoom(*one);
}

void Core::State::TellOneRoom(ClientQuota& client) {
  if (room.IsShort(client) == client.is_short) return;
  client.is_short = !client.is_short;
  client_port->RoomIsShort(client.id, client.is_short);
  TellGoesOn(client);
}

// Of one that was held up, when it has room again and all that it has waits only for workers.
void Core::State::TellGoesOn(ClientQuota& client) {
  if (client.is_short || !client.held.empty() || !std::exchange(client.told_held_up, false)) return;
  client_port->ClientIsHeldUp(ViewOf(client), false);
}

ClientView Core::State::ViewOf(const ClientQuota& client) const {
  ClientView view;
  view.id = client.id;
  view.origin = client.origin;
  view.present = client.present;
  view.room_is_short = client.is_short;
  view.held_up = !client.held.empty();
  view.kept_bytes = client.used;
  view.floor_bytes = room.floor();
  view.common_bytes = room.common();
  view.common_used = room.common_used();
  return view;
}

ClientView Core::State::ViewOf(ClientId client) const {
  const auto at = clients.find(client);
  return at == clients.end() ? ClientView() : ViewOf(*at->second);
}

// ---- What goes ----

void Core::State::ListLeft(ClientQuota& client, Nanos oldest) {
  client.oldest_left = oldest;
  left.emplace(std::pair(oldest, client.number), &client);
}

void Core::State::UnlistLeft(ClientQuota& client) {
  if (client.oldest_left == kNever) return;
  left.erase({client.oldest_left, client.number});
  client.oldest_left = kNever;
}

void Core::State::NoteKept(ClientQuota& client) {
  if (client.kept_timer == kNoTimer) ArmOutcomeTimer(client);
  if (!client.present && client.oldest_left == kNever) ListLeft(client, now);
}

void Core::State::ListAside(ClientQuota& client) {
  if (client.oldest_aside != kNever) left_aside.erase({client.oldest_aside, client.number});
  client.oldest_aside = kNever;
  if (client.present || client.aside.empty()) return;
  client.oldest_aside = EndedAt(*static_cast<Handle*>(client.aside.front()));
  left_aside.emplace(std::pair(client.oldest_aside, client.number), &client);
}

void Core::State::CountAside(ClientQuota& client, std::uint64_t bytes) {
  client.aside_bytes += bytes;
  if (!client.present) aside_bytes += bytes;
}

void Core::State::UncountAside(ClientQuota& client, std::uint64_t bytes) {
  client.aside_bytes -= bytes;
  if (!client.present) aside_bytes -= bytes;
}

void Core::State::SetAside(Handle& handle) {
  ClientQuota& client = QuotaOf(handle);
  client.kept.Remove(&handle);
  client.aside.PushBack(&handle);
  handle.extras->aside = true;
  CountAside(client, KeptBytesOf(handle));
  if (client.aside.size() == 1) ListAside(client);
}

void Core::State::LeaveAside(Handle& handle) {
  ClientQuota& client = QuotaOf(handle);
  const bool first = client.aside.front() == &handle;
  client.aside.Remove(&handle);
  handle.extras->aside = false;
  if (first) ListAside(client);
}

// Behind all others: who waited has time to ask for it.
void Core::State::ReturnAside(Handle& handle) {
  UncountAside(QuotaOf(handle), KeptBytesOf(handle));
  LeaveAside(handle);
  Keep(handle);
}

Handle* Core::State::OldestOf(ClientQuota& client) {
  while (Node* node = faults.drop_newest ? client.kept.back() : client.kept.front()) {
    Handle& handle = *static_cast<Handle*>(node);
    if (!IsAwaited(handle) || faults.drop_awaited) return &handle;
    SetAside(handle);
  }
  return nullptr;
}

// Those who wait for outcomes of others do not get more than half of the room for what was left: of what is more, the
// oldest goes all the same.
Handle* Core::State::OldestAside() const {
  if (aside_bytes <= (room.left_floor() + room.common()) / 2) return nullptr;
  return static_cast<Handle*>(left_aside.begin()->second->aside.front());
}

Handle* Core::State::OldestLeft() {
  if (Handle* oldest = OldestAside()) return oldest;
  while (!left.empty()) {
    ClientQuota& client = *left.begin()->second;
    const Nanos listed = client.oldest_left;
    Handle* oldest = OldestOf(client);
    if (oldest != nullptr && (EndedAt(*oldest) <= listed || left.size() == 1)) return oldest;
    UnlistLeft(client);
    if (oldest != nullptr) ListLeft(client, EndedAt(*oldest));
  }
  return OldestAside();
}

void Core::State::MakeRoom(Handle& came, std::uint64_t bytes) {
  ClientQuota& client = QuotaOf(came);
  const bool drains = client.present && Drains(*came.group->pool);
  std::uint64_t most = 2 * bytes + kMoreBytes;
  while (most > 0 && (room.IsOverfull() || (drains && room.IsBeyond(client)))) {
    Handle* const oldest = room.IsOverfull() ? OldestLeft() : OldestOf(client);
    if (oldest == nullptr) {
      if (!DropMaps(room.IsOverfull() ? nullptr : &client)) return;
      continue;
    }
    most -= std::min(most, KeptBytesOf(*oldest));
    Drop(*oldest);
  }
}

// All that may go is of maps that still run: those of this client, or (null) those that were left. More of them go than
// have to, so that they are seldom looked for; but of those that somebody waits for one, when there are no others.
// False: there is none.
bool Core::State::DropMaps(const ClientQuota* client) {
  const std::uint64_t enough = (room.left_floor() + room.common()) / 16 + 1;
  return DropMapsThat(/*are_awaited=*/false, client, enough) || DropMapsThat(/*are_awaited=*/true, client, 1);
}

bool Core::State::DropMapsThat(bool are_awaited, const ClientQuota* client, std::uint64_t enough) {
  std::uint64_t freed = 0;
  for (const auto& [id, pool] : pools) {
    for (MapRun* map : pool->maps) {
      const ClientQuota& its = QuotaOf(*map);
      const bool wanted = client == nullptr ? !its.present : &its == client;
      if (!wanted || map->kept_bytes == 0 || map->released) continue;
      if ((IsAwaited(*map) && !faults.drop_awaited) != are_awaited) continue;
      freed += map->kept_bytes;
      Drop(*map);
      if (freed >= enough) return true;
    }
  }
  return freed > 0;
}

void Core::State::Drop(Handle& handle) {
  ++handle.group->pool->stats.dropped_outcomes;
  if (faults.keep_count) room.Add(QuotaOf(handle), 1);
  Forget(handle);
}

}  // namespace poold::core
