// Room for outcomes: who is held up, what makes way, and what is counted.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {
namespace {

// What came last may be above what there is room for.
constexpr std::uint64_t kSomeOutcomes = 3'000;

}  // namespace

bool World::Hoards(const KnownHandle& handle) const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [&](const Client& client) { return client.id == handle.client && client.hoards; });
}

bool World::IsPresent(ClientId id) const {
  return !shut_down_ && std::any_of(clients_.begin(), clients_.end(),
                                    [id](const Client& client) { return client.id == id && client.present; });
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
  handle.unseen_end = handle.ended_at == kNever;
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

// By calls that have no answer yet.
std::set<HandleId> World::Awaited() const {
  std::set<HandleId> awaited;
  for (const auto& [call, known] : ledger_.calls) awaited.insert(known.asked.begin(), known.asked.end());
  return awaited;
}

// Of an ended handle, before it went in this event.
std::uint64_t World::MostOf(const KnownHandle& gone) const {
  if (!gone.unseen_end) return gone.kept_bytes;
  return gone.is_map ? limits_.max_kept_outcome_bytes : kSomeOutcomes;
}

// When the last one went that somebody still waits for, without it: what is kept of ended handles that somebody waits
// for, or did before this event, and whose clients are not present.
std::uint64_t World::MostAsideBeside(const std::vector<const KnownHandle*>& gone) const {
  const std::set<HandleId> now = Awaited();
  std::uint64_t bytes = 0;
  for (const KnownHandle* handle : gone) {
    if (awaited_.contains(handle->id) && !now.contains(handle->id)) bytes += MostOf(*handle);
  }
  for (const auto& [id, known] : ledger_.handles) {
    const Handle* handle = known.ended && (somebody_came_ || !IsPresent(known.client)) ? peer_.Find(id) : nullptr;
    if (handle == nullptr || (!now.contains(id) && !awaited_.contains(id))) continue;
    bytes += std::max(known.kept_bytes, peer_.KeptBytesOf(*handle));
  }
  return bytes;
}

// The rule: what somebody waits for stays while all of that, of clients that are not present, has at most half of the
// room for what was left. So when the last of it went there was more. A map that runs is not a part of that.
void World::CheckAwaitedWent(const std::vector<const KnownHandle*>& gone) {
  const std::set<HandleId> now = Awaited();
  std::uint64_t last = 0;
  std::string name;
  for (const KnownHandle* handle : gone) {
    if (!now.contains(handle->id) || now_ - handle->ended_at >= limits_.outcome_ttl) continue;
    if (handle->is_map && handle->unseen_end) {
      CheckAwaitedMapWent(*handle);
      continue;
    }
    name = Ledger::TextOf(*handle, 0);
    last = std::max(last, MostOf(*handle));
  }
  if (!name.empty() && MostAsideBeside(gone) + last <= std::min(most_aside_, MostAside())) {
    ledger_.Wrong("the outcome of " + name + " is gone, and somebody waits for it");
  }
}

// A map that runs goes last of all, if somebody waits for it.
void World::CheckAwaitedMapWent(const KnownHandle& gone) {
  if (somebody_came_) return;
  const std::set<HandleId> now = Awaited();
  for (const auto& [id, known] : ledger_.handles) {
    const Handle* handle = known.kept_bytes == 0 ? nullptr : peer_.Find(id);
    if (handle == nullptr || peer_.KeptBytesOf(*handle) == 0 || now.contains(id) || awaited_.contains(id)) continue;
    if (known.client != gone.client && (IsPresent(known.client) || IsPresent(gone.client))) continue;
    ledger_.Wrong("somebody waits for " + Ledger::TextOf(gone, 0) + ", which went before " + Ledger::TextOf(known, 0));
  }
}

// What is gone has had its time, or had to make way: the oldest first, and what somebody waits for last.
void World::CheckGoing(const std::vector<const KnownHandle*>& gone) {
  CheckAwaitedWent(gone);
  for (const KnownHandle* handle : gone) {
    const std::string name = Ledger::TextOf(*handle, 0);
    if (handle->ended && now_ - handle->ended_at >= limits_.outcome_ttl) continue;
    if (!MayGo(*handle)) ledger_.Wrong("the outcome of " + name + " is gone although its client is there");
    if (!handle->ended) continue;
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
  for (auto& [id, known] : ledger_.handles) {
    const Handle* handle = peer_.Find(id);
    known.kept_bytes = handle == nullptr ? 0 : peer_.KeptBytesOf(*handle);
    kept[known.client] += known.kept_bytes;
  }
  std::uint64_t used = 0;
  std::uint64_t above = 0;
  std::uint64_t left = 0;
  std::uint64_t aside = 0;
  peer_.ForEachClient([&](const ClientQuota& client) {
    if (client.used != kept[client.id]) ledger_.Wrong("what is kept of a client is miscounted");
    if (client.present != IsPresent(client.id))
      ledger_.Wrong("a client counts as present and is not, or is and does not");
    used += client.used;
    if (client.present && client.used > room.floor()) above += client.used - room.floor();
    if (!client.present) left += client.used;
    if (!client.present) aside += client.aside_bytes;
    CheckHeldUp(client);
    kept.erase(client.id);
  });
  for (const auto& [client, bytes] : kept) used += bytes;
  if (used != room.used() || above != room.above() || left != room.left()) ledger_.Wrong("what is kept is miscounted");
  if (aside != peer_.aside_bytes()) ledger_.Wrong("what is set aside is miscounted");
  // What is left makes way for what comes, but not what came last, nor what somebody waits for.
  const std::uint64_t over = room.IsOverfull() ? room.common_used() - room.common() : 0;
  const bool may_stay = aside > 0 && aside <= MostAside();
  const bool much_is_left = room.left() > room.left_floor() + kSomeOutcomes;
  if (over > overfull_ && much_is_left && !somebody_came_ && !may_stay) {
    ledger_.Wrong("more is kept than there is room for, and nothing that was left makes way");
  }
  overfull_ = over;
  somebody_came_ = false;
  looked_at_ = now_;
  awaited_ = Awaited();
  most_aside_ = MostAside();
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
  if (core_.NextTimer() <= now_) return;  // a slice that is still to come wakes who has room
  if (room.above() + room.common() / 16 < room.common()) ledger_.Wrong("a client is held up although there is room");
  if (!known.told_short || !known.told_held_up) ledger_.Wrong("a client is held up, and nobody was told");
  for (const HeldLine& line : client.held) {
    if (line.pool->state == PoolState::kClosing) ledger_.Wrong("a pool that is closing waits for room");
  }
}

}  // namespace poold::core::sim
