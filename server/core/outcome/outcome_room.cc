#include "core/outcome/outcome_room.h"

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

void OutcomeRoom::TakeCommon(const ClientQuota& client, std::uint64_t bytes) {
  if (client.present) {
    above_ += Above(client.used) - Above(client.used - bytes);
  } else {
    left_ += bytes;
  }
  Look();
}

void OutcomeRoom::GiveCommon(const ClientQuota& client, std::uint64_t bytes) {
  if (client.present) {
    above_ -= Above(client.used) - Above(client.used - bytes);
  } else {
    left_ -= bytes;
  }
  Look();
}

void OutcomeRoom::Look() {
  open_ = above_ < (open_ ? common_ : common_ - common_ / 16);
  scarce_ = above_ > (scarce_ ? common_ / 2 : common_ - common_ / 4);
  overfull_ = left_ > left_floor() && common_used() > common_;
}

std::string OutcomeRoom::Check(const std::vector<const ClientQuota*>& clients) const {
  std::uint64_t used = 0;
  std::uint64_t above = 0;
  std::uint64_t left = 0;
  for (const ClientQuota* client : clients) {
    used += client->used;
    (client->present ? above : left) += client->present ? Above(client->used) : client->used;
    const bool listed = client->place < present_.size() && present_[client->place] == client;
    if (client->present != listed) return "a client is present and has no floor, or has one and is not";
  }
  if (used != used_) return "what is kept of all clients is miscounted";
  if (above != above_) return "what is kept above floors is miscounted";
  return left == left_ ? "" : "what was left is miscounted";
}

}  // namespace poold::core
