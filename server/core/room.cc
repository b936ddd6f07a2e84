// Room for outcomes, as far as it concerns queues and handles: lines that are held up, and what has to make way.
// Clients and what they keep are in outcome/kept_outcomes.h.
//
// Lines of a client that has no room are taken out of the ready queues, all of each in constant time, and go back when
// the client has room again.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

void Core::State::EnterQuota(Group& group, const ClientOrigin& origin) {
  if (group.queue->quota == nullptr) group.queue->quota = outcomes.Enter(group.queue->client, origin);
}

void Core::State::ClientGoes(ClientId id) {
  ClientQuota* client = outcomes.Goes(id);
  if (client == nullptr) return;
  WakeClients();
  outcomes.Leave(*client);
}

// While the daemon drains nobody has a floor, and nobody is held up.
void Core::State::AllClientsGo() {
  while (!room.present().empty()) ClientGoes(room.present().back()->id);
}

// ---- Who is held up ----

// The queue ends: nothing waits in it.
void Core::State::DropHeldLine(const ClientQueue* queue) {
  const HeldLine line = outcomes.EndLine(*queue->quota, queue);
  line.ready->LetGo(line.queue);
}

void Core::State::WakeEachClient() {
  if (std::exchange(is_waking, true)) return;
  while (ClientQuota* client = outcomes.NextToWake()) WakeClient(*client);
  is_waking = false;
}

void Core::State::WakeClient(ClientQuota& client) {
  std::vector<std::shared_ptr<Pool>> settle;
  for (const HeldLine& line : outcomes.TakeLines(client)) {
    if (!room.HasRoom(client) && !Drains(*line.pool)) {
      KeptOutcomes::HoldOn(client, line);
      continue;
    }
    Scheduler::LetGo(line);
    const std::shared_ptr<Pool> pool = pools.At(line.pool->id);
    if (pool == nullptr) continue;  // it is over; only outcomes of it are kept
    if (std::find(settle.begin(), settle.end(), pool) == settle.end()) settle.push_back(pool);
  }
  outcomes.Woken(client);
  for (const std::shared_ptr<Pool>& pool : settle) {
    if (pool->dispatches()) Reconcile(*pool);
  }
}

// ---- What goes ----

Nanos Core::State::EndedAt(const Node& handle) const { return EndedAt(static_cast<const Handle&>(handle)); }

std::uint64_t Core::State::KeptBytes(const Node& handle) const {
  return KeptBytesOf(static_cast<const Handle&>(handle));
}

bool Core::State::IsAwaited(const Node& handle) const {
  return IsAwaited(static_cast<const Handle&>(handle)) && !faults.drop_awaited;
}

void Core::State::WasSetAside(Node& handle) { static_cast<Handle&>(handle).extras->aside = true; }

void Core::State::Drop(Node& handle) { Drop(static_cast<Handle&>(handle)); }

void Core::State::Expire(Node& handle) { Forget(static_cast<Handle&>(handle)); }

void Core::State::Drop(Handle& handle) {
  KeptOutcomes::NoteDropped(handle.group->pool->kept_counts);
  Forget(handle);
}

void Core::State::NobodyWaits(Handle& handle) {
  if (std::exchange(handle.extras->aside, false)) outcomes.ReturnAside(now, QuotaOf(handle), &handle);
}

void Core::State::MakeRoom(Handle& came, std::uint64_t bytes) {
  outcomes.MakeWay(QuotaOf(came), bytes, Drains(*came.group->pool));
}

void Core::State::ReleaseOld(ClientQuota& client, std::size_t* left) {
  outcomes.Due(now, client, left);
  WakeClients();
}

bool Core::State::DropRunning(const ClientQuota* client, std::uint64_t enough) {
  return DropMapsThat(/*are_awaited=*/false, client, enough) || DropMapsThat(/*are_awaited=*/true, client, 1);
}

bool Core::State::DropMapsThat(bool are_awaited, const ClientQuota* client, std::uint64_t enough) {
  std::uint64_t freed = 0;
  for (const auto& [id, pool] : pools_with_maps) {
    for (MapRun* map : pool->maps) {
      const ClientQuota& its = QuotaOf(*map);
      const bool wanted = client == nullptr ? !its.present : &its == client;
      if (!wanted || map->kept_bytes == 0 || map->released) continue;
      if (IsAwaited(static_cast<const Node&>(*map)) != are_awaited) continue;
      freed += map->kept_bytes;
      Drop(*map);
      if (freed >= enough) return true;
    }
  }
  return freed > 0;
}

}  // namespace poold::core
