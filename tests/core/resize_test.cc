// Pools grow and shrink.
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Resize, GrowsAtOnce) {
  Story story;
  story.Open("p", 1);
  const absl::StatusOr<PoolView> pool = story.core.OnResize(story.now, "p", 3);
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(pool->spec.workers, 3u);
  EXPECT_EQ(story.processes.workers.size(), 3u);
}

TEST(Resize, ShrinksByIdleWorkersFirst) {
  Story story;
  story.Open("p", 3);
  story.Submit("p", "f");
  WorkerId busy{};
  for (const auto& [id, worker] : story.processes.workers) {
    if (!worker.work.empty()) busy = id;
  }
  ASSERT_TRUE(story.core.OnResize(story.now, "p", 1).ok());
  for (const auto& [id, worker] : story.processes.workers) EXPECT_EQ(worker.stopping, id != busy);
  story.EndAll();
  story.RunAll();
  EXPECT_EQ(story.processes.workers.size(), 1u);
}

TEST(Resize, LetsBusyWorkersEndWhatTheyRunAndGivesTheRestToOthers) {
  Story story;
  story.Open("p", 2);
  // Known to be short, so that it is sent ahead.
  story.Submit("p", "f");
  story.RunAll(/*elapsed=*/1000);
  std::vector<HandleId> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(story.Submit("p", "f"));
  for (auto& [id, worker] : story.processes.workers) {
    story.Begin(id);
    ASSERT_GT(worker.work.size(), 1u);
  }
  ASSERT_TRUE(story.core.OnResize(story.now, "p", 1).ok());
  int stopping = 0;
  for (const auto& [id, worker] : story.processes.workers) {
    if (!worker.stopping) continue;
    ++stopping;
    EXPECT_EQ(worker.work.size(), 1u);  // what it runs
  }
  EXPECT_EQ(stopping, 1);
  story.RunAll(1000);
  story.EndAll();
  EXPECT_EQ(story.processes.workers.size(), 1u);
  for (const HandleId task : tasks) EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST(Resize, OpenWithTheSpecAsItWasOpenedOrAsItIsNowIsTheSamePool) {
  Story story;
  story.Open("p", 1);
  ASSERT_TRUE(story.core.OnResize(story.now, "p", 2).ok());
  story.StartAll();
  for (const std::uint32_t workers : {1, 2}) {
    const SubscriberId again = story.AskOpen(SpecOf("p", workers));
    ASSERT_TRUE(story.clients.opened.at(again).first.ok());
    EXPECT_FALSE(story.clients.opened.at(again).second);
  }
  const SubscriberId other = story.AskOpen(SpecOf("p", 3));
  EXPECT_EQ(ReasonOf(story.clients.opened.at(other).first.status()), "POOL_EXISTS");
}

TEST(Resize, OfAPoolThatStartsCountsAtOnce) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 2));
  story.processes.ZygoteReady(story.now, {PoolId{1}, 1});
  story.processes.WorkerReady(story.now, story.FirstWorker());
  ASSERT_TRUE(story.core.OnResize(story.now, "p", 1).ok());
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  EXPECT_TRUE(story.clients.opened.at(call).first.ok());
}

TEST(Resize, ToZeroOrTooManyOrOfAClosedPoolIsRefused) {
  Story story;
  story.Open("p", 1);
  EXPECT_EQ(DetailOf(story.core.OnResize(story.now, "p", 0).status()).subject, "workers");
  EXPECT_EQ(DetailOf(story.core.OnResize(story.now, "p", 4097).status()).subject, "workers");
  EXPECT_EQ(ReasonOf(story.core.OnResize(story.now, "q", 1).status()), "POOL_NOT_FOUND");
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_EQ(ReasonOf(story.core.OnResize(story.now, "p", 2).status()), "POOL_NOT_RUNNING");
}

}  // namespace
}  // namespace poold::core::testing
