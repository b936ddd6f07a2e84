#include "session/outbox.h"

#include "gtest/gtest.h"

namespace poold::client::internal {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  void Add(std::uint64_t low, std::string_view function = "f", const TaskOptions& options = {}) {
    outbox_.AddTask({"pool", function, Encoding::kMsgpack, "", "\x90", &options}, {1, low}, ArgumentTransfer());
  }
  Outbox outbox_;
};

TEST_F(OutboxTest, NeighboursShareAGroup) {
  Add(1);
  Add(2);
  Add(3);
  const v1::SessionRequest& request = *outbox_.Send();
  ASSERT_EQ(request.submit_size(), 1);
  EXPECT_EQ(request.submit(0).first_id_low(), 1u);
  EXPECT_EQ(request.submit(0).args_bytes_size(), 3);
  EXPECT_EQ(request.submit(0).args(), "\x90\x90\x90");
}

TEST_F(OutboxTest, AnotherFunctionOrOtherOptionsBeginAnotherGroup) {
  Add(1);
  Add(2, "g");
  Add(3, "g", {.priority = 1});
  Add(4, "g", {.priority = 1});
  EXPECT_EQ(outbox_.Send()->submit_size(), 3);
}

TEST_F(OutboxTest, AFullMessageIsFollowedByAnother) {
  for (std::uint64_t low = 1; low <= 5000; ++low) Add(low);
  EXPECT_EQ(outbox_.Send()->submit(0).args_bytes_size(), 4096);
  EXPECT_EQ(outbox_.Send()->submit(0).args_bytes_size(), 904);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, ReleasesWaitForCompanyAndFormRuns) {
  outbox_.AddRelease({1, 5});
  outbox_.AddRelease({1, 6});
  outbox_.AddRelease({1, 8});
  EXPECT_TRUE(outbox_.can_wait());
  Add(9);
  EXPECT_FALSE(outbox_.can_wait());
  const v1::IdRuns& runs = outbox_.Send()->release();
  ASSERT_EQ(runs.low_size(), 2);
  EXPECT_EQ(runs.count(0), 2u);
  EXPECT_EQ(runs.low(1), 8u);
}

TEST_F(OutboxTest, WhatWasNotAcknowledgedIsSentAgainInOrder) {
  for (std::uint64_t low = 1; low <= 3; ++low) {
    Add(low);
    outbox_.Send();
  }
  Add(4);
  outbox_.Acknowledge(1);
  EXPECT_EQ(outbox_.last_acknowledged(), 1u);
  outbox_.Rewind();
  Add(5);
  for (std::uint64_t low = 2; low <= 4; ++low) EXPECT_EQ(outbox_.Send()->submit(0).first_id_low(), low);
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, BytesAreCountedUntilTheyAreAcknowledged) {
  Add(1);
  EXPECT_GT(outbox_.bytes(), 0u);
  outbox_.Send();
  EXPECT_GT(outbox_.bytes(), 0u);
  outbox_.Acknowledge(1);
  EXPECT_EQ(outbox_.bytes(), 0u);
}

}  // namespace
}  // namespace poold::client::internal
