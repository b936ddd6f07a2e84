// Workers that are replaced for their memory, their age, or their number of tasks, and those that are killed for it.
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Recycling, ReplacesAWorkerThatHasGrownWhenItsReplacementIsReady) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_worker_rss_bytes = 1000;
  story.Open(spec);
  const WorkerId grown = story.FirstWorker();
  story.Submit("p", "f");
  story.RunAll();
  story.core.OnWorkerUsage(story.now, grown, 1001);
  EXPECT_EQ(story.Pool("p").workers[0].rss_bytes, 1001u);
  ASSERT_EQ(story.processes.workers.size(), 2u);
  EXPECT_FALSE(story.processes.workers.at(grown).stopping);
  story.StartAll();
  EXPECT_TRUE(story.processes.workers.at(grown).stopping);
  EXPECT_EQ(story.Pool("p").stats.recycled, 1u);
}

TEST(Recycling, LetsAGrownWorkerFinishItsTask) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_worker_rss_bytes = 1000;
  story.Open(spec);
  const WorkerId grown = story.FirstWorker();
  const HandleId task = story.Submit("p", "f");
  const HandleId next = story.Submit("p", "f");
  story.Begin(grown);
  story.core.OnWorkerUsage(story.now, grown, 5000);
  story.core.OnWorkerUsage(story.now, grown, 6000);
  story.StartAll();
  EXPECT_FALSE(story.processes.workers.at(grown).stopping);
  story.RunOne(grown);
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  EXPECT_TRUE(story.processes.workers.at(grown).stopping);
  EXPECT_EQ(story.StateOf(next), TaskState::kRunning);
  EXPECT_EQ(story.Pool("p").stats.recycled, 1u);
}

TEST(Recycling, LeavesAWorkerAloneThatIsBigBeforeItsFirstTask) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_worker_rss_bytes = 1000;
  story.Open(spec);
  story.core.OnWorkerUsage(story.now, story.FirstWorker(), 5000);
  EXPECT_EQ(story.processes.workers.size(), 1u);
}

TEST(Recycling, ReplacesAWorkerThatIsOldWhenItsReplacementIsReady) {
  Story story;
  PoolSpec spec = SpecOf("p", 2);
  spec.max_worker_age = 60 * kSecond;
  story.Open(spec);
  const WorkerId first = story.FirstWorker();
  story.Pass(59 * kSecond);
  EXPECT_EQ(story.processes.workers.size(), 2u);
  story.Pass(2 * kSecond);
  EXPECT_EQ(story.processes.workers.size(), 3u);  // one after the other
  for (int i = 0; i < 3; ++i) {
    story.StartAll();
    story.EndAll();
  }
  EXPECT_FALSE(story.processes.workers.contains(first));
  EXPECT_EQ(story.processes.workers.size(), 2u);
  EXPECT_EQ(story.Pool("p").stats.recycled, 2u);
}

TEST(Recycling, CountsThoseThatRanAsManyTasksAsTheyMay) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_tasks_per_worker = 1;
  story.Open(spec);
  for (int i = 0; i < 3; ++i) {
    story.Submit("p", "f");
    story.RunAll();
    story.StartAll();
    story.EndAll();
  }
  EXPECT_EQ(story.Pool("p").stats.recycled, 3u);
}

TEST(Recycling, StartsTheReplacementWhenTheLastTaskIsHandedOut) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_tasks_per_worker = 2;
  story.Open(spec);
  const WorkerId worker = story.FirstWorker();
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.RunOne(worker);
  EXPECT_EQ(story.StateOf(first), TaskState::kSucceeded);
  EXPECT_EQ(story.StateOf(second), TaskState::kRunning);
  EXPECT_TRUE(story.processes.workers.at(worker).stopping);
  EXPECT_EQ(story.processes.workers.size(), 2u);
}

// Each of them would otherwise bring its replacement, and that one's.
TEST(Recycling, RunsNoMoreAtATimeThanThePoolHasWorkers) {
  Story story;
  PoolSpec spec = SpecOf("p", 2);
  spec.max_tasks_per_worker = 1;
  story.Open(spec);
  for (int i = 0; i < 20; ++i) story.Submit("p", "f");
  for (int i = 0; i < 5; ++i) story.StartAll();
  EXPECT_EQ(story.Pool("p").stats.running, 2u);
  EXPECT_LE(story.processes.workers.size(), 4u);
}

