// Results that a thread takes which does not sleep, in place of the process thread.
#include <gtest/gtest.h>

#include "process/stage.h"

namespace poold::process {
namespace {

using News = gate::PollSource::PollResult;

// Looks until something was taken. The process thread may be quicker as long as bells ring.
void LookUntilEnded(Stage& stage, std::size_t outcomes) {
  WaitUntil([&] {
    stage.dispatcher.Look();
    return stage.clients.outcome_count() >= outcomes;
  });
}

TEST(LookTest, LoneResultsAreTaken) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  for (std::size_t i = 1; i <= 300; ++i) {
    stage.Submit("noop", "", core::Encoding::kUnspecified);
    LookUntilEnded(stage, i);
  }
}

TEST(LookTest, WhoRestsIsWokenAgain) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  for (std::size_t i = 0; i < 100; ++i) {
    stage.Submit("noop", "", core::Encoding::kUnspecified);
    LookUntilEnded(stage, 2 * i + 1);
    stage.dispatcher.Rest();
    // Nobody looks now: the worker's bell must do it.
    ASSERT_EQ(stage.clients.Outcome(stage.Submit("noop", "", core::Encoding::kUnspecified))->state,
              core::TaskState::kSucceeded);
  }
}

TEST(LookTest, WhatATaskPrintedComesBeforeItsOutcome) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = stage.Submit("print", "\x91\xa5hello", core::Encoding::kMsgpack);
  LookUntilEnded(stage, 1);
  EXPECT_NE(stage.clients.output(task).find("hello"), std::string::npos);
}

TEST(LookTest, WhereMuchIsUnderWayNothingIsTakenPieceByPiece) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  // A minute each: longer than this lasts, however busy the machine is.
  stage.Map("sleep", std::vector<std::string>(2, "\x91\xcd\xea\x60"), 2, core::Encoding::kMsgpack);
  // While the process thread is awake there is nothing to look for.
  News news = News::kNone;
  WaitUntil([&] { return (news = stage.dispatcher.Look()) != News::kNone; });
  EXPECT_EQ(news, News::kMuch);
}

TEST(LookTest, WhatIsUnderWayWhenNobodyLooksAnyMoreEndsAsEver) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId map = stage.Map("sleep", std::vector<std::string>(2, "\x91\x64"), 2, core::Encoding::kMsgpack);
  stage.dispatcher.Look();
  stage.dispatcher.Rest();
  EXPECT_EQ(stage.clients.MapEnd(map).done_items, 2u);
}

TEST(LookTest, ADeadWorkerDoesNotDisturbIt) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = stage.Submit("crash", "\x91\x09", core::Encoding::kMsgpack);
  LookUntilEnded(stage, 1);
  EXPECT_EQ(stage.clients.Outcome(task)->state, core::TaskState::kCrashed);
  stage.Submit("noop", "", core::Encoding::kUnspecified);
  LookUntilEnded(stage, 2);
}

}  // namespace
}  // namespace poold::process
