// Starting, replacing and losing processes. Pools are plain structs; what workers have to do plays no part.
#include "core/pool/staffing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace poold::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down what is asked of it: "zygote 1", "start 2", "stop 2", "kill 2", "stop zygote 1".
class FakeProcesses : public WorkerPort {
 public:
  void StartZygote(PoolId, std::uint32_t generation, const PoolSpec&) override { Say("zygote", generation); }
  void StopZygote(PoolId, std::uint32_t generation) override { Say("stop zygote", generation); }
  void StartWorker(PoolId, std::uint32_t, WorkerId worker) override {
    Say("start", static_cast<std::uint64_t>(worker));
  }
  void Dispatch(WorkerId, std::vector<Assignment>) override {}
  std::uint32_t TakeBack(WorkerId, AttemptToken, std::uint32_t) override { return 0; }
  void StopWorker(WorkerId worker) override { Say("stop", static_cast<std::uint64_t>(worker)); }
  void KillWorker(WorkerId worker, Nanos) override { Say("kill", static_cast<std::uint64_t>(worker)); }
  std::vector<std::string> Asked() { return std::exchange(asked_, {}); }

 private:
  void Say(const char* what, std::uint64_t number) { asked_.push_back(what + (" " + std::to_string(number))); }
  std::vector<std::string> asked_;
};

class StaffingTest : public ::testing::Test, protected StaffingListener {
 protected:
  StaffingTest() {
    pool_->spec.workers = 2;
    pool_->present = std::make_unique<Generation>(pool_.get(), &timers_);
  }
  ~StaffingTest() override {
    EXPECT_EQ(Staffing::Check(*pool_), "");
    while (!pool_->workers.empty()) Lose(*pool_->workers.back());
    if (pool_->next != nullptr) staffing_.AbandonReload(*pool_);
    pool_->present->tries.Cease();
    EXPECT_EQ(staffing_.workers(), 0u);
  }

  // ---- StaffingListener ----
  void PoolChanged(const Pool&) override {}
  void StartsChanged() override {
    told_.push_back(pool_->present->tries.failure().empty() ? "starts go" : "starts fail");
  }
  void AllAreReady(Pool& pool) override {
    if (pool.state == PoolState::kStarting) lives_.Move(pool.state, PoolState::kRunning);
  }
  void FunctionsAreKnown(Pool&, bool reloaded) override { told_.push_back(reloaded ? "new functions" : "functions"); }
  void DoesNotStart(Pool& pool, std::string why) override {
    told_.push_back("given up: " + why);
    lives_.Move(pool.state, PoolState::kFailed);
  }
  void ReloadBegins(Pool&) override { told_.push_back("reload"); }
  void ReloadEnds(Pool& pool, bool replaced) override {
    told_.push_back(replaced ? "reloaded" : "rolled back: " + pool.reload_failure);
  }

  Worker& worker(std::uint64_t id) { return *staffing_.Find(WorkerId{id}); }
  void Settle() {
    if (pool_->scaling.asked()) staffing_.Scale(*pool_);
  }
  void Ready(std::uint64_t id) {
    std::vector<FunctionInfo> functions(1);
    functions[0].name = "f";
    EXPECT_TRUE(staffing_.WorkerIsReady(worker(id), 100, std::move(functions), true));
    Settle();
  }
  void Lose(Worker& worker, std::string why = "", LossCause cause = LossCause::kItself) {
    DeathCertificate death;
    const Staffing::Loss loss = staffing_.NoteLoss(worker, death, /*has_guilty=*/false);
    broke_ = loss.breaks;
    staffing_.Forget(worker, loss, std::move(why), cause);
  }
  // The pool runs with workers 1 and 2.
  void Run() {
    staffing_.Open(*pool_);
    EXPECT_TRUE(staffing_.ZygoteIsReady(*pool_, pool_->present->number));
    Settle();
    Ready(1);
    Ready(2);
    processes_.Asked();
    told_.clear();
  }

  Nanos now_ = kSecond;
  ShardInfo shard_;
  Timers timers_;
  Lives lives_;
  FakeProcesses processes_;
  std::shared_ptr<Pool> pool_ = std::make_shared<Pool>(64);
  std::vector<std::string> told_;
  bool broke_ = false;
  Staffing staffing_{shard_, &now_, &processes_, &timers_, &lives_, this};
};

