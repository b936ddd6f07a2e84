// What people see of a map's progress, with a clock of the test.
#include "poold/client/progress_bar.h"

#include <vector>

#include "gmock/gmock.h"

namespace poold::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ProgressBarTest : public ::testing::Test {
 protected:
  ProgressStyle Style(bool terminal, std::string title = "primes") {
    return {.title = std::move(title),
            .write = [this](std::string_view text) { written_.emplace_back(text); },
            .terminal = terminal,
            .columns = 80,
            .now = [this] { return now_; }};
  }
  void Pass(Duration time) { now_ += time; }

  std::vector<std::string> written_;
  ProgressBar::Clock::time_point now_{};
};

TEST_F(ProgressBarTest, OnATerminalTheBarStaysInItsPlaceAndFillsTheLine) {
  ProgressBar bar(Style(true));
  for (std::uint64_t done = 0; done <= 50; done += 10) {
    bar.Update({.done = done, .total = 100});
    Pass(seconds(1));
  }
  ASSERT_THAT(written_, SizeIs(6));
  EXPECT_THAT(written_.back(), StartsWith("\r\x1b[Kprimes   50%  [##################......"));
  EXPECT_THAT(written_.back(), EndsWith("]  50/100  10.0/s  0:05 left"));
  EXPECT_LE(written_.back().size(), 80u + 4);
}

TEST_F(ProgressBarTest, ItIsNotDrawnMoreOftenThanNeeded) {
  ProgressBar bar(Style(true));
  for (std::uint64_t done = 0; done < 1000; ++done) {
    bar.Update({.done = done, .total = 1000});
    Pass(milliseconds(1));
  }
  EXPECT_THAT(written_, SizeIs(10));
}

TEST_F(ProgressBarTest, ElsewhereThereAreLinesAtIntervals) {
  {
    ProgressBar bar(Style(false));
    for (std::uint64_t done = 0; done < 12; ++done) {
      bar.Update({.done = done, .total = 20, .unsuccessful = 1});
      Pass(seconds(1));
    }
  }
  EXPECT_THAT(written_, ElementsAre("primes   25%  5/20, 1 unsuccessful  1.0/s  0:15 left\n",
                                    "primes   50%  10/20, 1 unsuccessful  1.0/s  0:10 left\n",
                                    "primes   55%  11/20, 1 unsuccessful  1.0/s  in 0:12\n"));
}

TEST_F(ProgressBarTest, WithoutATotalItCounts) {
  ProgressBar bar(Style(true, ""));
  bar.Update({.done = 0});
  Pass(seconds(1));
  bar.Update({.done = 250});
  EXPECT_EQ(written_.back(), "\r\x1b[K250 done  250/s");
  EXPECT_EQ(bar.time_left(), std::nullopt);
}

TEST_F(ProgressBarTest, TheRateFollowsWhatHappensOfLate) {
  ProgressBar bar(Style(true));
  std::uint64_t done = 0;
  for (int second = 0; second < 60; ++second) {
    Pass(seconds(1));
    bar.Update({.done = done += 100, .total = 100'000});
  }
  EXPECT_NEAR(bar.rate(), 100, 0.1);
  for (int second = 0; second < 60; ++second) {
    Pass(seconds(1));
    bar.Update({.done = done += 10, .total = 100'000});
  }
  EXPECT_NEAR(bar.rate(), 10, 3);
}

TEST_F(ProgressBarTest, ATaskThatReportsAFractionHasABarToo) {
  ProgressBar bar(Style(true));
  bar.Update({.fraction = 0.0, .text = "loading"});
  Pass(seconds(10));
  const Progress progress{.fraction = 0.25, .text = "line one\nline two"};
  bar.Update(StateOf(progress));
  EXPECT_THAT(written_.back(), HasSubstr("25%"));
  EXPECT_THAT(written_.back(), EndsWith("0:30 left  line one line two"));
}

TEST_F(ProgressBarTest, WhatATaskSaysOfItselfMovesNoCursor) {
  ProgressBar bar(Style(true));
  const Progress progress{.fraction = 0.25, .text = "\x1b[5A\u009b2J\u202e"};
  bar.Update(StateOf(progress));
  EXPECT_THAT(written_.back(), EndsWith("\\x1b[5A\\u009b2J\\u202e"));
}

TEST_F(ProgressBarTest, ClearMakesRoomForOtherOutputAndTheNextUpdateDrawsAgain) {
  ProgressBar bar(Style(true));
  bar.Update({.done = 1, .total = 2});
  bar.Clear();
  EXPECT_EQ(written_.back(), "\r\x1b[K");
  bar.Update({.done = 1, .total = 2});
  EXPECT_THAT(written_.back(), HasSubstr("1/2"));
}

TEST_F(ProgressBarTest, TheEndIsDrawnOnceAndEndsTheLine) {
  ProgressBar bar(Style(true));
  bar.Update({.done = 1, .total = 2});
  bar.Update({.done = 2, .total = 2});
  Pass(seconds(75));
  bar.Finish();
  EXPECT_THAT(written_.back(), HasSubstr("100%"));
  EXPECT_THAT(written_.back(), EndsWith("in 1:15\n"));
  const std::size_t writes = written_.size();
  bar.Finish();
  bar.Update({.done = 2, .total = 2});
  EXPECT_THAT(written_, SizeIs(writes));
}

TEST_F(ProgressBarTest, ANarrowTerminalLosesTheBarAndNeverWraps) {
  ProgressStyle style = Style(true, "größer als das Fenster");
  style.columns = 10;
  ProgressBar bar(style);
  bar.Update({.done = 1, .total = 2});
  EXPECT_EQ(written_.back(), "\r\x1b[Kgrößer al");
}

TEST_F(ProgressBarTest, WhoNeverUpdatesSeesNothing) {
  { ProgressBar bar(Style(true)); }
  { ProgressBar bar(Style(false)); }
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(ProgressBarTest, AMapCountsItsItemsOnceTheirNumberIsKnown) {
  MapProgress progress{.items = 10, .done_items = 4, .unsuccessful_items = 1};
  EXPECT_EQ(StateOf(progress), (ProgressState{.done = 4, .unsuccessful = 1}));
  progress.complete = true;
  EXPECT_EQ(StateOf(progress), (ProgressState{.done = 4, .total = 10, .unsuccessful = 1}));
}

}  // namespace
}  // namespace poold::client
