// How the room for outcomes that nobody released is divided among clients.
//
// A client that is *present* (it has a session) has a floor for itself: a 64th of the room, less where there are so
// many that their floors would take more than half of it. Some floors are kept ready for those who come next. What
// clients *left* that are not present, and what still comes of their tasks, shares one part with a floor of its own.
// The rest is *common*: in it is what is above a floor.
//
// So a client below its floor has room whatever others keep, and what was left is there as long as nobody wants its
// place. The sum of all may be above the room only for a while: when so many come at once that there are not enough
// floors ready, and by the results of what runs already.
//
// Role: counts, and knows who has room. Non-role: holds up, drops and tells nobody; kept_outcomes.h does.
// Invariants (Check): used() is what all clients use; above() what those that are present use above their floors;
// left() what the others use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/outcome/client_quota.h"

namespace poold::core {

class OutcomeRoom {
 public:
  explicit OutcomeRoom(std::uint64_t bytes);

  // The client is present from now on, or no longer.
  void Come(ClientQuota* client);
  void Go(ClientQuota* client);
  // Both count bytes of the client. Below its floor a client takes from nobody, so nothing else changes.
  void Add(ClientQuota& client, std::uint64_t bytes) {
    client.used += bytes;
    used_ += bytes;
    if (!client.present || client.used > floor_) TakeCommon(client, bytes);
  }
  void Subtract(ClientQuota& client, std::uint64_t bytes) {
    if (!client.present || client.used > floor_) GiveCommon(client, bytes);
    client.used -= bytes;
    used_ -= bytes;
  }

  // Whether more of the client may be started. What a client left that is not present makes way, so such a client never
  // lacks room.
  bool HasRoom(const ClientQuota& client) const { return open_ || client.used < floor_ || !client.present; }
  // Whether the client keeps more than it has room for.
  bool IsBeyond(const ClientQuota& client) const { return above_ > common_ && client.used > floor_; }
  // Bytes that the client could still keep, if nothing else came.
  std::uint64_t RoomOf(const ClientQuota& client) const {
    const std::uint64_t common = common_ > above_ ? common_ - above_ : 0;
    if (!client.present) return common + left_floor();
    return common + (client.used < floor_ ? floor_ - client.used : 0);
  }
  // Whether to tell a client to release what it can.
  bool IsShort(const ClientQuota& client) const {
    return scarce_ && client.present && client.used > (client.is_short ? floor_ / 2 : floor_ - floor_ / 4);
  }
  // Whether something that was left has to make way.
  bool IsOverfull() const { return overfull_; }

  // Bytes that all clients keep.
  std::uint64_t used() const { return used_; }
  // Bytes that clients keep which are not present.
  std::uint64_t left() const { return left_; }
  // Bytes that clients which are present keep above their floors.
  std::uint64_t above() const { return above_; }
  // The floor of each client that is present, in bytes; at least 1.
  std::uint64_t floor() const { return floor_; }
  // The floor of all that was left, together.
  std::uint64_t left_floor() const { return room_ / kParts * kFloorsOfLeft; }
  // The common part, and what is used of it; `common_used` may be more for a while.
  std::uint64_t common() const { return common_; }
  std::uint64_t common_used() const { return above_ + (left_ > left_floor() ? left_ - left_floor() : 0); }
  // Whether clients above their floors have room. Once closed it opens only when some room is free again, so that not
  // everybody is woken for each outcome that is released.
  bool open() const { return open_; }
  // Whether clients that keep much are to be told so.
  bool scarce() const { return scarce_; }
  const std::vector<ClientQuota*>& present() const { return present_; }
  // The first invariant that does not hold, given all clients; empty if all do.
  std::string Check(const std::vector<const ClientQuota*>& clients) const;

 private:
  // A floor is this part of the room at most; so many floors are kept ready for clients that come; and the part of what
  // was left has so many floors.
  static constexpr std::uint64_t kParts = 64;
  static constexpr std::uint64_t kFloorsAhead = 4;
  static constexpr std::uint64_t kFloorsOfLeft = 4;

  std::uint64_t Above(std::uint64_t used) const { return used > floor_ ? used - floor_ : 0; }
  // The rarer half of Add, when it has taken; of Subtract, before it gives.
  void TakeCommon(const ClientQuota& client, std::uint64_t bytes);
  void GiveCommon(const ClientQuota& client, std::uint64_t bytes);
  // Divides the room anew. Call when the number of clients that are present has changed.
  void Divide();
  // Finds out who has room. Call when the common part, or what is used of it, has changed.
  void Look();

  const std::uint64_t room_;
  std::uint64_t floor_ = 0;
  std::uint64_t common_ = 0;
  std::vector<ClientQuota*> present_;
  std::uint64_t used_ = 0;
  // Bytes of clients that are present, above their floors.
  std::uint64_t above_ = 0;
  // Bytes of clients that are not present.
  std::uint64_t left_ = 0;
  bool open_ = true;
  bool scarce_ = false;
  bool overfull_ = false;
};

}  // namespace poold::core
