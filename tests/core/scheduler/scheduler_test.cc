// What goes to whom, what comes back, and what the listener is told. Pools, workers and tasks are plain structs here.
#include "core/scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace poold::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kMostAhead = 64;
constexpr Nanos kBrief = 100'000;
constexpr ClientId kAnn{1};
constexpr ClientId kBob{2};

// Takes note of what is sent; what was begun does not come back.
class FakePort : public WorkerPort {
 public:
  void StartZygote(PoolId, std::uint32_t, const PoolSpec&) override {}
  void StopZygote(PoolId, std::uint32_t) override {}
  void StartWorker(PoolId, std::uint32_t, WorkerId) override {}
  void StopWorker(WorkerId) override {}
  void KillWorker(WorkerId, Nanos) override {}
  void Dispatch(WorkerId worker, std::vector<Assignment> work) override {
    for (const Assignment& one : work) {
      sent[worker] += one.args.data.view();
      std::uint32_t items = 0;
      for (const ItemSlice& slice : one.items) items += static_cast<std::uint32_t>(slice.count);
      unbegun[one.token] = std::max<std::uint32_t>(1, items);
    }
  }
  std::uint32_t TakeBack(WorkerId, AttemptToken token, std::uint32_t keep) override {
    const std::uint32_t back = unbegun[token] > keep ? unbegun[token] - keep : 0;
    unbegun[token] -= back;
    return back;
  }

  std::map<WorkerId, std::string> sent;  // arguments, one behind the other
  std::map<AttemptToken, std::uint32_t> unbegun;
};

class SchedulerTest : public ::testing::Test, protected SchedulerListener {
 protected:
  SchedulerTest() {
    pool_->spec.workers = 2;
    pool_->functions_known = true;
    lives_.Move(pool_->state, PoolState::kRunning);
    for (const char* function : {"f", "g"}) pool_->FunctionNumber(function);
  }
  ~SchedulerTest() override { EXPECT_EQ(scheduler_.Check(*pool_), ""); }

  // ---- SchedulerListener ----
  void FunctionIsUnknown(Handle& handle) override {
    told_.push_back("unknown");
    scheduler_.Unqueue(static_cast<Task&>(handle));
  }
  void HandleChanged(const Handle&) override { told_.push_back("changed"); }
  void WorkerIsUsedUp(Worker& worker, bool recycled) override {
    told_.push_back(recycled ? "recycled" : "used up");
    lives_.Move(worker.life, WorkerLife::kStopping);
    pool_->Recount(worker);
  }
  void RunIsToEnd(Worker&, KilledBy) override { told_.push_back("run is to end"); }
  void LineIsHeldUp(ClientQuota&, const HeldLine& line) override {
    told_.push_back("held up");
    held_ = line;
  }

  Worker& AddWorker() {
    Worker& worker = workers_.emplace_back();
    worker.id = WorkerId{workers_.size()};
    worker.pool = pool_;
    worker.uses_page = true;
    worker.functions = std::make_shared<const std::vector<std::int32_t>>(2, 0);
    lives_.Move(worker.life, WorkerLife::kReady);
    pool_->workers.push_back(&worker);
    pool_->Recount(worker);
    pool_->ListIdle(&worker);
    return worker;
  }
  Group& NewGroup(ClientId client = kAnn, int priority = 0, const char* function = "f") {
    Group& group = groups_.emplace_back();
    auto options = std::make_shared<TaskOptions>();
    options->priority = priority;
    group.options = std::move(options);
    group.pool = pool_;
    group.ready = &pool_->ready;
    group.queue = group.ready->Enter(client, priority);
    group.queue->quota = &quotas_[client];
    group.function = pool_->FunctionNumber(function);
    return group;
  }
  Task& Submit(Group& group, const std::string& name = "x") {
    Task& task = tasks_.emplace_back();
    task.slot = static_cast<std::uint32_t>(tasks_.size());
    task.group = &group;
    task.body = Bytes(name);
    scheduler_.Queue(task, /*in_front=*/false);
    return task;
  }
  MapRun& SubmitMap(Group& group, std::uint32_t items) {
    MapRun& map = maps_.emplace_back();
    map.group = &group;
    auto column = std::make_shared<ItemColumn>();
    column->lengths.resize(items, 1);
    column->data = Bytes(std::string(items, 'i'));
    map.items.Append(std::move(column), 0, now_);
    scheduler_.ItemsWait(map, {0, items});
    scheduler_.QueueMap(map, /*in_front=*/false);
    return map;
  }
  // One call of `function` takes so long.
  void Measure(Nanos each, const char* function = "f") {
    scheduler_.CallsCameBack(*pool_, pool_->FunctionNumber(function), 100 * each, 100, 0);
  }
  std::string SentTo(const Worker& worker) { return port_.sent[worker.id]; }
  void Begin(const Task& task) { port_.unbegun[AttemptToken{task.token}] = 0; }

