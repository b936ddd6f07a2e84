// Who polls when nobody waits.
#include "session/leader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

namespace poold::client::internal {
namespace {

using Clock = Leader::Clock;

class LeaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    thread_ = std::thread([this] { leader_.RunBackground([this] { return over_; }, [this] { return idle_; }); });
  }
  void TearDown() override {
    {
      MutexLock lock(&mu_);
      over_ = true;
      leader_.WakeBackground();
    }
    thread_.join();
  }

  bool Pump(Clock::time_point until, bool) {
    MutexLock lock(&mu_);
    ++(until <= Clock::now() ? looks_ : waits_);
    return events_ > 0 && events_-- > 0;
  }
  bool AwaitDozing() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return AwaitThat([this] { return leader_.dozing(); });
  }
  // False: it does not come to that.
  bool Await(int* count, int wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return AwaitThat([&] { return *count >= wanted; });
  }
  // Looks again and again: the mutex knows no conditions.
  bool AwaitThat(const std::function<bool()>& holds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(30);
    while (!holds() && Clock::now() < end) {
      mu_.Unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      mu_.Lock();
    }
    return holds();
  }

  Mutex mu_;
  bool over_ = false;
  bool idle_ = true;
  int events_ = 0;  // that wait
  int looks_ = 0;
  int waits_ = 0;
  Leader leader_{&mu_, [this](Clock::time_point until, bool waiter) { return Pump(until, waiter); }};
  std::thread thread_;
};

TEST_F(LeaderTest, WhileNothingIsToComeItOnlyLooksNowAndThen) {
  MutexLock lock(&mu_);
  ASSERT_TRUE(Await(&looks_, 2));
  EXPECT_EQ(waits_, 0);
}

TEST_F(LeaderTest, WhenSomethingIsToComeItWaitsForIt) {
  MutexLock lock(&mu_);
  ASSERT_TRUE(AwaitDozing());
  idle_ = false;
  leader_.Resume();
  EXPECT_TRUE(Await(&waits_, 1));
}

TEST_F(LeaderTest, WhatCameWhileItDozedIsHandledBeforeAnythingIsSent) {
  MutexLock lock(&mu_);
  ASSERT_TRUE(AwaitDozing());
  events_ = 3;
  leader_.Resume();
  EXPECT_EQ(events_, 0);
}

}  // namespace
}  // namespace poold::client::internal
