#include "core/scheduler/worker_index.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <vector>

#include "core/pool.h"
#include "core/scheduler/ahead.h"
#include "core/task.h"

namespace poold::core {
namespace {

constexpr Nanos kShort = 1000;

// Workers of one pool that are ready and have nothing, and the index of that pool.
class WorkerIndexTest : public ::testing::Test {
 protected:
  WorkerIndexTest() {
    for (std::uint64_t id = 1; id <= 4; ++id) {
      workers_.push_back(std::make_unique<Worker>());
      Worker& worker = *workers_.back();
      worker.id = WorkerId{id};
      worker.pool = pool_;
      lives_.Move(worker.life, WorkerLife::kReady);
      worker.uses_page = true;
      worker.origin = 1;
      worker.progress_at = now_;
    }
  }
  ~WorkerIndexTest() override {
    for (const auto& worker : workers_) {
      while (Node* node = worker->sent.front()) worker->sent.Remove(node);
    }
  }

  Worker& worker(std::size_t place) { return *workers_[place]; }
  void Give(Worker& worker, std::uint64_t tasks, Nanos each = kShort) {
    for (std::uint64_t i = 0; i < tasks; ++i) {
      tasks_.emplace_back();
      tasks_.back().estimate = static_cast<std::uint32_t>(each);
      worker.sent.PushBack(&tasks_.back());
      worker.load += each;
    }
    index_.Touch(worker);
  }
  std::string Check() {
    std::vector<Worker*> all;
    for (const auto& one : workers_) all.push_back(one.get());
    return index_.Check(all, now_);
  }

  Lives lives_;
  Nanos now_ = kSecond;
  std::list<Task> tasks_;
  std::shared_ptr<Pool> pool_ = std::make_shared<Pool>(64);
  std::vector<std::unique_ptr<Worker>> workers_;
  WorkerIndex index_{64};
};

TEST_F(WorkerIndexTest, FindsTheOneWithTheLeastToDo) {
  EXPECT_EQ(index_.LeastLoaded(now_, false), nullptr) << "an idle worker has nothing";
  Give(worker(0), 3);
  Give(worker(1), 1);
  Give(worker(2), 1);
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(1));
  Give(worker(1), 1);
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(2));
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, LeavesOutThoseThatTakeNoMore) {
  for (std::size_t place = 0; place < 4; ++place) Give(worker(place), place + 1);
  lives_.Move(worker(0).life, WorkerLife::kStopping);
  worker(1).unmeasured = 1;
  worker(2).load = kAheadTime / 2;
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(3));
  worker(3).uses_page = false;
  index_.Touch(worker(3));
  EXPECT_EQ(index_.LeastLoaded(now_, false), nullptr);
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, LeavesOutThoseThatMakeNoProgressUntilTheyDo) {
  Give(worker(0), 1);
  Give(worker(1), 2);
  worker(1).progress_at = now_ + 1;
  now_ += kPatience;
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(1));
  EXPECT_EQ(Check(), "");
  worker(0).progress_at = now_;
  index_.Touch(worker(0));
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(0));
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, LeavesOutThoseThatAreToBeReplacedIfAsked) {
  Give(worker(0), 1);
  Give(worker(1), 2);
  worker(0).replacement_due = true;
  EXPECT_EQ(index_.LeastLoaded(now_, /*staying_only=*/false), &worker(0));
  EXPECT_EQ(index_.LeastLoaded(now_, /*staying_only=*/true), &worker(1));
  pool_->stale_below = 2;
  index_.Touch(worker(1));
  EXPECT_EQ(index_.LeastLoaded(now_, /*staying_only=*/true), nullptr);
  EXPECT_EQ(index_.LeastLoaded(now_, /*staying_only=*/false), &worker(0));
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, OthersTakeFromTheOneWithTheMostToDo) {
  Give(worker(0), 1, kSecond);
  EXPECT_EQ(index_.Victim(now_), nullptr) << "one task cannot be divided";
  EXPECT_EQ(index_.NextVictimAt(now_), kNever);
  Give(worker(1), 3, kWorthStealing);
  Give(worker(2), 5, kWorthStealing);
  Give(worker(3), 5, kWorthStealing);
  EXPECT_EQ(index_.Victim(now_), &worker(2));
  EXPECT_EQ(index_.NextVictimAt(now_), 0);
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, LittleWorkIsTakenOnlyFromBehindSomethingLong) {
  Give(worker(0), 2);
  Give(worker(1), 3);
  worker(1).progress_at = now_ + 5;
  EXPECT_EQ(index_.Victim(now_), nullptr);
  EXPECT_EQ(index_.NextVictimAt(now_), now_ + kPatience);
  now_ += kPatience;
  EXPECT_EQ(index_.Victim(now_), &worker(0));
  now_ += 5;
  EXPECT_EQ(index_.Victim(now_), &worker(1));
  EXPECT_EQ(Check(), "");
}

TEST_F(WorkerIndexTest, KnowsWhoHoldsWorkAheadInTheOrderOfStarts) {
  Give(worker(3), 2);
  Give(worker(1), 2);
  Give(worker(0), 1);
  EXPECT_EQ(index_.HoldersBelow(1, now_), (std::vector{&worker(1), &worker(3)}));
  worker(1).lowest = 1;
  index_.Touch(worker(1));
  EXPECT_EQ(index_.HoldersBelow(1, now_), (std::vector{&worker(3)}));
}

TEST_F(WorkerIndexTest, KnowsWhereSomethingWaitsBehindWhatMakesNoProgress) {
  Give(worker(0), 1);
  Give(worker(1), 2);
  Give(worker(2), 2);
  worker(2).progress_at = now_ + 1;
  index_.Touch(worker(2));
  EXPECT_EQ(index_.Waiting(now_, now_), (std::vector{&worker(1)}));
  EXPECT_EQ(index_.Waiting(now_ + 1, now_), (std::vector{&worker(1), &worker(2)}));
}

TEST_F(WorkerIndexTest, ForgetsTheOneThatIsGone) {
  Give(worker(0), 2);
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(0));
  Give(worker(0), 1);
  index_.Remove(worker(0));
  EXPECT_EQ(index_.LeastLoaded(now_, false), nullptr);
  EXPECT_TRUE(index_.HoldersBelow(1, now_).empty());
}

TEST_F(WorkerIndexTest, CheckSeesAWorkerThatWasNotTouched) {
  Give(worker(0), 2);
  EXPECT_EQ(index_.LeastLoaded(now_, false), &worker(0));
  worker(0).load += 1;
  EXPECT_NE(Check(), "");
}

}  // namespace
}  // namespace poold::core
