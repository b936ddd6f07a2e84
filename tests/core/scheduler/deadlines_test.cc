#include "core/scheduler/deadlines.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "core/pool.h"
#include "core/worker.h"

namespace poold::core {
namespace {

constexpr Nanos kSubmitted = 100 * kSecond;

class DeadlinesTest : public ::testing::Test {
 protected:
  DeadlinesTest() {
    group_.options = options_;
    group_.submitted_at = kSubmitted;
    task_.group = &group_;
    map_.group = &group_;
  }
  ~DeadlinesTest() override {
    if (task_.linked()) worker_.sent.Remove(&task_);
  }

  // The task is what the worker runs since then.
  void Send(Nanos since) {
    task_.worker = &worker_;
    task_.attempt = 1;
    worker_.sent.PushBack(&task_);
    worker_.progress_at = since;
  }
  void AddItems(std::uint32_t count, Nanos now) {
    auto column = std::make_shared<ItemColumn>();
    column->lengths.resize(count, 1);
    column->data = Bytes(std::string(count, 'i'));
    map_.items.Append(std::move(column), 0, now);
  }

  std::shared_ptr<TaskOptions> options_ = std::make_shared<TaskOptions>();
  Group group_;
  Worker worker_;
  Task task_;
  MapRun map_;
  Timers timers_;
  Deadlines deadlines_{&timers_};
};

TEST_F(DeadlinesTest, NothingFallsDueOfWhatHasNoTimeOut) {
  deadlines_.ArmTask(task_);
  EXPECT_EQ(timers_.Next(), kNever);
}

TEST_F(DeadlinesTest, ATaskThatWaitsHasToStartInTime) {
  options_->queue_timeout = 2 * kSecond;
  options_->run_timeout = kSecond;
  deadlines_.ArmTask(task_);
  EXPECT_EQ(timers_.Next(), kSubmitted + 2 * kSecond);
  task_.attempt = 1;  // it did start once
  deadlines_.ArmTask(task_);
  EXPECT_EQ(timers_.Next(), kNever);
}

TEST_F(DeadlinesTest, ARunHasItsTimeFromWhenTheOneBeforeItEnded) {
  options_->queue_timeout = 2 * kSecond;
  options_->run_timeout = kSecond;
  Send(kSubmitted + 5 * kSecond);
  deadlines_.ArmTask(task_);
  EXPECT_EQ(timers_.Next(), kSubmitted + 6 * kSecond);
  deadlines_.Clear(task_);
  EXPECT_EQ(timers_.Next(), kNever);
}

TEST_F(DeadlinesTest, TheWholeIsOverWhateverElseIsLeft) {
  options_->run_timeout = 60 * kSecond;
  options_->total_timeout = 7 * kSecond;
  Send(kSubmitted + 5 * kSecond);
  deadlines_.ArmTask(task_);
  EXPECT_EQ(timers_.Next(), kSubmitted + 7 * kSecond);
}

TEST_F(DeadlinesTest, TheNextItemOfAMapHasItsTimeFromItsArrival) {
  options_->queue_timeout = 2 * kSecond;
  AddItems(3, kSubmitted + kSecond);
  EXPECT_EQ(Deadlines::LatestStart(map_), kSubmitted + 3 * kSecond);
  deadlines_.ArmMap(map_, kSubmitted + kSecond);
  EXPECT_EQ(timers_.Next(), kSubmitted + 3 * kSecond);
  map_.not_before = kSubmitted + 2 * kSecond;
  deadlines_.ArmMap(map_, kSubmitted + kSecond);
  EXPECT_EQ(timers_.Next(), kSubmitted + 2 * kSecond) << "it starts then";
}

}  // namespace
}  // namespace poold::core
