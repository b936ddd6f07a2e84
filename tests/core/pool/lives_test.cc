// States follow each other as the tables say, and in no other way.
#include "core/pool/lives.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace poold::core {
namespace {

template <typename State, std::size_t kCount>
bool Follows(const Transition<State> (&table)[kCount], State from, State to) {
  return std::any_of(std::begin(table), std::end(table),
                     [&](const Transition<State>& one) { return one.from == from && one.to == to; });
}

TEST(Lives, MakesEveryTransitionOfTheTables) {
  Lives lives;
  for (const auto& [from, to] : kPoolTransitions) {
    Life<PoolState> pool(from);
    lives.Move(pool, to);
    EXPECT_EQ(PoolState{pool}, to);
  }
  for (const auto& [from, to] : kZygoteTransitions) {
    Life<ZygoteState> zygote(from);
    lives.Move(zygote, to);
    EXPECT_EQ(ZygoteState{zygote}, to);
  }
  for (const auto& [from, to] : kWorkerTransitions) {
    Life<WorkerLife> worker(from);
    lives.Move(worker, to);
    EXPECT_EQ(WorkerLife{worker}, to);
  }
  for (const auto& [from, to] : kReloadTransitions) {
    Life<ReloadLife> reload(from);
    lives.Move(reload, to);
    EXPECT_EQ(ReloadLife{reload}, to);
  }
  EXPECT_EQ(lives.reloads(), (1u << std::size(kReloadTransitions)) - 1);
  EXPECT_EQ(lives.pools(), (1u << std::size(kPoolTransitions)) - 1);
  EXPECT_EQ(lives.zygotes(), (1u << std::size(kZygoteTransitions)) - 1);
  EXPECT_EQ(lives.workers(), (1u << std::size(kWorkerTransitions)) - 1);
}

TEST(Lives, NotesWhichTransitionsWereMade) {
  Lives lives;
  Life<ZygoteState> zygote(ZygoteState::kGone);
  lives.Move(zygote, ZygoteState::kStarting);
  EXPECT_EQ(lives.zygotes(), 1u);
  EXPECT_EQ(lives.pools(), 0u);
}

TEST(LivesDeathTest, AbortsOnWhatIsNotInATable) {
  Lives lives;
  Life<PoolState> closed(PoolState::kClosed);
  EXPECT_DEATH(lives.Move(closed, PoolState::kRunning), "went from state 4 to 2");
  Life<PoolState> running(PoolState::kRunning);
  EXPECT_DEATH(lives.Move(running, PoolState::kRunning), "does not follow");
  EXPECT_DEATH(lives.Move(running, PoolState::kClosed), "does not follow");
  Life<ZygoteState> gone(ZygoteState::kGone);
  EXPECT_DEATH(lives.Move(gone, ZygoteState::kReady), "does not follow");
  Life<ReloadLife> none(ReloadLife::kNone);
  EXPECT_DEATH(lives.Move(none, ReloadLife::kReplacing), "does not follow");
  Life<WorkerLife> lost(WorkerLife::kLost);
  EXPECT_DEATH(lives.Move(lost, WorkerLife::kReady), "does not follow");
  Life<WorkerLife> killed(WorkerLife::kKilled);
  EXPECT_DEATH(lives.Move(killed, WorkerLife::kStopping), "does not follow");
}

TEST(Lives, NothingFollowsAnEnd) {
  for (int to = 0; to <= static_cast<int>(WorkerLife::kLost); ++to) {
    EXPECT_FALSE(Follows(kWorkerTransitions, WorkerLife::kLost, static_cast<WorkerLife>(to)));
  }
  for (int to = 0; to <= static_cast<int>(PoolState::kFailed); ++to) {
    EXPECT_FALSE(Follows(kPoolTransitions, PoolState::kClosed, static_cast<PoolState>(to)));
    EXPECT_FALSE(Follows(kPoolTransitions, PoolState::kTerminated, static_cast<PoolState>(to)));
  }
  // A worker may end at any time.
  for (int from = 0; from < static_cast<int>(WorkerLife::kLost); ++from) {
    EXPECT_TRUE(Follows(kWorkerTransitions, static_cast<WorkerLife>(from), WorkerLife::kLost));
  }
}

}  // namespace
}  // namespace poold::core
