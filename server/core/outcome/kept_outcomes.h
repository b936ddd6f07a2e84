// Outcomes that are kept until they are released: for how long, for whom there is room, and what has to make way.
//
// A client that is present and has no room is held up: its lines are taken out of the ready queues, and go back when it
// has room again. What a client left that is not present is never held up: the oldest of what was left goes for what
// comes, but not what somebody waits for. In the same way a pool that is closing is finished: there the oldest outcomes
// of the same client go. How the room is divided is in outcome_room.h.
//
// Role: clients, what each keeps, and who is told that room is short. Non-role: knows neither handles nor queues; an
// ended handle is a node here, and whoever owns it answers for it (OutcomesListener).
// Invariants (Check): those of OutcomeRoom; an ended handle is in the list of its client or set aside; clients that are
// not present and keep something are listed; a client is held up exactly while it has a line that is.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/node.h"
#include "core/outcome/client_quota.h"
#include "core/outcome/outcome_room.h"
#include "core/ports.h"
#include "core/timers.h"
#include "core/types.h"
#include "core/views.h"

namespace poold::core {

// What one pool keeps. Only KeptOutcomes changes it.
struct KeptCounts {
  std::uint64_t outcomes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;  // handles whose outcomes had to make way
};

// What the owner of the handles answers and does.
class OutcomesListener {
 public:
  // Of a handle that is kept, or was set aside.
  virtual Nanos EndedAt(const Node& handle) const = 0;
  virtual std::uint64_t KeptBytes(const Node& handle) const = 0;
  virtual bool IsAwaited(const Node& handle) const = 0;
  // It was set aside: Remove will be told so.
  virtual void WasSetAside(Node& handle) = 0;
  // Both forget the handle, and call Uncount and Remove for it. It had to make way:
  virtual void Drop(Node& handle) = 0;
  // It was kept for long enough:
  virtual void Expire(Node& handle) = 0;
  // Forgets maps that still run: of this client, or (null) of those that are not present; until `enough` bytes have
  // gone. Those that somebody waits for last, and only one. False: there is none.
  virtual bool DropRunning(const ClientQuota* client, std::uint64_t enough) = 0;

 protected:
  ~OutcomesListener() = default;
};

// Bugs for the simulator to find.
struct OutcomeFaults {
  bool drop_newest = false;  // drops the newest of what was left, not the oldest
  bool never_wake = false;   // leaves clients held up that have room again
  bool keep_count = false;   // counts what was dropped as kept
};

class KeptOutcomes {
 public:
  // `bytes`: of all outcomes. `ttl`: for how long one is kept. The others outlive it.
  KeptOutcomes(std::uint64_t bytes, Nanos ttl, ClientPort* port, Timers* timers, OutcomesListener* listener)
      : ttl_(ttl), port_(port), timers_(timers), listener_(listener), room_(bytes) {}

  // ---- Clients ----
  // One more queue of this client; made known if it is not.
  ClientQuota* Enter(ClientId id, const ClientOrigin& origin);
  // One queue less. With the last one a client that is not present is forgotten, but for the latest such.
  void Leave(ClientQuota& client);
  // Its first session has come.
  void Comes(ClientId id, const ClientOrigin& origin);
  // Its last session has gone. Null: it was not present. Else the caller calls Leave for it when those that have room
  // now (some_wake) were woken.
  ClientQuota* Goes(ClientId id);
  ClientView View(ClientId id) const;
  std::vector<ClientView> ViewHeldUp() const;

  // ---- Counting ----
  const OutcomeRoom& room() const { return room_; }
  // Outcomes that came, or went. `aside`: of a handle that was set aside.
  void Count(KeptCounts& pool, ClientQuota& client, std::uint64_t bytes, std::uint64_t outcomes) {
    pool.outcomes += outcomes;
    pool.bytes += bytes;
    room_.Add(client, bytes);
    TellRoom(client);
  }
  void Uncount(KeptCounts& pool, ClientQuota& client, std::uint64_t bytes, std::uint64_t outcomes, bool aside) {
    pool.outcomes -= outcomes;
    pool.bytes -= bytes;
    if (aside) UncountAside(client, bytes);
    room_.Subtract(client, bytes);
    TellRoom(client);
    if (!held_.empty()) NoteFreed(client);
  }

