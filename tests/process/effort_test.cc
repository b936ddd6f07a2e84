// A round of the process thread looks at what has something to do. Idle workers and idle pools cost nothing.
#include <gtest/gtest.h>

#include "process/stage.h"

namespace poold::process {
namespace {

// A round services the one worker that has something, perhaps twice, gathers from it, and may poll it.
constexpr std::uint64_t kVisitsOfALoneTask = 4;
// Of those that run something else, a round gathers from some.
constexpr std::uint64_t kMostGathered = 32;

void ExpectLoneTasksToVisitOneWorker(Stage& stage) {
  const Dispatcher::Effort before = stage.dispatcher.effort();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(stage.Run("echo", "x")->state, core::TaskState::kSucceeded);
  const Dispatcher::Effort after = stage.dispatcher.effort();
  EXPECT_GE(after.rounds - before.rounds, 100u);
  EXPECT_LE(after.visits - before.visits, kVisitsOfALoneTask * (after.rounds - before.rounds));
}

core::PoolSpec Named(const std::string& name, std::uint32_t workers) {
  core::PoolSpec spec = OddPool("", workers);
  spec.name = name;
  return spec;
}

TEST(EffortTest, WorkersThatNeverWorkedAreNotVisited) {
  Stage stage;
  for (const char* idle : {"idle1", "idle2", "idle3"}) ASSERT_TRUE(stage.Open(Named(idle, 20)).ok());
  ASSERT_TRUE(stage.Open(Named("busy", 1)).ok());
  ExpectLoneTasksToVisitOneWorker(stage);
}

TEST(EffortTest, WorkersThatHaveEndedTheirWorkAreNotVisited) {
  Stage stage;
  ASSERT_TRUE(stage.Open(Named("busy", 40)).ok());
  const auto ids = stage.SubmitMany("echo", std::vector<std::string>(2000, "x"));
  for (const auto& id : ids) stage.clients.Outcome(id);
  ExpectLoneTasksToVisitOneWorker(stage);
}

TEST(EffortTest, OfManyWorkersThatRunSomethingLongFewAreVisited) {
  constexpr std::uint32_t kAsleep = 4 * kMostGathered;
  Stage stage;
  ASSERT_TRUE(stage.Open(Named("asleep", kAsleep)).ok());
  for (const auto& id : stage.SubmitMany("sleep", std::vector<std::string>(kAsleep))) {
    stage.clients.WaitForOutput(id, "asleep");
  }
  ASSERT_TRUE(stage.Open(Named("busy", 1)).ok());
  const Dispatcher::Effort before = stage.dispatcher.effort();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(stage.Run("echo", "x")->state, core::TaskState::kSucceeded);
  const Dispatcher::Effort after = stage.dispatcher.effort();
  const std::uint64_t at_poll_time = 2 * (kAsleep + 1) * (after.polls - before.polls);  // looked at, and serviced
  EXPECT_LE(after.visits - before.visits,
            (kVisitsOfALoneTask + kMostGathered) * (after.rounds - before.rounds) + at_poll_time);
}

TEST(EffortTest, APollingThreadVisitsNoIdleWorkerEither) {
  Stage stage(WithPoolWorker());
  core::PoolSpec idle = TestingPool(20);
  idle.name = "idle";
  ASSERT_TRUE(stage.Open(idle).ok());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const Dispatcher::Effort before = stage.dispatcher.effort();
  for (std::size_t i = 1; i <= 100; ++i) {
    stage.Submit("noop", "", core::Encoding::kUnspecified);
    WaitUntil([&] {
      stage.dispatcher.Poll();
      return stage.clients.outcome_count() >= i;
    });
  }
  stage.dispatcher.Rearm();
  const Dispatcher::Effort after = stage.dispatcher.effort();
  EXPECT_LE(after.visits - before.visits, kVisitsOfALoneTask * (after.rounds - before.rounds));
}

// Only workers of pools that limit memory are looked at now and then.
TEST(EffortTest, MemoryIsLookedAtOnlyWhereAPoolAsksForIt) {
  Stage stage;
  ASSERT_TRUE(stage.Open(Named("unlimited", 20)).ok());
  core::PoolSpec limited = Named("limited", 2);
  limited.memory_limit_bytes = 1ull << 30;
  ASSERT_TRUE(stage.Open(limited).ok());
  const Dispatcher::Effort before = stage.dispatcher.effort();
  WaitUntil([&] { return stage.dispatcher.effort().visits >= before.visits + 4; });
  const Dispatcher::Effort after = stage.dispatcher.effort();
  EXPECT_LE(after.visits - before.visits, 2 * (after.rounds - before.rounds));
}

}  // namespace
}  // namespace poold::process