  Nanos now_ = kSecond;
  Lives lives_;
  Timers timers_;
  FakePort port_;
  OutcomeRoom room_{64'000};
  std::shared_ptr<Pool> pool_ = std::make_shared<Pool>(kMostAhead);
  std::map<ClientId, ClientQuota> quotas_;
  std::deque<Group> groups_;
  std::deque<Worker> workers_;
  std::deque<Task> tasks_;
  std::deque<MapRun> maps_;
  std::vector<std::string> told_;
  HeldLine held_;
  TaskLives task_lives_;
  Steps steps_{4096};
  Scheduler scheduler_{kMostAhead, &now_, &steps_, &room_, &port_, &timers_, &task_lives_, this};
};

TEST_F(SchedulerTest, AnIdleWorkerGetsATaskAtOnce) {
  Worker& worker = AddWorker();
  Task& task = Submit(NewGroup());
  EXPECT_EQ(pool_->stats.queued, 1u);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "x");
  EXPECT_EQ(task.worker, &worker);
  EXPECT_EQ(pool_->stats.queued, 0u);
  EXPECT_EQ(pool_->stats.running, 1u);
  EXPECT_THAT(told_, IsEmpty());
  scheduler_.Unsend(task);
  EXPECT_TRUE(worker.idle());
  EXPECT_EQ(pool_->stats.running, 0u);
}

TEST_F(SchedulerTest, SendsAheadOnlyWhatIsKnownToBeShort) {
  Worker& worker = AddWorker();
  Group& group = NewGroup();
  for (int i = 0; i < 100; ++i) Submit(group);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(worker.sent.size(), 1u) << "it was never measured";
  Measure(kBrief);
  scheduler_.Unsend(tasks_.front());
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(worker.sent.size(), static_cast<std::size_t>(kAheadTime / kBrief));
}

TEST_F(SchedulerTest, ClientsTakeTurns) {
  Worker& worker = AddWorker();
  Measure(kBrief);
  Group& ann = NewGroup(kAnn);
  Group& bob = NewGroup(kBob);
  for (const char* name : {"a", "a", "a"}) Submit(ann, name);
  for (const char* name : {"b", "b"}) Submit(bob, name);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "ababa");
}

TEST_F(SchedulerTest, AnIdleWorkerTakesHalfOfWhatAnotherHasNotBegun) {
  Worker& first = AddWorker();
  Measure(kWorthStealing);
  Group& group = NewGroup();
  for (int i = 0; i < 8; ++i) Submit(group);
  scheduler_.Dispatch(*pool_);
  ASSERT_EQ(first.sent.size(), 8u);
  Worker& second = AddWorker();
  scheduler_.Steal(*pool_);
  EXPECT_EQ(first.sent.size(), 4u);
  EXPECT_EQ(second.sent.size(), 4u);
  EXPECT_EQ(pool_->stats.retracted, 4u);
}

TEST_F(SchedulerTest, WhatIsMoreUrgentGoesBeforeWhatWasSentAhead) {
  Worker& worker = AddWorker();
  Measure(kBrief);
  Group& low = NewGroup(kAnn, 0);
  for (int i = 0; i < 60; ++i) Submit(low, "l");
  scheduler_.Dispatch(*pool_);
  const std::size_t ahead = worker.sent.size();
  ASSERT_GT(ahead, 30u);
  Begin(tasks_.front());
  Submit(NewGroup(kAnn, 1), "H");
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker).substr(ahead, 2), "Hl");
  EXPECT_EQ(worker.sent.front(), &tasks_.front()) << "it has begun";
}

TEST_F(SchedulerTest, HoldsUpALineWhoseClientHasNoRoom) {
  Worker& worker = AddWorker();
  Group& ann = NewGroup(kAnn);
  Group& bob = NewGroup(kBob);
  for (const ClientId client : {kAnn, kBob}) {
    quotas_[client].present = true;
    room_.Come(&quotas_[client]);
  }
  room_.Add(quotas_[kAnn], 64'000);
  Submit(ann, "a");
  Submit(bob, "b");
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "b");
  EXPECT_THAT(told_, ElementsAre("held up"));
  EXPECT_EQ(held_.queue, ann.queue);
  room_.Subtract(quotas_[kAnn], 64'000);
  Scheduler::LetGo(held_);
  AddWorker();
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(workers_.back()), "a");
  for (const ClientId client : {kAnn, kBob}) room_.Go(&quotas_[client]);
}

TEST_F(SchedulerTest, TellsOfAWorkerThatHasGotAllThatItMayGet) {
  Worker& worker = AddWorker();
  pool_->spec.max_tasks_per_worker = 2;
  Measure(kBrief);
  Group& group = NewGroup();
  for (int i = 0; i < 5; ++i) Submit(group);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(worker.sent.size(), 2u);
  EXPECT_THAT(told_, ElementsAre("recycled"));
  EXPECT_EQ(pool_->ready.size(), 3u);
}

