// Results that a thread takes which does not sleep, in place of the process thread.
#include <gtest/gtest.h>

#include "process/stage.h"

namespace poold::process {
namespace {

using PollResult = engine::PollSource::PollResult;

// Looks until something was taken. The process thread may be quicker as long as bells ring.
void PollUntilEnded(Stage& stage, std::size_t outcomes) {
  WaitUntil([&] {
    stage.dispatcher.Poll();
    return stage.clients.outcome_count() >= outcomes;
  });
}

TEST(PollTest, LoneResultsAreTaken) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  for (std::size_t i = 1; i <= 300; ++i) {
    stage.Submit("noop", "", core::Encoding::kUnspecified);
    PollUntilEnded(stage, i);
  }
}

TEST(PollTest, WhoRearmsIsWokenAgain) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  for (std::size_t i = 0; i < 100; ++i) {
    stage.Submit("noop", "", core::Encoding::kUnspecified);
    PollUntilEnded(stage, 2 * i + 1);
    stage.dispatcher.Rearm();
    // Nobody looks now: the worker's bell must do it.
    ASSERT_EQ(stage.clients.Outcome(stage.Submit("noop", "", core::Encoding::kUnspecified))->state,
              core::TaskState::kSucceeded);
  }
}

TEST(PollTest, WhatATaskPrintedComesBeforeItsOutcome) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = stage.Submit("print", "\x91\xa5hello", core::Encoding::kMsgpack);
  PollUntilEnded(stage, 1);
  EXPECT_NE(stage.clients.output(task).find("hello"), std::string::npos);
}

TEST(PollTest, WhereMuchIsUnderWayNothingIsTakenPieceByPiece) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  // A minute each: longer than this lasts, however busy the machine is.
  stage.Map("sleep", std::vector<std::string>(2, "\x91\xcd\xea\x60"), 2, core::Encoding::kMsgpack);
  // While the process thread is awake there is nothing to look for.
  PollResult news = PollResult::kNone;
  WaitUntil([&] { return (news = stage.dispatcher.Poll()) != PollResult::kNone; });
  EXPECT_EQ(news, PollResult::kTooMuch);
}

TEST(PollTest, WhatIsUnderWayWhenNobodyLooksAnyMoreEndsAsEver) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId map = stage.Map("sleep", std::vector<std::string>(2, "\x91\x64"), 2, core::Encoding::kMsgpack);
  stage.dispatcher.Poll();
  stage.dispatcher.Rearm();
  EXPECT_EQ(stage.clients.MapEnd(map).done_items, 2u);
}

TEST(PollTest, ADeadWorkerDoesNotDisturbIt) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = stage.Submit("crash", "\x91\x09", core::Encoding::kMsgpack);
  PollUntilEnded(stage, 1);
  EXPECT_EQ(stage.clients.Outcome(task)->state, core::TaskState::kCrashed);
  stage.Submit("noop", "", core::Encoding::kUnspecified);
  PollUntilEnded(stage, 2);
}

}  // namespace
}  // namespace poold::process