  // ---- Keeping ----
  // REQUIRES: the handle has ended, and is in no list.
  void Keep(Nanos now, ClientQuota& client, Node* handle) {
    client.kept.PushBack(handle);
    if (client.kept_timer == kNoTimer || !client.present) NoteKept(now, client);
  }
  // `aside`: it was set aside, and is no more.
  void Remove(ClientQuota& client, Node* handle, bool aside) {
    if (aside) return LeaveAside(client, handle);
    client.kept.Remove(handle);
  }
  // Nobody waits any more for this one, which was set aside, and is no more. It goes behind all others: who waited has
  // time to ask for it.
  void ReturnAside(Nanos now, ClientQuota& client, Node* handle);
  // So many bytes of this client came, of a pool that drains or does not: others may have to go for them, a bounded
  // number at a time.
  void MakeWay(ClientQuota& client, std::uint64_t bytes, bool drains);
  // A handle has to make way.
  static void NoteDropped(KeptCounts& pool) { ++pool.dropped; }
  // TimerKind::kOutcomes: the oldest ones have been kept for long enough. At most `*left` go, which is taken from it;
  // the timer is set for the others.
  void Due(Nanos now, ClientQuota& client, std::size_t* left);

  // ---- Clients without room ----
  // REQUIRES: this line is not held up.
  void HoldUp(ClientQuota& client, const HeldLine& line);
  // The line ends: nothing waits in it. Returns it.
  HeldLine EndLine(ClientQuota& client, const ClientQueue* queue);
  // All that are held up may have room.
  void WakeAll();
  // Some that were held up may have room again. For each: TakeLines, then Holds for those lines that still have none,
  // then Woken.
  bool some_wake() const { return !waking_.empty(); }
  ClientQuota* NextToWake() const { return static_cast<ClientQuota*>(waking_.front()); }
  std::vector<HeldLine> TakeLines(ClientQuota& client);
  static void HoldOn(ClientQuota& client, const HeldLine& line) { client.held.push_back(line); }
  void Woken(ClientQuota& client);

  // ---- What must hold, and faults ----
  void Plant(const OutcomeFaults& faults) { faults_ = faults; }
  template <typename Visit>
  void ForEachClient(Visit&& visit) const {
    for (const auto& [id, client] : clients_) visit(*client);
  }
  // Bytes set aside of clients that are not present.
  std::uint64_t aside_bytes() const { return aside_bytes_; }
  // Clients that are kept though nothing is known of them any more: none or one.
  std::size_t unused() const { return unused_ == nullptr ? 0 : 1; }
  std::size_t held_up() const { return held_.size() + waking_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  // Those that are not present, by when the oldest of something that they keep has ended, and by ClientQuota::number.
  using ByAge = std::map<std::pair<Nanos, std::uint64_t>, ClientQuota*>;

  ClientQuota& Know(ClientId id);
  ClientQuota& Find(ClientId id, const ClientOrigin& origin);
  Nanos EndOf(const Node* handle) const { return listener_->EndedAt(*handle); }
  // While nothing is scarce, and all know that, there is nothing to tell.
  void TellRoom(ClientQuota& client) {
    if (room_.scarce() || told_scarce_) TellScarce(client);
  }
  void TellScarce(ClientQuota& client);
  void TellOne(ClientQuota& client);
  void TellGoesOn(ClientQuota& client);
  ClientView ViewOf(const ClientQuota& client) const;
  void NoteKept(Nanos now, ClientQuota& client);
  void ArmTimer(ClientQuota& client);
  void ListLeft(ClientQuota& client, Nanos oldest);
  void UnlistLeft(ClientQuota& client);
  // What the client has aside, or whether it is present, has changed.
  void ListAside(ClientQuota& client);
  void UncountAside(ClientQuota& client, std::uint64_t bytes);
  void SetAside(ClientQuota& client, Node* handle);
  void LeaveAside(ClientQuota& client, Node* handle);
  // The one that goes next; null for none.
  Node* OldestOf(ClientQuota& client);
  Node* OldestLeft();
  // Of those that are not present: null unless they have too much aside.
  Node* OldestAside() const;
  // This client, or all, have more room than before.
  void NoteFreed(ClientQuota& client);
  std::string CheckOne(const ClientQuota& client) const;

  const Nanos ttl_;
  ClientPort* const port_;
  Timers* const timers_;
  OutcomesListener* const listener_;
  OutcomeFaults faults_;

  OutcomeRoom room_;
  absl::flat_hash_map<ClientId, std::unique_ptr<ClientQuota>> clients_;
  std::uint64_t last_number_ = 0;
  ClientQuota* unused_ = nullptr;  // the one that was of use last: who submits one by one is known again
  ClientQuota* latest_ = nullptr;  // that was looked for
  NodeList held_;                  // clients of which some line is held up
  NodeList waking_;                // of these, those that may have room again: in this list only
  bool told_scarce_ = false;       // as clients know it
  ByAge left_;                     // those that keep something; or by a little before its end
  ByAge left_aside_;               // of them, those that have something aside
  std::uint64_t aside_bytes_ = 0;  // of these
};

}  // namespace poold::core
