// Reload: a new generation takes over without a pause, or is dropped.
#include "fakes.h"

namespace poold::core::testing {
namespace {

class Reload : public ::testing::Test {
 protected:
  SubscriberId Ask() {
    const SubscriberId call = story.NewCall();
    story.core.OnReload(story.now, call, "p");
    return call;
  }
  bool Answered(SubscriberId call) const { return story.clients.reloaded.contains(call); }
  // Workers that are ready and were not told to go.
  int Serving() const {
    int serving = 0;
    for (const auto& [id, worker] : story.processes.workers) {
      serving += worker.ready && !worker.stopping && !worker.killed;
    }
    return serving;
  }
  // Everything goes well until nothing more happens by itself.
  void Live() {
    for (int i = 0; i < 50; ++i) {
      story.StartAll();
      story.EndAll();
    }
  }
  Story story;
};

TEST_F(Reload, ReplacesEveryWorkerByOneOfTheNextGeneration) {
  story.Open("p", 3);
  const SubscriberId call = Ask();
  EXPECT_TRUE(story.Pool("p").reloading);
  EXPECT_EQ(story.processes.zygotes.size(), 2u);
  Live();
  ASSERT_TRUE(Answered(call));
  ASSERT_TRUE(story.clients.reloaded.at(call).ok());
  EXPECT_EQ(story.clients.reloaded.at(call)->generation, 2u);
  EXPECT_FALSE(story.Pool("p").reloading);
  EXPECT_EQ(story.Pool("p").stats.reloads, 1u);
  EXPECT_EQ(story.processes.workers.size(), 3u);
  for (const auto& [id, worker] : story.processes.workers) EXPECT_EQ(worker.generation, 2u);
  EXPECT_EQ(story.processes.zygotes.size(), 1u);
}

TEST_F(Reload, StopsAnOldWorkerOnlyWhenItsReplacementIsReady) {
  story.Open("p", 2);
  Ask();
  story.processes.ZygoteReady(story.now, {PoolId{1}, 2});
  EXPECT_EQ(story.processes.workers.size(), 3u);
  EXPECT_EQ(Serving(), 2);
  story.processes.WorkerReady(story.now, story.processes.workers.rbegin()->first);
  EXPECT_EQ(Serving(), 2);
  EXPECT_TRUE(story.processes.workers.begin()->second.stopping || (++story.processes.workers.begin())->second.stopping);
}

TEST_F(Reload, LetsBusyWorkersFinishWhatTheyRun) {
  story.Open("p", 1);
  const WorkerId old = story.FirstWorker();
  const HandleId running = story.Submit("p", "f");
  story.Begin(old);
  const SubscriberId call = Ask();
  Live();
  EXPECT_FALSE(Answered(call));
  EXPECT_FALSE(story.processes.workers.at(old).stopping);
  story.RunOne(old);
  EXPECT_EQ(story.StateOf(running), TaskState::kSucceeded);
  EXPECT_TRUE(story.processes.workers.at(old).stopping);
  Live();
  EXPECT_TRUE(Answered(call));
}

TEST_F(Reload, TheFirstOldWorkerThatIsDoneGoesWhileTheOthersRunOn) {
  story.Open("p", 2);
  story.Submit("p", "f");
  story.Submit("p", "f");
  const WorkerId slow = story.FirstWorker();
  const WorkerId quick = story.processes.workers.rbegin()->first;
  story.Begin(slow);
  story.Begin(quick);
  const HandleId next = story.Submit("p", "f");
  Ask();
  story.StartAll();
  story.RunOne(quick);
  EXPECT_TRUE(story.processes.workers.at(quick).stopping);
  EXPECT_FALSE(story.processes.workers.at(slow).stopping);
  for (const auto& [id, worker] : story.processes.workers) {
    if (id != slow && !worker.work.empty()) {
      story.RunOne(id);
      break;
    }
  }
  EXPECT_EQ(story.StateOf(next), TaskState::kSucceeded);
}

TEST_F(Reload, WhoseZygoteDoesNotStartIsRolledBackWithItsWords) {
  story.Open("p", 2);
  const SubscriberId call = Ask();
  for (std::uint32_t number = 2; number <= 5; ++number) {
    EXPECT_FALSE(Answered(call));
    story.processes.ZygoteDies(story.now, {PoolId{1}, number}, "undefined symbol: f");
    story.Pass(2 * kSecond);
  }
  ASSERT_TRUE(Answered(call));
  const absl::Status status = story.clients.reloaded.at(call).status();
  EXPECT_EQ(ReasonOf(status), "RELOAD_FAILED");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("undefined symbol: f"), absl::string_view::npos) << status;
  const PoolView pool = story.Pool("p");
  EXPECT_EQ(pool.state, PoolState::kRunning);
  EXPECT_EQ(pool.reload_failure, "undefined symbol: f");
  EXPECT_EQ(pool.stats.rollbacks, 1u);
  EXPECT_EQ(pool.generation, 1u);
  EXPECT_FALSE(pool.reloading);
  const HandleId task = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST_F(Reload, WhoseWorkersDoNotStartIsRolledBackAndTheOldOnesServedAllTheWhile) {
  story.Open("p", 2);
  const SubscriberId call = Ask();
  story.processes.ZygoteReady(story.now, {PoolId{1}, 2});
  for (int tries = 0; tries < 4; ++tries) {
    EXPECT_FALSE(Answered(call));
    EXPECT_EQ(Serving(), 2);
    story.processes.Die(story.now, story.processes.workers.rbegin()->first, 6, "bad initializer");
    story.Pass(2 * kSecond);
  }
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(call).status()), "RELOAD_FAILED");
  Live();
  EXPECT_EQ(Serving(), 2);
  EXPECT_EQ(story.processes.zygotes.size(), 1u);
}

