// Whose child is whose, in threads that make and reap at once.
#include "process/containment/child_registry.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "process/stage.h"

namespace poold::process {
namespace {

// That waits to be killed.
pid_t MakeChild() {
  const pid_t pid = fork();
  while (pid == 0) pause();
  return pid;
}

bool IsGone(pid_t pid) { return kill(pid, 0) != 0; }

class ChildRegistryTest : public testing::Test {
 protected:
  Death KillAndReap(pid_t pid) {
    kill(pid, SIGKILL);
    std::optional<Death> death;
    WaitUntil([&] { return (death = children_.Reap(pid)).has_value(); });
    return *death;
  }

  ChildRegistry children_;
  OrphanSweep sweep_{&children_};
};

TEST_F(ChildRegistryTest, AStrangerIsKilledAndReaped) {
  const pid_t orphan = MakeChild();
  EXPECT_EQ(sweep_.Go(true), Swept::kSome);
  WaitUntil([&] { return sweep_.Go(true) == Swept::kClean; });
  EXPECT_TRUE(IsGone(orphan));
}

TEST_F(ChildRegistryTest, AStrangerIsOnlyReapedWhereItIsNotToBeKilled) {
  const pid_t orphan = MakeChild();
  EXPECT_EQ(sweep_.Go(false), Swept::kSome);
  EXPECT_TRUE(IsAlive(orphan));
  kill(orphan, SIGKILL);
  WaitUntil([&] { return sweep_.Go(false) == Swept::kClean; });
  EXPECT_TRUE(IsGone(orphan));
}

TEST_F(ChildRegistryTest, ChildrenThatWereThereBeforeAreLeftAlone) {
  const pid_t child = MakeChild();
  ChildRegistry later;
  OrphanSweep sweep(&later);
  EXPECT_EQ(sweep.Go(true), Swept::kClean);
  EXPECT_TRUE(IsAlive(child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(ChildRegistryTest, WhatIsBeingBornIsNotTouchedAliveOrDead) {
  for (const bool dead : {false, true}) {
    std::optional<PendingChild> birth(&children_);
    const pid_t child = MakeChild();
    if (dead) kill(child, SIGKILL);
    if (dead) WaitUntil([&] { return !IsAlive(child); });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sweep_.Go(true), Swept::kPutOff);
    EXPECT_TRUE(birth->Add(child));
    EXPECT_EQ(sweep_.Go(true), Swept::kClean);
    birth.reset();
    EXPECT_EQ(sweep_.Go(true), Swept::kClean);
    EXPECT_EQ(IsAlive(child), !dead);
    EXPECT_EQ(KillAndReap(child).signal, SIGKILL);
  }
}

TEST_F(ChildRegistryTest, AChildOfABirthThatCameToNothingIsAStranger) {
  std::optional<PendingChild> birth(&children_);
  const pid_t child = MakeChild();
  EXPECT_EQ(sweep_.Go(true), Swept::kPutOff);
  birth.reset();
  EXPECT_EQ(sweep_.Go(true), Swept::kSome);
  WaitUntil([&] { return sweep_.Go(true) == Swept::kClean; });
  EXPECT_TRUE(IsGone(child));
}

TEST_F(ChildRegistryTest, ASweepGetsItsTurnThoughThereIsAlwaysABirth) {
  PendingChild birth(&children_);
  const pid_t orphan = MakeChild();
  EXPECT_EQ(sweep_.Go(true), Swept::kPutOff);
  // The next one begins before this one ends, each time, and brings a child that the sweep sees without a name.
  int kills = 0;
  for (Swept swept = Swept::kPutOff; swept != Swept::kClean; ++kills) {
    ASSERT_LT(kills, 1000);
    PendingChild next(&children_);
    const pid_t newborn = MakeChild();
    birth = std::move(next);
    swept = sweep_.Go(true);
    EXPECT_TRUE(IsAlive(newborn));
    EXPECT_TRUE(birth.Add(newborn));
    KillAndReap(newborn);
  }
  EXPECT_TRUE(IsGone(orphan));
}

TEST_F(ChildRegistryTest, AChildBelongsToOneOnly) {
  PendingChild birth(&children_);
  PendingChild other(&children_);
  const pid_t child = MakeChild();
  EXPECT_TRUE(birth.Add(child));
  EXPECT_FALSE(other.Add(child));
  for (const pid_t no_child : {-1, 0, 1, static_cast<int>(getppid()), static_cast<int>(getpid())}) {
    EXPECT_FALSE(other.Add(no_child)) << no_child;
  }
  KillAndReap(child);
  EXPECT_FALSE(other.Add(child));
}

// As posix_spawn does where the program cannot be executed.
TEST_F(ChildRegistryTest, AChildThatItsMakerReapedIsNobodyAnyMore) {
  std::optional<PendingChild> birth(&children_);
  const pid_t child = MakeChild();
  EXPECT_EQ(sweep_.Go(true), Swept::kPutOff);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  birth->Failed();
  birth.reset();
  WaitUntil([&] { return sweep_.Go(true) == Swept::kClean; });
}

TEST_F(ChildRegistryTest, ThreadsThatMakeAndReapWhileOthersSweepLoseNone) {
  std::atomic<bool> done = false;
  std::vector<std::thread> sweepers;
  for (int i = 0; i < 2; ++i) {
    sweepers.emplace_back([&] {
      OrphanSweep sweep(&children_);
      while (!done) sweep.Go(true);
    });
  }
  std::vector<std::thread> makers;
  for (int i = 0; i < 3; ++i) {
    makers.emplace_back([&] {
      for (int n = 0; n < 100; ++n) {
        pid_t child;
        {
          PendingChild birth(&children_);
          child = MakeChild();
          ASSERT_TRUE(birth.Add(child));
        }
        EXPECT_TRUE(IsAlive(child));
        kill(child, SIGTERM);
        std::optional<Death> death;
        WaitUntil([&] { return (death = children_.Reap(child)).has_value(); });
        EXPECT_EQ(death->signal, SIGTERM);
      }
    });
  }
  for (std::thread& maker : makers) maker.join();
  done = true;
  for (std::thread& sweeper : sweepers) sweeper.join();
}

}  // namespace
}  // namespace poold::process
