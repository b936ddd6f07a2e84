// Long work goes slice by slice, and nobody sees that it is not over yet.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

constexpr std::size_t kSliceOfTest = 10;
constexpr std::size_t kTasks = 95;

Limits Sliced() {
  Limits limits;
  limits.slice = kSliceOfTest;
  return limits;
}

class UnfinishedTest : public ::testing::Test {
 protected:
  UnfinishedTest() {
    story_.Open("p", 1);
    for (std::size_t i = 0; i < kTasks; ++i) tasks_.push_back(story_.Submit("p", "f"));
  }

  std::size_t Outcomes() const {
    const auto heard = story_.clients.outcomes.find(story_.stream);
    return heard == story_.clients.outcomes.end() ? 0 : heard->second.size();
  }
  bool Unfinished() const { return story_.core.NextTimer() <= story_.now; }
  // Returns how many ticks that took.
  int Finish() {
    int ticks = 0;
    for (; Unfinished(); ++ticks) {
      const std::size_t before = Outcomes();
      story_.core.OnTick(story_.now);
      EXPECT_LE(Outcomes() - before, kSliceOfTest);
    }
    return ticks;
  }

  Story story_{Sliced()};
  std::vector<HandleId> tasks_;
};

TEST_F(UnfinishedTest, ATerminateIsDoneInSlices) {
  const SubscriberId call = story_.NewCall();
  story_.core.OnTerminate(story_.now, call, "p");
  EXPECT_LE(Outcomes(), kSliceOfTest);
  EXPECT_TRUE(Unfinished());
  for (int i = 0; i < 3; ++i) story_.EndAll();
  EXPECT_FALSE(story_.clients.terminated.contains(call));
  EXPECT_GE(Finish(), 5);
  EXPECT_EQ(Outcomes(), kTasks);
  EXPECT_EQ(*story_.clients.terminated.at(call), kTasks);
  EXPECT_EQ(story_.Pool("p").state, PoolState::kTerminated);
}

TEST_F(UnfinishedTest, WhatWasNotReachedSaysThatItIsCancelled) {
  story_.core.OnTerminate(story_.now, story_.NewCall(), "p");
  const PoolStats stats = story_.Pool("p").stats;
  EXPECT_EQ(stats.queued + stats.running + stats.queued_bytes, 0u);
  EXPECT_EQ(stats.cancelled, kTasks);

  EXPECT_EQ(story_.StateOf(tasks_[kTasks - 1]), TaskState::kCancelled);
  const SubscriberId get = story_.NewCall();
  story_.core.OnGet(story_.now, get, tasks_[kTasks - 2], kSecond);
  EXPECT_EQ(std::get<TaskView>(*story_.clients.gets.at(get)).state, TaskState::kCancelled);
  const SubscriberId wait = story_.NewCall();
  story_.core.OnWait(story_.now, wait, std::span(tasks_).subspan(kTasks - 6, 4), WaitMode::kAllCompleted, kSecond);
  EXPECT_EQ(story_.clients.waits.at(wait)->done.size(), 4u);
  EXPECT_TRUE(*story_.core.OnCancel(story_.now, tasks_[kTasks - 7], /*running=*/false));
  EXPECT_TRUE(story_.core.OnRelease(story_.now, tasks_[kTasks - 8]));

  TaskFilter alive;
  alive.states = 1u << static_cast<unsigned>(TaskState::kQueued) | 1u << static_cast<unsigned>(TaskState::kRunning);
  EXPECT_TRUE(story_.core.ViewTasks(alive, 0, 1000).entries.empty());
  Finish();
  EXPECT_EQ(story_.Pool("p").stats.cancelled, kTasks);
}

TEST_F(UnfinishedTest, FromTheFirstSliceOnThePoolTakesAndSendsNothing) {
  story_.Begin(story_.FirstWorker());
  const std::size_t sent = story_.processes.workers.begin()->second.work.size();
  const SubscriberId close = story_.NewCall();
  story_.core.OnClose(story_.now, close, "p", /*cancel_queued=*/true);
  EXPECT_EQ(ReasonOf(story_.SubmitAs({9, 9}, "p", "f")), "POOL_NOT_RUNNING");
  story_.RunOne(story_.FirstWorker());
  EXPECT_LT(story_.processes.workers.begin()->second.work.size(), sent + 1);
  EXPECT_TRUE(story_.processes.workers.begin()->second.work.empty());
  EXPECT_FALSE(story_.clients.closed.contains(close));
  Finish();
  EXPECT_EQ(*story_.clients.closed.at(close), kTasks - 1);
  EXPECT_EQ(story_.StateOf(tasks_[0]), TaskState::kSucceeded);
  for (int i = 0; i < 3; ++i) story_.EndAll();
  EXPECT_EQ(story_.Pool("p").state, PoolState::kClosed);
}

