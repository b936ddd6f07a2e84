// How the room is divided.
#include "core/outcome/outcome_room.h"

#include <gtest/gtest.h>

#include <memory>

namespace poold::core {
namespace {

TEST(OutcomeRoomTest, FloorsNeverTakeMoreThanHalf) {
  OutcomeRoom room(64'000);
  std::vector<std::unique_ptr<ClientQuota>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<ClientQuota>());
    room.Come(clients.back().get());
    EXPECT_LE((clients.size() + 4) * room.floor(), 32'000u);
    EXPECT_GE(room.common(), 28'000u);
  }
  EXPECT_EQ(room.floor(), 31u);
}

TEST(OutcomeRoomTest, WhatIsAboveFloorsIsCountedAgainWhenTheyChange) {
  OutcomeRoom room(64'000);
  std::vector<std::unique_ptr<ClientQuota>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<ClientQuota>());
    room.Come(clients.back().get());
    room.Add(*clients.back(), 900);
  }
  EXPECT_EQ(room.floor(), 500u);
  EXPECT_EQ(room.above(), 60 * 400u);
  for (const auto& client : clients) room.Go(client.get());
  EXPECT_EQ(room.above(), 0u);
  EXPECT_EQ(room.left(), 60 * 900u);
}

TEST(OutcomeRoomTest, SeesWhatIsMiscounted) {
  OutcomeRoom room(64'000);
  ClientQuota client;
  room.Come(&client);
  room.Add(client, 3'000);
  EXPECT_EQ(room.Check({&client}), "");
  ++client.used;
  EXPECT_NE(room.Check({&client}), "");
  --client.used;
  client.present = false;
  EXPECT_NE(room.Check({&client}), "");
}

}  // namespace
}  // namespace poold::core
