// Room for outcomes: who is held up, what makes way, and what is counted.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {
namespace {

// What a wait may add at once to what was set aside.
constexpr std::uint64_t kSomeOutcomes = 3'000;

}  // namespace

bool World::Hoards(const KnownHandle& handle) const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [&](const Client& client) { return client.id == handle.client && client.hoards; });
}

bool World::IsPresent(ClientId id) const {
  return !shut_down_ && std::any_of(clients_.begin(), clients_.end(), [id](const Client& client) {
    return client.id == id && client.present;
  });
}

// Also when nobody can name it.
bool World::Runs(const HandleId& id) const {
  bool runs = false;
  peer_.ForEachPool([&](const Pool& pool) {
    runs |= std::any_of(pool.maps.begin(), pool.maps.end(), [&](const MapRun* map) { return map->id == id; });
  });
  return runs;
}

// Nobody released it.
void World::NoteGone(KnownHandle& handle) {
  handle.released = true;
  handle.ended_at = std::min(handle.ended_at, looked_at_);
  if (handle.is_map && Runs(handle.id)) return;  // it goes on, and nobody will ask
  handle.ended = true;
}

// It was left by a client that is gone, or its pool is finished in any case.
bool World::MayGo(const KnownHandle& handle) const {
  if (!IsPresent(handle.client)) return true;
  bool closing = somebody_came_;
  for (const auto& [id, known] : ledger_.handles) {
    const Pool* pool = known.client == handle.client ? FindPool(known.pool_id) : nullptr;
    closing |= pool != nullptr && pool->state != PoolState::kRunning && pool->state != PoolState::kStarting;
  }
  return closing;
}

bool World::WentTooEarly(const KnownHandle& gone, const KnownHandle& left) const {
  if (left.released || left.waited || gone.waited || left.ended_at >= gone.ended_at) return false;
  return left.client == gone.client || (!IsPresent(left.client) && !IsPresent(gone.client));
}

// What is gone has had its time, or had to make way: the oldest first, and nothing that somebody waits for.
void World::CheckGoing(const std::vector<const KnownHandle*>& gone) {
  const std::uint64_t most_aside = (peer_.room().left_floor() + peer_.room().common()) / 2;
  // A map may be more than there was in all of what went before it.
  const bool a_map_went =
      std::any_of(gone.begin(), gone.end(), [](const KnownHandle* handle) { return handle->is_map; });
  for (const KnownHandle* handle : gone) {
    const std::string name = Ledger::TextOf(*handle, 0);
    if (handle->ended && now_ - handle->ended_at >= limits_.outcome_ttl) continue;
    if (!MayGo(*handle)) ledger_.Wrong("the outcome of " + name + " is gone although its client is there");
    if (!handle->ended) continue;
    const bool much_is_aside = a_map_went || peer_.aside_bytes() + kSomeOutcomes > most_aside;
    for (const auto& [call, wait] : ledger_.calls) {
      if (std::find(wait.waits.begin(), wait.waits.end(), handle->id) == wait.waits.end() || much_is_aside) continue;
      ledger_.Wrong("the outcome of " + name + " is gone, and somebody waits for it");
    }
    for (const auto& [id, left] : ledger_.handles) {
      if (WentTooEarly(*handle, left)) {
        ledger_.Wrong("the outcome of " + name + " is gone, and that of " + Ledger::TextOf(left, 0) + " is older");
      }
    }
  }
}

void World::CheckRoom() {
  const OutcomeRoom& room = peer_.room();
  std::map<ClientId, std::uint64_t> kept;
  for (const auto& [id, known] : ledger_.handles) {
    if (const Handle* handle = peer_.Find(id)) kept[known.client] += peer_.KeptBytesOf(*handle);
  }
  std::uint64_t used = 0;
  std::uint64_t above = 0;
  std::uint64_t left = 0;
  peer_.ForEachClient([&](const ClientQuota& client) {
    if (client.used != kept[client.id]) ledger_.Wrong("what is kept of a client is miscounted");
    if (client.present != IsPresent(client.id)) ledger_.Wrong("a client counts as present and is not, or is and does not");
    used += client.used;
    if (client.present && client.used > room.floor()) above += client.used - room.floor();
    if (!client.present) left += client.used;
    CheckHeldUp(client);
    kept.erase(client.id);
  });
  for (const auto& [client, bytes] : kept) used += bytes;
  if (used != room.used() || above != room.above() || left != room.left()) ledger_.Wrong("what is kept is miscounted");
  // What is left makes way for what comes, but not what came last, nor what somebody waits for.
  const std::uint64_t over = room.IsOverfull() ? room.common_used() - room.common() : 0;
  const bool much_is_left = room.left() > room.left_floor() + kSomeOutcomes;
  if (over > overfull_ && much_is_left && !somebody_came_ && peer_.aside().empty()) {
    ledger_.Wrong("more is kept than there is room for, and nothing that was left makes way");
  }
  overfull_ = over;
  somebody_came_ = false;
  looked_at_ = now_;
}

void World::CheckHeldUp(const ClientQuota& client) {
  const OutcomeRoom& room = peer_.room();
  const Client& known = *FindClient(client.id);
  const bool scarce = room.above() > room.common() - room.common() / 4;
  if (client.present && scarce && client.used > room.floor() - room.floor() / 4 && !known.told_short) {
    ledger_.Wrong("a client was not told that its room is short");
  }
  if (known.told_short && (room.above() <= room.common() / 2 || client.used <= room.floor() / 2 || !client.present)) {
    ledger_.Wrong("a client was not told that it has room again");
  }
  if (client.held.empty()) return;
  if (!client.present) ledger_.Wrong("a client is held up that is not present");
  if (client.used < room.floor()) ledger_.Wrong("a client below its floor is held up");
  if (room.above() + room.common() / 16 < room.common()) ledger_.Wrong("a client is held up although there is room");
  if (!known.told_short || !known.told_held_up) ledger_.Wrong("a client is held up, and nobody was told");
  for (const HeldLine& line : client.held) {
    if (line.pool->state == PoolState::kClosing) ledger_.Wrong("a pool that is closing waits for room");
  }
}

}  // namespace poold::core::sim
