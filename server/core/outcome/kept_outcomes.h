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
#include "core/steps.h"
#include "core/timers.h"
#include "core/types.h"
#include "core/views.h"

namespace poold::core {

// The outcomes that one pool keeps. Only KeptOutcomes changes it.
struct KeptCounts {
  std::uint64_t outcomes = 0;
  std::uint64_t bytes = 0;
  // Handles whose outcomes had to make way since the pool was opened.
  std::uint64_t dropped = 0;
};

// The owner of the handles: answers questions about them, and forgets them on demand.
class OutcomesListener {
 public:
  // These three: of a handle that is kept, or was set aside.
  virtual Nanos EndedAt(const Node& handle) const = 0;
  virtual std::uint64_t KeptBytes(const Node& handle) const = 0;
  virtual bool IsAwaited(const Node& handle) const = 0;
  // The handle was set aside: Remove has to be told so.
  virtual void WasSetAside(Node& handle) = 0;
  // Forgets a handle that had to make way. Calls Uncount and Remove for it, as Expire does.
  virtual void Drop(Node& handle) = 0;
  // Forgets a handle that was kept for long enough.
  virtual void Expire(Node& handle) = 0;

 protected:
  ~OutcomesListener() = default;
};

// Bugs for the simulator to find.
struct OutcomeFaults {
  // Drops the newest of what was left, not the oldest.
  bool drop_newest = false;
  // Leaves clients held up that have room again.
  bool never_wake = false;
  // Counts what was dropped as kept.
  bool keep_count = false;
};

class KeptOutcomes {
 public:
  // `bytes`: room for all outcomes. `ttl`: how long one is kept. `port`, `timers` and `listener` outlive it.
  KeptOutcomes(std::uint64_t bytes, Nanos ttl, ClientPort* port, Timers* timers, OutcomesListener* listener)
      : ttl_(ttl), port_(port), timers_(timers), listener_(listener), room_(bytes) {}

  // ---- Clients ----
  // Counts one more queue of this client, which is made known if it is not.
  ClientQuota* Enter(ClientId id, const ClientOrigin& origin);
  // Counts one queue less. With the last one a client that is not present is forgotten, but for the latest such.
  void Leave(ClientQuota& client);
  // The client's first session has come: it is present, and has a floor.
  void Comes(ClientId id, const ClientOrigin& origin);
  // The client's last session has gone. Null: the client was not present. Else the caller calls Leave for it when those
  // that have room now (some_wake) were woken.
  ClientQuota* Goes(ClientId id);
  // Everything empty: the client is not known.
  ClientView View(ClientId id) const;
  std::vector<ClientView> ViewHeldUp() const;

  // ---- Counting ----
  const OutcomeRoom& room() const { return room_; }
  // Counts outcomes that came, or went. `aside`: of a handle that was set aside.
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
  // The outcome of this handle is kept from `now` on. REQUIRES: the handle has ended, and is in no list.
  void Keep(Nanos now, ClientQuota& client, Node* handle) {
    client.kept.PushBack(handle);
    if (client.kept_timer == kNoTimer || !client.present) NoteKept(now, client);
  }
  // The handle goes. `aside`: it was set aside, and is no more.
  void Remove(ClientQuota& client, Node* handle, bool aside) {
    if (aside) return LeaveAside(client, handle);
    client.kept.Remove(handle);
  }
  // Nobody waits any more for this handle, which was set aside, and is no more. It goes behind all others: who waited
  // has time to ask for it.
  void ReturnAside(Nanos now, ClientQuota& client, Node* handle);
  // A map that runs keeps something from now on, or no longer; or runs no longer. REQUIRES of the first: it did not.
  void Runs(ClientQuota& client, KeepsAndRuns* map) {
    client.running.PushBack(map);
    if (client.running.size() == 1) ListRunning(client);
  }
  void RunsNoMore(ClientQuota& client, KeepsAndRuns* map) {
    client.running.Remove(map);
    if (client.running.empty()) ListRunning(client);
  }
  // So many bytes of this client came, of a pool that drains or does not: others may have to go for them, a bounded
  // number at a time.
  void MakeWay(ClientQuota& client, std::uint64_t bytes, bool drains);
  // A handle of this pool has to make way.
  static void NoteDropped(KeptCounts& pool) { ++pool.dropped; }
  // TimerKind::kOutcomes: the oldest outcomes of the client have been kept for long enough. Some go, a step each; the
  // timer is set for the others.
  void Due(Nanos now, ClientQuota& client, Steps* steps);

