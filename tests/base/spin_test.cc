// When a thread looks again, and when it stays away.
#include "base/spin.h"

#include <gtest/gtest.h>

namespace poold::base {
namespace {

constexpr std::int64_t kMost = 50'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;

// Spins from now on, each a microsecond after the other, until one is refused; of every `every` one is disturbed.
struct Busy {
  Spin spin{kMost};
  std::int64_t now = kSecond;
  std::int64_t preemptions = 0;

  bool Once(bool disturbed) {
    if (!spin.Begin(now)) return false;
    now += 1000;
    preemptions += disturbed ? 1 : 0;
    spin.End(now, preemptions);
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

TEST(SpinTest, LastsAsLongAsItIsTold) {
  Spin spin(kMost);
  ASSERT_TRUE(spin.Begin(kSecond));
  EXPECT_TRUE(spin.Goes(kSecond + kMost - 1));
  EXPECT_FALSE(spin.Goes(kSecond + kMost));
}

TEST(SpinTest, WithoutATimeThereIsNone) { EXPECT_FALSE(Spin(0).Begin(kSecond)); }

TEST(SpinTest, AFewDisturbancesDoNotMatter) {
  Busy busy;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(busy.Once(i % 8 == 0)) << i;
}

TEST(SpinTest, StaysAwayLongerEachTimeWhileOthersWantTheCore) {
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

TEST(SpinTest, ForgivesWhenItGoesWell) {
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
