// A process of its own for every task, or for one.
#include "fakes.h"

namespace poold::core::testing {
namespace {

PoolSpec FreshSpec(std::uint32_t workers, std::uint32_t spares) {
  PoolSpec spec = SpecOf("p", workers);
  spec.start_method = StartMethod::kFresh;
  spec.spares = spares;
  return spec;
}

TaskOptions FreshTask(int priority = 0) {
  TaskOptions options;
  options.fresh = true;
  options.priority = priority;
  return options;
}

int Idle(const Story& story) {
  int idle = 0;
  for (const auto& [id, worker] : story.processes.workers) idle += !worker.stopping && worker.work.empty();
  return idle;
}

int Busy(const Story& story) {
  int busy = 0;
  for (const auto& [id, worker] : story.processes.workers) busy += !worker.work.empty();
  return busy;
}

// The worker that has this task; it has nothing else.
WorkerId WorkerOf(const Story& story, const std::string& args) {
  for (const auto& [id, worker] : story.processes.workers) {
    if (!worker.work.empty() && worker.work.front().Item(0) == args) return id;
  }
  return WorkerId{};
}

TEST(FreshPool, KeepsSparesReadyBesideItsWorkers) {
  Story story;
  story.Open(FreshSpec(2, 3));
  EXPECT_EQ(Idle(story), 5);
}

TEST(FreshPool, GivesEveryTaskAWorkerThatEndsWithIt) {
  Story story;
  story.Open(FreshSpec(1, 1));
  std::vector<HandleId> tasks;
  std::set<WorkerId> used;
  story.processes.on_begin = [&](const FakeWorker& worker, const FakeWork&, std::uint32_t) {
    EXPECT_TRUE(used.insert(worker.id).second) << "a worker ran twice";
    EXPECT_TRUE(worker.stopping);
  };
  for (int i = 0; i < 10; ++i) tasks.push_back(story.Submit("p", "f"));
  for (int i = 0; i < 20; ++i) {
    story.RunAll();
    story.StartAll();
    story.EndAll();
  }
  EXPECT_EQ(used.size(), 10u);
  for (const HandleId task : tasks) EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST(FreshPool, RunsNoMoreAtATimeThanItHasWorkers) {
  Story story;
  story.Open(FreshSpec(2, 3));
  for (int i = 0; i < 10; ++i) story.Submit("p", "f");
  story.StartAll();
  EXPECT_EQ(Busy(story), 2);
  EXPECT_EQ(Idle(story), 3);
}

TEST(FreshPool, ClonesTheNextWorkerWhenATaskIsHandedOutAndNotWhenItEnds) {
  Story story;
  story.Open(FreshSpec(1, 1));
  story.Submit("p", "f");
  story.Submit("p", "f");
  story.StartAll();
  const auto started = story.Pool("p").stats.workers_started;
  story.RunOne(WorkerOf(story, "args"));  // the second one is handed to the spare
  EXPECT_EQ(Busy(story), 1);
  EXPECT_EQ(story.Pool("p").stats.workers_started, started + 1);
}

TEST(FreshPool, CutsAMapIntoSingleItemsUnlessAskedOtherwise) {
  Story story;
  story.Open(FreshSpec(1, 1));
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", {"a", "b", "c"}).ok());
  std::uint32_t most = 0;
  story.processes.on_begin = [&](const FakeWorker&, const FakeWork& work, std::uint32_t) {
    most = std::max(most, work.limit);
  };
  for (int i = 0; i < 10; ++i) {
    story.RunAll();
    story.StartAll();
    story.EndAll();
  }
  EXPECT_TRUE(story.MapOf({2, 1}).done);
  EXPECT_EQ(most, 1u);
  story.chunk_size = 3;
  ASSERT_TRUE(story.Map({2, 2}, "p", "f", {"a", "b", "c"}).ok());
  for (int i = 0; i < 10; ++i) story.RunAll();
  EXPECT_TRUE(story.MapOf({2, 2}).done);
  EXPECT_EQ(most, 3u);
}

TEST(FreshPool, SurvivesATaskThatCrashes) {
  Story story;
  story.Open(FreshSpec(1, 0));
  const HandleId task = story.Submit("p", "f");
  const WorkerId worker = WorkerOf(story, "args");
  story.Begin(worker);
  story.Crash(worker);
  EXPECT_EQ(story.StateOf(task), TaskState::kCrashed);
  const HandleId next = story.Submit("p", "f");
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(story.StateOf(next), TaskState::kSucceeded);
}

TEST(FreshTask, RunsOnAWorkerThatRanNothingAndIsThenRecycled) {
  Story story;
  story.Open("p", 1);
  const WorkerId used = story.FirstWorker();
  story.Submit("p", "f");
  story.RunAll();
  const HandleId fresh = story.Submit("p", "f", FreshTask(), "fresh");
  EXPECT_TRUE(story.processes.workers.at(used).work.empty());
  story.StartAll();
  const WorkerId unused = WorkerOf(story, "fresh");
  ASSERT_NE(unused, used);
  EXPECT_TRUE(story.processes.workers.at(unused).stopping);
  story.RunOne(unused);
  story.EndAll();
  EXPECT_EQ(story.StateOf(fresh), TaskState::kSucceeded);
  EXPECT_EQ(story.processes.workers.size(), 1u);
  EXPECT_FALSE(story.processes.workers.at(used).stopping);
}

TEST(FreshTask, IsNotStarvedByAQueueThatNeverEmpties) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  story.RunAll(1000);
  for (int i = 0; i < 1000; ++i) story.Submit("p", "f");
  const HandleId fresh = story.Submit("p", "f", FreshTask(), "fresh");
  story.StartAll();
  for (int i = 0; i < 900 && story.StateOf(fresh) != TaskState::kSucceeded; ++i) {
    const WorkerId its = WorkerOf(story, "fresh");
    story.RunOne(its != WorkerId{} ? its : WorkerOf(story, "args"), true, 1000);
  }
  EXPECT_EQ(story.StateOf(fresh), TaskState::kSucceeded);
}

TEST(FreshTask, DoesNotHoldUpTheOthersWhileItsWorkerStarts) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  story.RunAll();
  story.Submit("p", "f", FreshTask(), "fresh");
  const HandleId other = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(other), TaskState::kSucceeded);
}

