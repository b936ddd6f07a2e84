// What is told of the end of a worker, and of what its task wrote last.
#include "fakes.h"

namespace poold::core::testing {
namespace {

void Say(Story& story, const std::string& words) {
  const WorkerId worker = story.FirstWorker();
  const AttemptToken token = story.processes.workers.at(worker).work.front().what.token;
  story.core.OnOutput(story.now, worker, token, OutputStream::kStderr, Bytes(words));
}

const Outcome* ItemOutcome(Story& story, std::uint64_t index) {
  for (const ItemBlockPtr& block : story.clients.blocks[story.stream][kMap]) {
    for (const auto& [other, outcome] : block->others) {
      if (other == index) return outcome.get();
    }
  }
  return nullptr;
}

TEST(Certificate, CarriesWhatTheProcessSideKnows) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const WorkerId worker = story.FirstWorker();
  WorkerLoss loss;
  loss.has_guilty = true;
  loss.guilty = story.processes.workers.at(worker).work.front().what.token;
  loss.death.signal = 9;
  loss.death.killed_by = KilledBy::kKernel;
  loss.death.backtrace = "main\nsquare";
  story.processes.workers.erase(worker);
  story.core.OnWorkerLost(story.now, worker, std::move(loss));
  const DeathCertificate& death = *story.OutcomeOf(task).detail->death;
  EXPECT_EQ(death.killed_by, KilledBy::kKernel);
  EXPECT_EQ(death.backtrace, "main\nsquare");
  EXPECT_EQ(death.worker, worker);
  EXPECT_EQ(death.pid, 1001);
  EXPECT_EQ(death.generation, 1u);
}

TEST(Certificate, OfAnItemHasTheLastWordsOfThatItem) {
  Story story;
  story.Open("p");
  story.chunk_size = 4;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "b", "c", "d"}).ok());
  Say(story, "words of a");
  story.RunOne(story.FirstWorker());
  Say(story, "words of b");
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  ASSERT_NE(ItemOutcome(story, 1), nullptr);
  EXPECT_EQ(ItemOutcome(story, 1)->detail->stderr_tail, "words of b");
  EXPECT_EQ(ItemOutcome(story, 1)->detail->death->signal, 11);
}

TEST(Certificate, OfASilentItemHasNotTheWordsOfAnother) {
  Story story;
  story.Open("p");
  story.chunk_size = 2;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "b"}).ok());
  Say(story, "words of a");
  story.RunOne(story.FirstWorker());
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  EXPECT_EQ(ItemOutcome(story, 1)->detail->stderr_tail, "");
}

TEST(Item, ThatFailsHasItsOwnWordsAttemptAndTimes) {
  Story story;
  story.Open("p");
  story.chunk_size = 3;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "b", "c"}).ok());
  const Nanos arrived = story.now;
  Say(story, "words of a");
  story.RunOne(story.FirstWorker());
  story.Pass(kMillisecond);
  const Nanos began = story.now;
  Say(story, "words of b");
  story.Pass(kMillisecond);
  story.RunOne(story.FirstWorker(), false);
  const Outcome& outcome = *ItemOutcome(story, 1);
  EXPECT_EQ(outcome.detail->stderr_tail, "words of b");
  EXPECT_EQ(outcome.attempt, 1u);
  EXPECT_EQ(outcome.submitted_at, arrived);
  EXPECT_EQ(outcome.started_at, began - kMillisecond);  // when the one before it was done
  EXPECT_EQ(outcome.ended_at, story.now);
}

}  // namespace
}  // namespace poold::core::testing