TEST_F(Reload, RolledBackHalfwayFillsUpWithTheOldGeneration) {
  story.Open("p", 2);
  const SubscriberId call = Ask();
  story.processes.ZygoteReady(story.now, {PoolId{1}, 2});
  story.processes.WorkerReady(story.now, story.processes.workers.rbegin()->first);
  story.EndAll();  // one of two is replaced
  for (int tries = 0; tries < 4; ++tries) {
    story.processes.Die(story.now, story.processes.workers.rbegin()->first, 6, "bad initializer");
    story.Pass(2 * kSecond);
    EXPECT_GE(Serving(), 2);
  }
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(call).status()), "RELOAD_FAILED");
  Live();
  EXPECT_EQ(story.processes.workers.size(), 2u);
  for (const auto& [id, worker] : story.processes.workers) EXPECT_EQ(worker.generation, 1u);
}

TEST_F(Reload, ASecondOneWaitsForTheFirstAndThenBeginsItsOwn) {
  story.Open("p", 1);
  const SubscriberId first = Ask();
  const SubscriberId second = Ask();
  const SubscriberId third = Ask();
  while (!Answered(first)) {
    story.StartAll();
    story.EndAll();
  }
  EXPECT_FALSE(Answered(second));
  Live();
  EXPECT_EQ(story.clients.reloaded.at(second)->generation, 3u);
  EXPECT_EQ(story.clients.reloaded.at(third)->generation, 3u);
  EXPECT_EQ(story.Pool("p").stats.reloads, 2u);
}

TEST_F(Reload, OfAPoolThatStartsBeginsWhenItRuns) {
  story.AskOpen(SpecOf("p", 1));
  const SubscriberId call = Ask();
  EXPECT_EQ(story.processes.zygotes.size(), 1u);
  Live();
  EXPECT_EQ(story.clients.reloaded.at(call)->generation, 2u);
}