  // ---- Clients without room ----
  // REQUIRES: this line is not held up.
  void HoldUp(ClientQuota& client, const HeldLine& line);
  // The line ends, because nothing waits in it. Returns it. REQUIRES: the line is held up.
  HeldLine EndLine(ClientQuota& client, const ClientQueue* queue);
  // Every client that is held up may have room.
  void WakeAll();
  // Some clients that were held up may have room again. For each: TakeLines, then HoldOn for those lines that still
  // have none, then Woken.
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
  // Bytes set aside of clients that are not present, for the simulator.
  std::uint64_t aside_bytes() const { return aside_bytes_; }
  // Clients that are kept though nothing is known of them any more: none or one.
  std::size_t unused() const { return unused_ == nullptr ? 0 : 1; }
  std::size_t held_up() const { return held_.size() + waking_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  // Clients that are not present, by when the oldest outcome that they keep has ended, and by ClientQuota::number.
  using ByAge = std::map<std::pair<Nanos, std::uint64_t>, ClientQuota*>;

  ClientQuota& Know(ClientId id);
  ClientQuota& Find(ClientId id, const ClientOrigin& origin);
  Nanos EndOf(const Node* handle) const { return listener_->EndedAt(*handle); }
  // Tells clients when their room becomes short, or is no longer. While nothing is scarce, and all know that, there is
  // nothing to tell.
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
  // What the client has aside, or whether it is present, has changed: puts it in its place in `left_aside_`.
  void ListAside(ClientQuota& client);
  void UncountAside(ClientQuota& client, std::uint64_t bytes);
  void SetAside(ClientQuota& client, Node* handle);
  void LeaveAside(ClientQuota& client, Node* handle);
  // The handle of this client that goes next; null: there is none. Handles that somebody waits for are set aside on the
  // way.
  Node* OldestOf(ClientQuota& client);
  Node* OldestLeft();
  // Of clients that are not present, the oldest handle that was set aside; null unless they have too much aside.
  Node* OldestAside() const;
  // What the client has that runs, or whether it is present, has changed.
  void ListRunning(ClientQuota& client);
  // Forgets maps that still run: of this client, or (null) of clients that are not present; until `enough` bytes have
  // gone. Maps that somebody waits for come last, and only one of them. At most `*looks` are looked at, which is taken
  // from it. False: there is none among those.
  bool DropRunning(ClientQuota* client, std::uint64_t enough, int* looks);
  bool DropRunningThat(bool are_awaited, ClientQuota* client, std::uint64_t enough, int* looks);
  // Returns how many bytes have gone.
  std::uint64_t DropRunningOf(ClientQuota& client, bool are_awaited, std::uint64_t enough, int* looks);
  // This client, or all, have more room than before: those that were held up may wake.
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
  // The client that was of use last and is of none now: a client that submits one by one is known again.
  ClientQuota* unused_ = nullptr;
  // The client that was looked for last; null: none, or it was forgotten.
  ClientQuota* latest_ = nullptr;
  // Clients of which some line is held up, without those of `waking_`.
  NodeList held_;
  // Clients that were held up and may have room again.
  NodeList waking_;
  // Clients were told that room is scarce.
  bool told_scarce_ = false;
  // Clients that are not present and keep something; a client may be listed by an older end than its oldest one's.
  ByAge left_;
  // Clients that are not present and have something set aside.
  ByAge left_aside_;
  // Bytes that clients which are not present have set aside.
  std::uint64_t aside_bytes_ = 0;
  // Clients that are not present and have maps that run and keep something, by ClientQuota::number.
  std::map<std::uint64_t, ClientQuota*> left_running_;
};

}  // namespace poold::core