TEST_F(StaffingTest, StartsAZygoteAndThenItsWorkers) {
  staffing_.Open(*pool_);
  EXPECT_THAT(processes_.Asked(), ElementsAre("zygote 1"));
  EXPECT_TRUE(staffing_.ZygoteIsReady(*pool_, 1));
  EXPECT_FALSE(staffing_.ZygoteIsReady(*pool_, 1)) << "it is known already";
  Settle();
  EXPECT_THAT(processes_.Asked(), ElementsAre("start 1", "start 2"));
  Ready(1);
  EXPECT_THAT(told_, ElementsAre("functions"));
  EXPECT_EQ(pool_->state, PoolState::kStarting);
  Ready(2);
  EXPECT_EQ(pool_->state, PoolState::kRunning);
  EXPECT_EQ(pool_->stats.workers_started, 2u);
}

TEST_F(StaffingTest, ReplacesAWorkerThatIsLost) {
  Run();
  Lose(worker(1));
  Settle();
  EXPECT_THAT(processes_.Asked(), ElementsAre("start 3"));
  EXPECT_EQ(pool_->stats.workers_lost, 1u);
  EXPECT_EQ(staffing_.Find(WorkerId{1}), nullptr);
}

TEST_F(StaffingTest, AWornOutWorkerGoesWhenItsReplacementIsReady) {
  Run();
  EXPECT_TRUE(staffing_.WearOut(worker(1)));
  EXPECT_FALSE(staffing_.WearOut(worker(1)));
  Settle();
  EXPECT_THAT(processes_.Asked(), ElementsAre("start 3"));
  Ready(3);
  EXPECT_THAT(processes_.Asked(), ElementsAre("stop 1"));
  EXPECT_EQ(pool_->stats.recycled, 1u);
}

TEST_F(StaffingTest, AWorkerAboveItsMemoryLimitIsKilledOnce) {
  Run();
  pool_->spec.memory_limit_bytes = 1000;
  EXPECT_FALSE(staffing_.TakeUsage(worker(1), 1000));
  EXPECT_TRUE(staffing_.TakeUsage(worker(1), 1001));
  EXPECT_FALSE(staffing_.TakeUsage(worker(1), 1002));
  EXPECT_THAT(processes_.Asked(), ElementsAre("kill 1"));
  EXPECT_EQ(worker(1).killed_by, KilledBy::kMemoryLimit);
}

TEST_F(StaffingTest, StopsWhatIsTooMuchTheMostDispensableFirst) {
  Run();
  EXPECT_TRUE(staffing_.WearOut(worker(2)));
  pool_->spec.workers = 1;
  const std::vector<Worker*> surplus = Staffing::Surplus(*pool_);
  ASSERT_THAT(surplus, ElementsAre(&worker(2)));
  staffing_.Stop(*surplus[0]);
  EXPECT_THAT(processes_.Asked(), ElementsAre("stop 2"));
  EXPECT_TRUE(Staffing::Surplus(*pool_).empty());
}

TEST_F(StaffingTest, GivesUpAPoolThatNeverRan) {
  staffing_.Open(*pool_);
  for (std::uint32_t zygote = 1; told_.empty() || told_.back() == "starts fail"; ++zygote) {
    ASSERT_LT(zygote, 10u);
    staffing_.ZygoteIsLost(*pool_, zygote, "no such module", LossCause::kItself);
    if (pool_->state == PoolState::kFailed) break;
    Settle();
    EXPECT_EQ(pool_->present->zygote, ZygoteState::kGone) << "there is a pause";
    now_ = timers_.Next();
    DueTimer due;
    ASSERT_TRUE(timers_.PopDue(now_, &due));
    staffing_.RetryStart(*static_cast<Generation*>(due.owner));
    Settle();
  }
  EXPECT_EQ(told_.back(), "given up: no such module");
}

