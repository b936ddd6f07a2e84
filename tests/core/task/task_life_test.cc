// A task's states follow each other as the table says, and in no other way.
#include "core/task/task_life.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace poold::core {
namespace {

bool Follows(TaskLife from, TaskLife to) {
  return std::any_of(std::begin(kTaskTransitions), std::end(kTaskTransitions),
                     [&](const Transition<TaskLife>& one) { return one.from == from && one.to == to; });
}

TEST(TaskLives, MakesEveryTransitionOfTheTableAndNotesIt) {
  TaskLives lives;
  for (const auto& [from, to] : kTaskTransitions) {
    Life<TaskLife> life(from);
    lives.Move(life, to);
    EXPECT_EQ(TaskLife{life}, to);
  }
  EXPECT_EQ(lives.made(), (1u << std::size(kTaskTransitions)) - 1);
}

TEST(TaskLives, NothingFollowsAnEndAndEveryLifeEnds) {
  for (int i = 0; i <= static_cast<int>(TaskLife::kEnded); ++i) {
    const auto life = static_cast<TaskLife>(i);
    EXPECT_FALSE(Follows(TaskLife::kSucceeded, life));
    EXPECT_FALSE(Follows(TaskLife::kEnded, life));
    const bool may_end = Follows(life, TaskLife::kEnded);
    EXPECT_EQ(may_end, life != TaskLife::kNew && !HasEnded(life)) << i;
  }
}

TEST(TaskLives, WhatWasDecidedIsKept) {
  // A task that is being cancelled, or is out of time, runs nowhere again.
  for (const TaskLife to : {TaskLife::kQueued, TaskLife::kDelayed, TaskLife::kSent, TaskLife::kSucceeded}) {
    EXPECT_FALSE(Follows(TaskLife::kCancelling, to));
    EXPECT_FALSE(Follows(TaskLife::kOutOfTime, to));
  }
  EXPECT_EQ(DecidedEnd(TaskLife::kCancelling), TaskState::kCancelled);
  EXPECT_EQ(DecidedEnd(TaskLife::kTimingOut), TaskState::kTimedOut);
  EXPECT_EQ(DecidedEnd(TaskLife::kOutOfTime), TaskState::kTimedOut);
  EXPECT_EQ(DecidedEnd(TaskLife::kSent), TaskState::kUnspecified);
}

TEST(TaskLivesDeathTest, AbortsOnWhatIsNotInTheTable) {
  TaskLives lives;
  Life<TaskLife> ended(TaskLife::kEnded);
  EXPECT_DEATH(lives.Move(ended, TaskLife::kQueued), "went from state 8 to 1");
  Life<TaskLife> delayed(TaskLife::kDelayed);
  EXPECT_DEATH(lives.Move(delayed, TaskLife::kSent), "does not follow");
  Life<TaskLife> queued(TaskLife::kQueued);
  EXPECT_DEATH(lives.Move(queued, TaskLife::kQueued), "does not follow");
}

}  // namespace
}  // namespace poold::core