TEST(MemoryLimit, KillsTheWorkerAndItsTaskIsCrashed) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.memory_limit_bytes = 1000;
  story.Open(spec);
  const WorkerId worker = story.FirstWorker();
  const HandleId task = story.Submit("p", "f");
  const HandleId next = story.Submit("p", "f");
  story.Begin(worker);
  story.core.OnWorkerUsage(story.now, worker, 1000);
  EXPECT_FALSE(story.processes.workers.at(worker).killed);
  story.core.OnWorkerUsage(story.now, worker, 1001);
  EXPECT_TRUE(story.processes.workers.at(worker).killed);
  EXPECT_EQ(story.processes.workers.at(worker).grace, 0);
  story.EndAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kCrashed);
  EXPECT_EQ(story.OutcomeOf(task).detail->death->killed_by, KilledBy::kMemoryLimit);
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(story.StateOf(next), TaskState::kSucceeded);
}

TEST(MemoryLimit, TriesAgainAsAfterAnyCrash) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.memory_limit_bytes = 1000;
  story.Open(spec);
  TaskOptions options;
  options.max_attempts = 2;
  const HandleId task = story.Submit("p", "f", options);
  story.Begin(story.FirstWorker());
  story.core.OnWorkerUsage(story.now, story.FirstWorker(), 2000);
  story.EndAll();
  story.StartAll();
  story.Pass(kSecond);
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  EXPECT_EQ(story.OutcomeOf(task).attempt, 2u);
}

TEST(MemoryLimit, StartsTheReplacementBeforeTheDeathIsKnown) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.memory_limit_bytes = 1000;
  story.Open(spec);
  story.core.OnWorkerUsage(story.now, story.FirstWorker(), 1001);
  EXPECT_EQ(story.processes.workers.size(), 2u);
}

TEST(MemoryLimit, OfWorkersThatAreNotReadyIsAStartThatFails) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.memory_limit_bytes = 1000;
  const SubscriberId call = story.AskOpen(spec);
  story.processes.ZygoteReady(story.now, story.processes.zygotes.begin()->first);
  for (int i = 0; i < 100 && story.Pool("p").state == PoolState::kStarting; ++i) {
    if (story.processes.workers.empty()) {
      story.Pass(100 * kMillisecond);  // it is not tried again at once
      continue;
    }
    story.core.OnWorkerUsage(story.now, story.FirstWorker(), 1001);
    story.EndAll();
  }
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  EXPECT_NE(story.Pool("p").failure.find("memory_limit_bytes"), std::string::npos);
  EXPECT_FALSE(story.clients.opened.at(call).first.ok());
  EXPECT_LE(story.Pool("p").stats.workers_started, 8u);
}

TEST(Restart, OfAnIdleWorkerThatIsKilledAgainAndAgainPausesEverLongerAndGoesOn) {
  Story story;
  story.Open("p", 1);
  story.Crash(story.FirstWorker(), 9);
  ASSERT_EQ(story.processes.workers.size(), 1u) << "the first time it is replaced at once";
  Nanos longest = 0;
  for (int i = 0; i < 20; ++i) {
    story.StartAll();
    story.Crash(story.FirstWorker(), 9);
    EXPECT_TRUE(story.processes.workers.empty());
    const Nanos before = story.now;
    while (story.processes.workers.empty()) story.Pass(50 * kMillisecond);
    EXPECT_GE(story.now - before, longest);
    longest = story.now - before;
  }
  EXPECT_GE(longest, 5 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  story.StartAll();
  story.Submit("p", "f");
  story.RunAll();
  story.Crash(story.FirstWorker(), 9);
  EXPECT_EQ(story.processes.workers.size(), 1u) << "it had done a task";
}

TEST(Restart, OfAZygoteThatIsKilledAgainAndAgainPausesAndItsWorkersGoOn) {
  Story story;
  story.Open("p", 1);
  for (std::uint32_t i = 0; i < 20; ++i) {
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "killed");
    EXPECT_EQ(story.processes.zygotes.empty(), i > 0);
    story.Pass(6 * kSecond);
    story.StartAll();
  }
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  const HandleId task = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

}  // namespace
}  // namespace poold::core::testing