TEST_F(Reload, ThatIsUnderWayEndsWithAnErrorWhenThePoolIsClosed) {
  story.Open("p", 1);
  const SubscriberId call = Ask();
  story.StartAll();
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(call).status()), "POOL_NOT_RUNNING");
  story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
  EXPECT_TRUE(story.processes.zygotes.empty());
}

TEST_F(Reload, ThatIsUnderWayEndsWithAnErrorWhenThePoolIsTerminated) {
  story.Open("p", 1);
  const SubscriberId call = Ask();
  const SubscriberId later = Ask();
  story.core.OnTerminate(story.now, story.NewCall(), "p");
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(call).status()), "POOL_NOT_RUNNING");
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(later).status()), "POOL_NOT_RUNNING");
  story.EndAll();
  EXPECT_TRUE(story.processes.zygotes.empty());
}

TEST_F(Reload, OfAPoolThatIsNotThereOrEndsIsRefused) {
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(Ask()).status()), "POOL_NOT_FOUND");
  story.Open("p", 1);
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_EQ(ReasonOf(story.clients.reloaded.at(Ask()).status()), "POOL_NOT_RUNNING");
}

TEST_F(Reload, BringsNewFunctionsAndTakesOldOnesWhenItIsThrough) {
  story.Open("p", 1);
  const WorkerId old = story.FirstWorker();
  story.Submit("p", "f");
  story.Begin(old);
  story.processes.functions = {"f", "added"};
  Ask();
  story.StartAll();
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "added")), "FUNCTION_NOT_FOUND");  // an old worker could get it
  story.RunOne(old);
  Live();
  EXPECT_TRUE(story.SubmitAs({1, 2}, "p", "added").ok());
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 3}, "p", "g")), "FUNCTION_NOT_FOUND");
}

// What ends because nobody has its function any more takes room, too.
TEST(ReloadWithoutRoom, SendsNothingWhenTheOutcomesOfUnknownFunctionsFillIt) {
  Limits limits;
  limits.max_kept_outcome_bytes = 2000;
  Story story(limits);
  story.Open("p", 1);
  const WorkerId old = story.FirstWorker();
  story.Submit("p", "g");
  story.Begin(old);
  std::vector<HandleId> gone;
  for (int i = 0; i < 20; ++i) gone.push_back(story.Submit("p", "f"));
  const HandleId last = story.Submit("p", "g");
  story.core.OnReload(story.now, story.NewCall(), "p");
  story.processes.functions = {"g"};
  story.StartAll();
  story.RunOne(old);
  EXPECT_EQ(story.StateOf(gone.front()), TaskState::kFailed);
  EXPECT_EQ(story.StateOf(gone.back()), TaskState::kQueued);
  EXPECT_LE(story.Pool("p").stats.kept_outcome_bytes, 3000u);
  for (const HandleId task : gone) {
    if (task != gone.back()) story.core.OnRelease(story.now, task);
  }
  EXPECT_EQ(story.StateOf(gone.back()), TaskState::kFailed);
  EXPECT_EQ(story.StateOf(last), TaskState::kRunning);
}

TEST_F(Reload, ThatMeetsAShortageIsTriedAgainWhileTheOldGenerationWorks) {
  story.Open("p", 1);
  const SubscriberId call = Ask();
  for (int i = 0; i < 100; ++i) {
    story.processes.ZygoteDies(story.now, story.processes.zygotes.rbegin()->first, "no memory", LossCause::kResources);
    story.Pass(5 * kSecond);
  }
  EXPECT_TRUE(story.Pool("p").reloading);
  EXPECT_NE(story.Pool("p").start_failure.find("no memory"), std::string::npos);
  const HandleId task = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  EXPECT_FALSE(Answered(call));
  Live();
  ASSERT_TRUE(Answered(call));
  EXPECT_TRUE(story.clients.reloaded.at(call).ok());
}

}  // namespace
}  // namespace poold::core::testing
