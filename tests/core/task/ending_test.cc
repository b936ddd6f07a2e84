// How tasks end: what their outcomes say, and what is counted for them.
#include "core/task/ending.h"

#include <gtest/gtest.h>

#include <memory>

namespace poold::core {
namespace {

class Ending : public ::testing::Test {
 protected:
  Ending() {
    group_.submitted_at = 10;
    task_.group = &group_;
  }

  Group group_;
  Task task_;
};

TEST_F(Ending, AnOutcomeTellsWhatTheTaskWrote) {
  task_.attempt = 2;
  task_.sent_at = 20;
  task_.Extras().stderr_tail = "oh";
  const auto outcome = NewOutcome(task_, TaskState::kCrashed, 30);
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(outcome->attempt, 2u);
  EXPECT_EQ(outcome->submitted_at, 10);
  EXPECT_EQ(outcome->started_at, 20);
  EXPECT_EQ(outcome->ended_at, 30);
  EXPECT_EQ(outcome->detail->stderr_tail, "oh");
}

TEST_F(Ending, TasksThatNeverRanShareTheirCancelledOutcome) {
  CancelledOutcomes cancelled;
  const OutcomePtr first = cancelled.Of(task_, "why", 30);
  EXPECT_EQ(cancelled.Of(task_, "why", 30), first);
  EXPECT_NE(cancelled.Of(task_, "another why", 30), first);
  EXPECT_NE(cancelled.Of(task_, "why", 31), first);
  task_.attempt = 1;
  const OutcomePtr ran = cancelled.Of(task_, "why", 31);
  EXPECT_EQ(ran->attempt, 1u);
  EXPECT_EQ(ran->detail->failure->message, "why");
}

TEST_F(Ending, ASuccessIsPlainIfThereIsNothingToTellBesideTheResult) {
  task_.attempt = 1;
  EXPECT_TRUE(IsPlain(task_, Payload{}));
  EXPECT_FALSE(IsPlain(task_, Payload{Encoding::kProtobuf, std::make_shared<const std::string>("t"), {}}));
  task_.attempt = 2;
  EXPECT_FALSE(IsPlain(task_, Payload{}));
  task_.attempt = 1;
  task_.Extras().stdout_tail = "hello";
  EXPECT_FALSE(IsPlain(task_, Payload{}));
}

TEST_F(Ending, WhatIsKeptIsCountedOnceItHasEnded) {
  EXPECT_EQ(KeptBytesOf(task_), 0u);
  TaskLives lives;
  lives.Move(task_.life, TaskLife::kQueued);
  lives.Move(task_.life, TaskLife::kSent);
  lives.Move(task_.life, TaskLife::kSucceeded);
  task_.body = Bytes(std::string(1000, 'x'));
  task_.ended_at = 40;
  EXPECT_EQ(KeptBytesOf(task_), OutcomeBytesOf(task_));
  EXPECT_GT(OutcomeBytesOf(task_), 1000u);
  EXPECT_EQ(EndedAt(task_), 40);
  task_.released = true;
  EXPECT_EQ(KeptBytesOf(task_), 0u);
}

}  // namespace
}  // namespace poold::core