TEST(FreshTask, GetsAnotherWorkerWhenTheUnusedOneIsGivenSomethingMoreUrgent) {
  Story story;
  story.Open("p", 2);
  story.Submit("p", "f");  // both run something, so that a worker is started for the fresh task
  story.Submit("p", "f");
  const HandleId fresh = story.Submit("p", "f", FreshTask());
  TaskOptions urgent;
  urgent.priority = 5;
  std::vector<HandleId> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(story.Submit("p", "g", urgent));
  for (int i = 0; i < 20; ++i) {
    story.StartAll();
    story.EndAll();
    story.RunAll();
  }
  for (const HandleId task : tasks) EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  EXPECT_EQ(story.StateOf(fresh), TaskState::kSucceeded);
}

TEST(FreshPool, AChunkThatWasAskedForStaysInOneProcess) {
  Story story;
  story.Open(FreshSpec(2, 2));
  story.chunk_size = 5;
  std::set<WorkerId> used;
  story.processes.on_begin = [&](const FakeWorker& worker, const FakeWork&, std::uint32_t) { used.insert(worker.id); };
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", std::vector<std::string>(5, "x")).ok());
  story.StartAll();
  const WorkerId busy = WorkerOf(story, "x");
  for (int i = 0; i < 5 && !story.MapOf({2, 1}).done; ++i) {
    story.Pass(kSecond);  // idle ones see that it takes long
    story.RunOne(busy);
  }
  EXPECT_TRUE(story.MapOf({2, 1}).done);
  EXPECT_EQ(used.size(), 1u);
}

TEST(FreshTask, WaitsForMoreUrgentOnes) {
  Story story;
  story.Open("p", 1);
  const WorkerId used = story.FirstWorker();
  story.Submit("p", "f");
  const HandleId fresh = story.Submit("p", "f", FreshTask(/*priority=*/-1), "fresh");
  const HandleId urgent = story.Submit("p", "f");
  story.StartAll();
  story.RunOne(used);
  EXPECT_EQ(story.StateOf(fresh), TaskState::kQueued);
  EXPECT_EQ(story.StateOf(urgent), TaskState::kRunning);
  story.RunOne(used);
  EXPECT_EQ(story.StateOf(fresh), TaskState::kRunning);
}

TEST(FreshTask, ThatIsCancelledLeavesNoExtraWorkerBehind) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  story.RunAll();
  const HandleId fresh = story.Submit("p", "f", FreshTask());
  ASSERT_TRUE(*story.core.OnCancel(story.now, fresh, false));
  story.StartAll();
  story.EndAll();
  EXPECT_EQ(story.processes.workers.size(), 1u);
}

TEST(FreshTask, InAMapRunsEveryItemOnAWorkerOfItsOwn) {
  Story story;
  story.Open("p", 2);
  story.map_options.fresh = true;
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", {"a", "b", "c", "d", "e"}).ok());
  std::set<WorkerId> used;
  story.processes.on_begin = [&](const FakeWorker& worker, const FakeWork&, std::uint32_t) { used.insert(worker.id); };
  for (int i = 0; i < 20; ++i) {
    story.RunAll();
    story.StartAll();
    story.EndAll();
  }
  EXPECT_TRUE(story.MapOf({2, 1}).done);
  EXPECT_EQ(used.size(), 5u);
}

}  // namespace
}  // namespace poold::core::testing