TEST_F(StaffingTest, TriesAPoolThatRanForAsLongAsItTakes) {
  Run();
  staffing_.ZygoteIsLost(*pool_, 1, "", LossCause::kItself);
  Settle();
  for (std::uint32_t zygote = 2; zygote < 20; ++zygote) {
    staffing_.ZygoteIsLost(*pool_, zygote, "no such module", LossCause::kItself);
    now_ = timers_.Next();
    DueTimer due;
    ASSERT_TRUE(timers_.PopDue(now_, &due));
    staffing_.RetryStart(*static_cast<Generation*>(due.owner));
    Settle();
  }
  EXPECT_THAT(told_, ElementsAre("starts fail"));
}

TEST_F(StaffingTest, AReloadReplacesOneAfterTheOther) {
  Run();
  staffing_.Reload(*pool_);
  EXPECT_THAT(processes_.Asked(), ElementsAre("zygote 2"));
  EXPECT_TRUE(staffing_.ZygoteIsReady(*pool_, 2));
  Settle();
  EXPECT_THAT(processes_.Asked(), ElementsAre("start 3"));
  Ready(3);
  EXPECT_THAT(processes_.Asked(), ElementsAre("stop 2", "start 4"));
  Lose(worker(2));
  Ready(4);
  Lose(worker(1));
  Settle();
  EXPECT_THAT(told_, ElementsAre("reload", "new functions", "reloaded"));
  EXPECT_EQ(pool_->present->number, 2u);
  EXPECT_EQ(pool_->stats.reloads, 1u);
}

TEST_F(StaffingTest, AReloadThatDoesNotStartIsRolledBack) {
  Run();
  staffing_.Reload(*pool_);
  std::uint32_t zygote = 2;
  while (pool_->next != nullptr) {
    ASSERT_LT(zygote, 10u);
    staffing_.ZygoteIsLost(*pool_, zygote++, "no such module", LossCause::kItself);
    if (pool_->next == nullptr) break;
    now_ = timers_.Next();
    DueTimer due;
    ASSERT_TRUE(timers_.PopDue(now_, &due));
    staffing_.RetryStart(*static_cast<Generation*>(due.owner));
    Settle();
  }
  EXPECT_EQ(told_.back(), "rolled back: no such module");
  EXPECT_EQ(pool_->counts.ready, 2u) << "the workers of the present generation go on";
}

TEST_F(StaffingTest, TheDeathOfAWorkerBreaksAStrictPool) {
  Run();
  pool_->spec.death_policy = DeathPolicy::kStrict;
  Lose(worker(1));
  EXPECT_TRUE(broke_);
  EXPECT_TRUE(pool_->broken);
}

TEST_F(StaffingTest, WhatWeDidToAWorkerBreaksNoStrictPool) {
  Run();
  pool_->spec.death_policy = DeathPolicy::kStrict;
  staffing_.Kill(worker(1), KilledBy::kCancel, 0);
  Lose(worker(1));
  EXPECT_FALSE(broke_);
}

TEST_F(StaffingTest, WindsDownUntilNoProcessIsLeft) {
  Run();
  staffing_.WindDown(*pool_);
  EXPECT_THAT(processes_.Asked(), ElementsAre("stop 1", "stop 2"));
  Lose(worker(1));
  Lose(worker(2));
  staffing_.WindDown(*pool_);
  EXPECT_THAT(processes_.Asked(), ElementsAre("stop zygote 1"));
  EXPECT_TRUE(pool_->has_processes()) << "the zygote has not ended yet";
  staffing_.ZygoteIsLost(*pool_, 1, "", LossCause::kItself);
  EXPECT_FALSE(pool_->has_processes());
}

TEST_F(StaffingTest, KillsAllAndMayHurry) {
  Run();
  staffing_.KillAll(*pool_, kSecond);
  EXPECT_THAT(processes_.Asked(), ElementsAre("kill 1", "kill 2", "stop zygote 1"));
  staffing_.KillAll(*pool_, 2 * kSecond);
  EXPECT_THAT(processes_.Asked(), IsEmpty());
  staffing_.KillAll(*pool_, 0);
  EXPECT_THAT(processes_.Asked(), ElementsAre("kill 1", "kill 2"));
}

}  // namespace
}  // namespace poold::core
