// Which wait could not end.
#include "core/subscribe/deadlock.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

constexpr PoolId kPool{1};
constexpr PoolId kOther{2};

Need InPool(PoolId pool, std::uint32_t workers) { return {pool, workers, false, WorkerId{}}; }
Need RunBy(std::uint64_t worker) { return {kPool, 2, false, WorkerId{worker}}; }
WaitingWorker WaitOf(std::uint64_t worker, std::vector<Need> needs, PoolId pool = kPool) {
  return {WorkerId{worker}, pool, /*for_all=*/true, /*unknown=*/false, std::move(needs)};
}

TEST(Deadlock, ATaskMayNotWaitForItself) { EXPECT_TRUE(WaitsInVain({WaitOf(1, {RunBy(1)})}, WorkerId{1})); }

TEST(Deadlock, ATaskMayWaitForOneThatRuns) { EXPECT_FALSE(WaitsInVain({WaitOf(1, {RunBy(2)})}, WorkerId{1})); }

TEST(Deadlock, TheLastFreeWorkerOfAPoolMayNotWaitForItsPool) {
  const WaitingWorker first = WaitOf(1, {InPool(kPool, 2)});
  EXPECT_FALSE(WaitsInVain({first}, WorkerId{1}));
  EXPECT_TRUE(WaitsInVain({first, WaitOf(2, {InPool(kPool, 2)})}, WorkerId{2}));
}

TEST(Deadlock, ACircleOverTwoPoolsIsSeen) {
  const WaitingWorker first = WaitOf(1, {InPool(kOther, 1)}, kPool);
  EXPECT_FALSE(WaitsInVain({first}, WorkerId{1}));
  EXPECT_TRUE(WaitsInVain({first, WaitOf(2, {InPool(kPool, 1)}, kOther)}, WorkerId{2}));
}

TEST(Deadlock, AWaitForAnyEndsWithOneThatCan) {
  WaitingWorker waiting = WaitOf(1, {RunBy(1), RunBy(2)});
  EXPECT_TRUE(WaitsInVain({waiting}, WorkerId{1}));
  waiting.for_all = false;
  EXPECT_FALSE(WaitsInVain({waiting}, WorkerId{1}));
}

TEST(Deadlock, WhatIsUnknownCanEnd) {
  WaitingWorker waiting = WaitOf(1, {RunBy(1)});
  waiting.unknown = true;
  EXPECT_FALSE(WaitsInVain({waiting}, WorkerId{1}));
}

TEST(Deadlock, APoolThatEndsItsTasksItselfNeedsNoWorker) {
  EXPECT_FALSE(WaitsInVain({WaitOf(1, {{kPool, 1, /*needs_no_worker=*/true, WorkerId{}}})}, WorkerId{1}));
}

TEST(Deadlock, AWaitThatCanEndFreesTheOthers) {
  // 1 waits for 2, 2 waits for its pool, whose third worker is free.
  EXPECT_FALSE(WaitsInVain({WaitOf(1, {RunBy(2)}), WaitOf(2, {InPool(kPool, 3)})}, WorkerId{1}));
}

TEST(Deadlock, ANeedIsNotedOnce) {
  WaitingWorker waiting;
  waiting.Add(RunBy(2));
  waiting.Add(RunBy(2));
  waiting.Add(RunBy(3));
  EXPECT_EQ(waiting.needs.size(), 2u);
}

}  // namespace
}  // namespace poold::core
