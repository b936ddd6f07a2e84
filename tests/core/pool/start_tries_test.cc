// How often, and after which pauses, something is started again.
#include "core/pool/start_tries.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

struct StartTriesTest : ::testing::Test {
  // It fails in the present round, and the pause passes. Returns the pause; 0 if the failure did not count.
  Nanos FailAndPause(LossCause cause = LossCause::kItself) {
    if (!tries.Failed(tries.round(), cause)) return 0;
    tries.TryAgain(now, "why", cause);
    return Pause();
  }
  // 0: there is none.
  Nanos Pause() {
    if (!tries.pauses()) return 0;
    const Nanos pause = tries.next_try() - now;
    now += pause;
    DueTimer due;
    EXPECT_TRUE(timers.PopDue(now, &due));
    EXPECT_EQ(due.kind, TimerKind::kPoolStart);
    EXPECT_EQ(due.owner, this);
    tries.PauseIsOver();
    return pause;
  }
  void TearDown() override { EXPECT_EQ(tries.Check(), ""); }

  Nanos now = kSecond;
  Timers timers;
  StartTries tries{&timers, this};
};

TEST_F(StartTriesTest, PausesGrow) {
  EXPECT_EQ(FailAndPause(), 100 * kMillisecond);
  EXPECT_EQ(FailAndPause(), 400 * kMillisecond);
  EXPECT_EQ(FailAndPause(), 1600 * kMillisecond);
  EXPECT_FALSE(tries.is_hopeless());
  EXPECT_TRUE(tries.Failed(tries.round(), LossCause::kItself));
  EXPECT_TRUE(tries.is_hopeless());
  EXPECT_TRUE(tries.Started());
  EXPECT_FALSE(tries.is_hopeless());
}

TEST_F(StartTriesTest, WhatOthersDoIsNoReasonToGiveUp) {
  for (int i = 0; i < 10; ++i) FailAndPause(i % 2 == 0 ? LossCause::kResources : LossCause::kOutsider);
  EXPECT_EQ(FailAndPause(LossCause::kResources), 5 * kSecond);
  EXPECT_FALSE(tries.is_hopeless());
  EXPECT_EQ(tries.cause(), LossCause::kResources);
}

TEST_F(StartTriesTest, WhatFailsTogetherIsOneTry) {
  EXPECT_TRUE(tries.Failed(0, LossCause::kItself));
  EXPECT_TRUE(tries.TryAgain(now, "first", LossCause::kItself));
  EXPECT_FALSE(tries.Failed(0, LossCause::kItself));
  Pause();
  EXPECT_FALSE(tries.Failed(0, LossCause::kItself));  // of the round before
  EXPECT_TRUE(tries.Failed(1, LossCause::kItself));
  EXPECT_FALSE(tries.TryAgain(now, "second", LossCause::kItself));
  EXPECT_EQ(tries.failure(), "second");
  Pause();
}

TEST_F(StartTriesTest, AStartThatWorksForgetsTheFailures) {
  FailAndPause();
  EXPECT_TRUE(tries.Started());
  EXPECT_EQ(tries.failure(), "");
  EXPECT_FALSE(tries.Started());
  EXPECT_EQ(FailAndPause(), 100 * kMillisecond);
}

TEST_F(StartTriesTest, TheFirstThatEndsEarlyIsReplacedAtOnce) {
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  EXPECT_EQ(Pause(), 0);
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  EXPECT_EQ(Pause(), 100 * kMillisecond);
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  EXPECT_EQ(Pause(), 400 * kMillisecond);
  tries.Worked();
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  EXPECT_EQ(Pause(), 0);
}

TEST_F(StartTriesTest, WhatLivedAWhileWasWell) {
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  tries.Ended(now, tries.round(), kLivedAWhile, /*wanted=*/true);
  tries.Ended(now, tries.round(), kSecond, /*wanted=*/true);
  EXPECT_EQ(Pause(), 0);
}

TEST_F(StartTriesTest, WhatIsNotReplacedNeedsNoPause) {
  for (int i = 0; i < 3; ++i) tries.Ended(now, tries.round(), kSecond, /*wanted=*/false);
  EXPECT_EQ(Pause(), 0);
  EXPECT_EQ(tries.round(), 0u);
}

TEST_F(StartTriesTest, CeaseTakesThePauseAway) {
  tries.Failed(0, LossCause::kItself);
  tries.TryAgain(now, "why", LossCause::kItself);
  tries.Cease();
  EXPECT_FALSE(tries.pauses());
  EXPECT_EQ(timers.size(), 0u);
}

}  // namespace
}  // namespace poold::core
