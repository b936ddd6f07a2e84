// Terminate with a grace, and close that cancels.
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Terminate, WithAGraceAsksFirst) {
  Story story;
  story.Open("p", 1);
  story.core.OnTerminate(story.now, story.NewCall(), "p", 5 * kSecond);
  EXPECT_TRUE(story.processes.workers.begin()->second.killed);
  EXPECT_EQ(story.processes.workers.begin()->second.grace, 5 * kSecond);
}

TEST(Terminate, ASecondTimeMayHastenItButNotDelayIt) {
  Story story;
  story.Open("p", 1);
  const SubscriberId first = story.NewCall();
  const SubscriberId second = story.NewCall();
  story.core.OnTerminate(story.now, first, "p", 5 * kSecond);
  FakeWorker& worker = story.processes.workers.begin()->second;
  story.core.OnTerminate(story.now, story.NewCall(), "p", 60 * kSecond);
  EXPECT_EQ(worker.grace, 5 * kSecond);
  story.core.OnTerminate(story.now, second, "p", 0);
  EXPECT_EQ(worker.grace, 0);
  story.EndAll();
  EXPECT_TRUE(story.clients.terminated.at(first).ok());
  EXPECT_TRUE(story.clients.terminated.at(second).ok());
}

TEST(Close, ThatCancelsEndsWhatHasNotBegunAndLetsTheRestFinish) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  story.RunAll(/*elapsed=*/1000);
  const HandleId running = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  const HandleId ahead = story.Submit("p", "f");
  ASSERT_EQ(story.processes.workers.begin()->second.work.size(), 2u);
  TaskOptions later;
  later.start_delay = kSecond;
  const HandleId delayed = story.Submit("p", "f", later);
  TaskOptions fresh;
  fresh.fresh = true;
  const HandleId queued = story.Submit("p", "f", fresh);
  EXPECT_EQ(*story.Close("p", /*cancel_queued=*/true), 3u);
  for (const HandleId task : {ahead, delayed, queued}) EXPECT_EQ(story.StateOf(task), TaskState::kCancelled);
  story.RunAll();
  EXPECT_EQ(story.StateOf(running), TaskState::kSucceeded);
  for (int i = 0; i < 3; ++i) story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
}

TEST(Close, ThatCancelsLeavesAMapWhatItRunsNow) {
  Story story;
  story.Open("p", 1);
  story.chunk_size = 3;
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", {"a", "b", "c"}).ok());
  ASSERT_TRUE(story.Map({2, 2}, "p", "f", {"d", "e"}).ok());
  story.Begin(story.FirstWorker());
  EXPECT_EQ(*story.Close("p", /*cancel_queued=*/true), 1u);
  EXPECT_TRUE(story.MapOf({2, 2}).done);
  EXPECT_FALSE(story.MapOf({2, 1}).done);
  story.RunAll();
  EXPECT_TRUE(story.MapOf({2, 1}).done);
  EXPECT_EQ(story.MapOf({2, 1}).done_items, 1u);
}

TEST(Close, ThatCancelsTriesNothingAgain) {
  Story story;
  story.Open("p", 2);
  TaskOptions again;
  again.max_attempts = 5;
  again.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed) | 1u << static_cast<unsigned>(TaskState::kCrashed);
  const HandleId fails = story.Submit("p", "f", again, "fails");
  const HandleId dies = story.Submit("p", "f", again, "dies");
  std::vector<WorkerId> busy;
  for (auto& [id, worker] : story.processes.workers) {
    story.Begin(id);
    const bool runs_first = worker.work.front().what.args.data.view() == "fails";
    busy.insert(runs_first ? busy.begin() : busy.end(), id);
  }
  EXPECT_EQ(*story.Close("p", /*cancel_queued=*/true), 0u);
  story.RunOne(busy.front(), /*succeeded=*/false);
  story.Crash(busy.back());
  EXPECT_EQ(story.StateOf(fails), TaskState::kFailed);
  EXPECT_EQ(story.StateOf(dies), TaskState::kCrashed);
  for (int i = 0; i < 3; ++i) story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
}

TEST(Close, ASecondTimeMayCancel) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  const HandleId queued = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  EXPECT_EQ(*story.Close("p"), 0u);
  EXPECT_EQ(*story.Close("p", /*cancel_queued=*/true), 1u);
  EXPECT_EQ(story.StateOf(queued), TaskState::kCancelled);
}

}  // namespace
}  // namespace poold::core::testing
