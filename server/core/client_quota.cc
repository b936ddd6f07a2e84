#include "core/client_quota.h"

namespace poold::core {

OutcomeRoom::OutcomeRoom(std::uint64_t bytes) : room_(bytes) { Divide(); }

void OutcomeRoom::Come(ClientQuota* client) {
  client->present = true;
  client->place = present_.size();
  present_.push_back(client);
  left_ -= client->used;
  above_ += Above(client->used);
  Divide();
}

void OutcomeRoom::Go(ClientQuota* client) {
  client->present = false;
  present_.back()->place = client->place;
  present_[client->place] = present_.back();
  present_.pop_back();
  above_ -= Above(client->used);
  left_ += client->used;
  Divide();
}

void OutcomeRoom::Divide() {
  const std::uint64_t floors = present_.size() + kFloorsAhead;
  const std::uint64_t floor = std::max<std::uint64_t>(1, std::min(room_ / kParts, room_ / 2 / floors));
  const std::uint64_t taken = floors * floor + left_floor();
  common_ = taken < room_ ? room_ - taken : 0;
  if (floor != floor_) {
    floor_ = floor;
    above_ = 0;
    for (const ClientQuota* client : present_) above_ += Above(client->used);
  }
  Look();
}

std::uint64_t OutcomeRoom::RoomOf(const ClientQuota& client) const {
  const std::uint64_t common = common_ > above_ ? common_ - above_ : 0;
  if (!client.present) return common + left_floor();
  return common + (client.used < floor_ ? floor_ - client.used : 0);
}

}  // namespace poold::core