TEST_F(SchedulerTest, TellsOfAFunctionThatTheWorkerDoesNotHave) {
  Worker& worker = AddWorker();
  worker.functions = std::make_shared<const std::vector<std::int32_t>>(1, 0);
  Submit(NewGroup(kAnn, 0, "g"), "g");
  Submit(NewGroup(kAnn, 0, "f"), "f");
  scheduler_.Dispatch(*pool_);
  EXPECT_THAT(told_, ElementsAre("unknown"));
  EXPECT_EQ(SentTo(worker), "f");
}

TEST_F(SchedulerTest, ATaskWaitsForItsTime) {
  AddWorker();
  Group& group = NewGroup();
  Task& task = tasks_.emplace_back();
  task.group = &group;
  task.not_before = now_ + kSecond;
  scheduler_.Queue(task, /*in_front=*/false);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(task.worker, nullptr);
  EXPECT_EQ(timers_.Next(), now_ + kSecond);
  EXPECT_EQ(pool_->delayed.size(), 1u);
  EXPECT_EQ(pool_->stats.queued, 1u);
  scheduler_.Unqueue(task);
  EXPECT_EQ(pool_->stats.queued, 0u);
}

TEST_F(SchedulerTest, KillsUnderARunOnlyIfNothingBehindItWasBegun) {
  Worker& worker = AddWorker();
  Measure(kBrief);
  Group& group = NewGroup();
  Task& first = Submit(group);
  Task& second = Submit(group);
  scheduler_.Dispatch(*pool_);
  ASSERT_EQ(worker.sent.size(), 2u);
  Begin(second);
  EXPECT_FALSE(scheduler_.KillUnder(worker, &first, KilledBy::kCancel)) << "the first one has ended";
  EXPECT_THAT(told_, IsEmpty());
  port_.unbegun[AttemptToken{second.token}] = 1;
  EXPECT_TRUE(scheduler_.KillUnder(worker, &first, KilledBy::kCancel));
  EXPECT_THAT(told_, ElementsAre("run is to end"));
  EXPECT_EQ(second.worker, nullptr);
}

TEST_F(SchedulerTest, AMapGoesInChunksWhoseRestComesBack) {
  Worker& worker = AddWorker();
  Measure(kBrief);
  MapRun& map = SubmitMap(NewGroup(), 1000);
  scheduler_.Dispatch(*pool_);
  ASSERT_FALSE(map.chunks.empty());
  EXPECT_EQ(pool_->stats.queued + pool_->stats.running, 1000u);
  EXPECT_EQ(pool_->stats.queued, pool_->stats.queued_bytes) << "an item is one byte here";
  Chunk& chunk = *map.chunks.front();
  EXPECT_EQ(scheduler_.FindChunk(worker.id, AttemptToken{chunk.token}), &chunk);
  const std::uint64_t queued = pool_->stats.queued;
  const std::uint32_t count = chunk.count;
  EXPECT_EQ(scheduler_.TakeBackItems(chunk, 1), count - 1);
  EXPECT_EQ(chunk.count, 1u);
  EXPECT_EQ(pool_->stats.queued, queued + count - 1);
  scheduler_.ItemsCameBack(chunk, 1);
  EXPECT_EQ(pool_->stats.running, 999u - pool_->stats.queued);
  while (!map.chunks.empty()) scheduler_.Unsend(*map.chunks.back());
  EXPECT_EQ(scheduler_.chunks(), 0u);
  EXPECT_EQ(pool_->stats.running, 0u);
}

TEST_F(SchedulerTest, CallsWaitAtAnOpenBreakerUntilAProbeComesBack) {
  Worker& worker = AddWorker();
  Measure(kBrief);
  for (std::uint32_t i = 0; i < kDeathsToTrip; ++i) scheduler_.NoteDeath(*pool_, 0, false, KilledBy::kItself);
  EXPECT_EQ(pool_->breakers_open, 1u);
  Group& group = NewGroup();
  for (int i = 0; i < 3; ++i) Submit(group);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "");
  EXPECT_TRUE(CircuitBreakers::IsHeld(tasks_[2]));
  EXPECT_EQ(timers_.Next(), now_ + kFirstBreakerPause);
  now_ += kFirstBreakerPause;
  scheduler_.BreakersDue(*pool_);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "x") << "one of them tries";
  Measure(kBrief);
  EXPECT_EQ(pool_->breakers_open, 0u);
  scheduler_.Unsend(tasks_[0]);
  scheduler_.Dispatch(*pool_);
  EXPECT_EQ(SentTo(worker), "xxx");
}

TEST_F(SchedulerTest, WhatKillsOthersDoNotMeanOpensNoBreaker) {
  for (int i = 0; i < 10; ++i) scheduler_.NoteDeath(*pool_, 0, false, KilledBy::kOutsider);
  EXPECT_EQ(pool_->breakers_open, 0u);
}

TEST_F(SchedulerTest, CheckSeesAWorkerThatIsMiscounted) {
  Worker& worker = AddWorker();
  Task& task = Submit(NewGroup());
  scheduler_.Dispatch(*pool_);
  --pool_->busy;
  EXPECT_NE(scheduler_.Check(*pool_), "");
  ++pool_->busy;
  EXPECT_EQ(task.worker, &worker);
}

}  // namespace
}  // namespace poold::core
