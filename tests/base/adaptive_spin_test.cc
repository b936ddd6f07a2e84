// When a thread looks again, and when it stays away.
#include "base/adaptive_spin.h"

#include <gtest/gtest.h>

namespace poold::base {
namespace {

constexpr std::int64_t kMost = 50'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;

// Spins from now on, each a microsecond after the other, until one is refused. Whom it wakes takes the core for a
// moment each time; of every `every` spins one is disturbed by somebody who computes.
struct Busy {
  AdaptiveSpin spin{kMost};
  std::int64_t now = kSecond;

  bool Once(bool disturbed, bool found = true) {
    if (!spin.Begin(now)) return false;
    now += 1000;
    spin.End(now, found, disturbed ? kMillisecond / 2 : 20'000);
    return true;
  }
  void Until(int every) {
    for (int i = 0; i < 10'000; ++i) {
      if (!Once(i % every == 0)) return;
    }
    FAIL() << "it never stays away";
  }
  // How long it stays away from here on.
  std::int64_t Pause() {
    const std::int64_t begin = now;
    while (!spin.Begin(now)) now += 100'000;
    return now - begin;
  }
};

TEST(AdaptiveSpinTest, LastsAsLongAsItIsTold) {
  AdaptiveSpin spin(kMost);
  ASSERT_TRUE(spin.Begin(kSecond));
  EXPECT_TRUE(spin.Goes(kSecond + kMost - 1));
  EXPECT_FALSE(spin.Goes(kSecond + kMost));
}

TEST(AdaptiveSpinTest, WithoutATimeThereIsNone) { EXPECT_FALSE(AdaptiveSpin(0).Begin(kSecond)); }

TEST(AdaptiveSpinTest, AFewDisturbancesDoNotMatter) {
  Busy busy;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(busy.Once(i % 8 == 0)) << i;
}

TEST(AdaptiveSpinTest, StaysAwayLongerEachTimeWhileOthersWantTheCore) {
  Busy busy;
  std::int64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    ASSERT_NO_FATAL_FAILURE(busy.Until(2));
    const std::int64_t pause = busy.Pause();
    EXPECT_GE(pause, last + last / 2) << round;
    last = pause;
  }
  for (int round = 0; round < 8; ++round) {
    ASSERT_NO_FATAL_FAILURE(busy.Until(2));
    EXPECT_LE(busy.Pause(), kSecond + kMillisecond);
  }
}

TEST(AdaptiveSpinTest, GoesOnWhereSomethingComesNowAndThen) {
  Busy busy;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(busy.Once(false, i % 6 == 0)) << i;
}

TEST(AdaptiveSpinTest, StaysAwayWhereNothingComes) {
  Busy busy;
  int spins = 0;
  for (; busy.now < 21 * kSecond; busy.now += 100'000) spins += busy.Once(false, false) ? 1 : 0;
  EXPECT_LT(spins, 400) << "in twenty seconds";
}

TEST(AdaptiveSpinTest, ForgivesWhenItGoesWell) {
  Busy busy;
  for (int round = 0; round < 12; ++round) {
    ASSERT_NO_FATAL_FAILURE(busy.Until(2));
    busy.Pause();
  }
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(busy.Once(false));
  ASSERT_NO_FATAL_FAILURE(busy.Until(2));
  EXPECT_LE(busy.Pause(), 3 * kMillisecond);
}

}  // namespace
}  // namespace poold::base
