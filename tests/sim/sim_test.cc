// Histories by the hundred, and proof that the simulator sees what it is there to see.
#include <gtest/gtest.h>

#include "world.h"

namespace poold::core::sim {
namespace {

std::string FirstWrong(const CoreFaults& faults, std::uint64_t seeds, std::uint64_t steps,
                       World::Shape shape = World::Shape::kSmall) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::string wrong = World(seed, faults, shape).Run(steps);
    if (!wrong.empty()) {
      return wrong + " (replay: poold_sim --seed " + std::to_string(seed) + " --steps " + std::to_string(steps) +
             (shape == World::Shape::kWide     ? " --wide)"
              : shape == World::Shape::kSliced ? " --sliced)"
                                               : ")");
    }
  }
  return "";
}

TEST(Simulator, FindsNothingWrongInHundredsOfHistories) { EXPECT_EQ(FirstWrong({}, 300, 1000), ""); }

TEST(Simulator, FindsNothingWrongInLongHistories) { EXPECT_EQ(FirstWrong({}, 5, 20'000), ""); }

TEST(Simulator, FindsNothingWrongWithHundredsOfWorkers) {
  EXPECT_EQ(FirstWrong({}, 20, 1500, World::Shape::kWide), "");
}

TEST(Simulator, FindsNothingWrongWhenLongWorkTakesManySlices) {
  EXPECT_EQ(FirstWrong({}, 150, 1000, World::Shape::kSliced), "");
}

TEST(Simulator, FindsLongWorkThatIsDoneInOneEvent) {
  CoreFaults faults;
  faults.sweep_at_once = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000, World::Shape::kSliced), "");
}

TEST(Simulator, FindsAWorkerThatIsNotWhereTheIndexLooks) {
  CoreFaults faults;
  faults.scheduler.forget_touch = true;
  EXPECT_NE(FirstWrong(faults, 20, 1000), "");
  EXPECT_NE(FirstWrong(faults, 5, 1000, World::Shape::kWide), "");
}

TEST(Simulator, FindsATaskThatIsTakenBackAfterItBegan) {
  CoreFaults faults;
  faults.scheduler.requeue_begun = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsTasksThatAreForgottenWhenAWorkerDies) {
  CoreFaults faults;
  faults.forget_unbegun = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsAClientThatTakesEveryTurn) {
  CoreFaults faults;
  faults.scheduler.never_end_turn = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsAttemptsThatAreNotCountedWithoutAClaimPage) {
  CoreFaults faults;
  faults.forget_tries = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsAWorkerThatGoesBeforeItsReplacementIsReady) {
  CoreFaults faults;
  faults.staffing.replace_early = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsAClientBelowItsFloorThatIsHeldUp) {
  CoreFaults faults;
  faults.scheduler.no_floors = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsAClientThatIsHeldUpAlthoughItHasRoomAgain) {
  CoreFaults faults;
  faults.outcomes.never_wake = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsADrainThatWaitsForRoom) {
  CoreFaults faults;
  faults.scheduler.hold_drains = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsThatTheNewestOutcomesMakeWay) {
  CoreFaults faults;
  faults.outcomes.drop_newest = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

TEST(Simulator, FindsThatAnOutcomeMakesWayForWhichSomebodyWaits) {
  CoreFaults faults;
  faults.drop_awaited = true;
  EXPECT_NE(FirstWrong(faults, 200, 1000), "");
}

TEST(Simulator, FindsRoomThatIsCountedAsTakenForNothing) {
  CoreFaults faults;
  faults.outcomes.keep_count = true;
  EXPECT_NE(FirstWrong(faults, 100, 1000), "");
}

// The transitions of a table that were not made.
template <typename State, std::size_t kCount>
std::string Missing(const Transition<State> (&table)[kCount], std::uint32_t made) {
  std::string missing;
  for (std::size_t i = 0; i < kCount; ++i) {
    if ((made >> i & 1) != 0) continue;
    missing +=
        std::to_string(static_cast<int>(table[i].from)) + " to " + std::to_string(static_cast<int>(table[i].to)) + "; ";
  }
  return missing;
}

TEST(Simulator, MakesEveryTransitionOfEveryLife) {
  std::uint32_t pools = 0;
  std::uint32_t zygotes = 0;
  std::uint32_t workers = 0;
  std::uint32_t reloads = 0;
  std::uint32_t tasks = 0;
  std::uint32_t maps = 0;
  std::uint32_t chunks = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    World world(seed, {});
    world.Run(1000);
    pools |= world.core().lives().pools();
    zygotes |= world.core().lives().zygotes();
    workers |= world.core().lives().workers();
    reloads |= world.core().lives().reloads();
    tasks |= world.core().task_lives().made();
    maps |= world.core().map_lives().made();
    chunks |= world.core().chunk_lives().made();
  }
  EXPECT_EQ(Missing(kPoolTransitions, pools), "");
  EXPECT_EQ(Missing(kZygoteTransitions, zygotes), "");
  EXPECT_EQ(Missing(kWorkerTransitions, workers), "");
  EXPECT_EQ(Missing(kReloadTransitions, reloads), "");
  EXPECT_EQ(Missing(kTaskTransitions, tasks), "");
  EXPECT_EQ(Missing(kMapTransitions, maps), "");
  EXPECT_EQ(Missing(kChunkTransitions, chunks), "");
}

TEST(Simulator, TheSameSeedIsTheSameHistory) {
  World first(17, {});
  World second(17, {});
  EXPECT_EQ(first.Run(2000), second.Run(2000));
  EXPECT_EQ(first.events(), second.events());
  EXPECT_EQ(first.digest(), second.digest());
}

}  // namespace
}  // namespace poold::core::sim