TEST_F(UnfinishedTest, AWorkerThatDiesMeanwhileReturnsNothing) {
  story_.core.OnTerminate(story_.now, story_.NewCall(), "p");
  story_.Crash(story_.FirstWorker());
  Finish();
  EXPECT_EQ(story_.StateOf(tasks_[0]), TaskState::kCancelled);
  EXPECT_EQ(story_.Pool("p").stats.cancelled, kTasks);
}

TEST_F(UnfinishedTest, WhoLeavesTheCoreDoesASlice) {
  story_.core.OnClose(story_.now, story_.NewCall(), "p", /*cancel_queued=*/true);
  const std::size_t before = Outcomes();
  EXPECT_LE(story_.core.OnLeave(story_.now), story_.now);  // the event did its slice
  EXPECT_EQ(Outcomes(), before);
  EXPECT_LE(story_.core.OnLeave(story_.now), story_.now);
  EXPECT_EQ(Outcomes(), before + kSliceOfTest);
}

TEST_F(UnfinishedTest, ManyTimersThatAreDueAtOnceFireInSlices) {
  TaskOptions soon;
  soon.queue_timeout = kSecond;
  for (std::size_t i = 0; i < kTasks; ++i) story_.Submit("p", "f", soon);
  story_.now += kSecond;
  EXPECT_GE(Finish(), 9);
  EXPECT_EQ(story_.Pool("p").stats.expired, kTasks);
}

TEST(UnfinishedWork, ManyWorkersGetTheirsInSlices) {
  constexpr std::uint32_t kWorkers = 35;
  Story story(Sliced());
  const SubscriberId call = story.AskOpen(SpecOf("p", kWorkers));
  for (std::uint32_t i = 0; i < kWorkers; ++i) story.Submit("p", "f");
  story.processes.ZygoteReady(story.now, story.processes.zygotes.rbegin()->first);
  for (std::uint32_t i = 1; i <= kWorkers; ++i) story.processes.WorkerReady(story.now, WorkerId{i});
  for (std::uint32_t i = 0; i < 3 * kWorkers; ++i) story.Submit("p", "f");
  story.now += kMillisecond;
  while (story.core.NextTimer() <= story.now) story.core.OnTick(story.now);
  EXPECT_TRUE(story.clients.opened.at(call).first.ok());
  for (const auto& [id, worker] : story.processes.workers) EXPECT_FALSE(worker.work.empty());
  story.RunAll();
  EXPECT_EQ(story.Pool("p").stats.succeeded, 4 * kWorkers);
  EXPECT_LE(CoreTestPeer(&story.core).most_steps(), kSliceOfTest + 2 * Limits().max_prefetch + 1 + kWorkers);
}

TEST(UnfinishedWork, UnknownFunctionsAreRefusedInSlices) {
  Story story(Sliced());
  story.AskOpen(SpecOf("p", 1));
  std::vector<HandleId> tasks;
  for (std::size_t i = 0; i < kTasks; ++i) tasks.push_back(story.Submit("p", "nothing"));
  const HandleId last = story.Submit("p", "f");
  story.processes.ZygoteReady(story.now, story.processes.zygotes.rbegin()->first);
  story.processes.WorkerReady(story.now, WorkerId{1});
  EXPECT_EQ(story.StateOf(tasks[0]), TaskState::kFailed);
  EXPECT_EQ(story.StateOf(tasks[kTasks - 1]), TaskState::kQueued);
  int ticks = 0;
  for (; story.core.NextTimer() <= story.now; ++ticks) story.core.OnTick(story.now);
  EXPECT_GE(ticks, 9);
  EXPECT_EQ(story.StateOf(tasks[kTasks - 1]), TaskState::kFailed);
  story.RunAll();
  EXPECT_EQ(story.StateOf(last), TaskState::kSucceeded);
}

TEST_F(UnfinishedTest, OldOutcomesAreForgottenInSlices) {
  story_.core.OnTerminate(story_.now, story_.NewCall(), "p");
  Finish();
  story_.now += 3600 * kSecond;
  for (std::size_t left = kTasks; left > 0;) {
    story_.core.OnTick(story_.now);
    const std::size_t now_left = story_.Pool("p").stats.kept_outcomes;
    EXPECT_LE(left - now_left, kSliceOfTest);
    ASSERT_LT(now_left, left);
    left = now_left;
  }
}

}  // namespace
}  // namespace poold::core::testing
