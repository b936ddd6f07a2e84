// Pools open, fail, close and end.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Pool, RunsWhenAllItsWorkersAreReady) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 2));
  story.processes.ZygoteReady(story.now, story.processes.zygotes.begin()->first);
  ASSERT_EQ(story.processes.workers.size(), 2u);
  story.processes.WorkerReady(story.now, story.FirstWorker());
  EXPECT_EQ(story.Pool("p").state, PoolState::kStarting);
  EXPECT_FALSE(story.clients.opened.contains(call));
  story.StartAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  EXPECT_TRUE(story.clients.opened.at(call).second);
}

TEST(Pool, OpenedAgainWithTheSameSpecIsTheAnswer) {
  Story story;
  story.Open("p", 1);
  const SubscriberId again = story.AskOpen(SpecOf("p", 1));
  EXPECT_TRUE(story.clients.opened.at(again).first.ok());
  EXPECT_FALSE(story.clients.opened.at(again).second);
}

TEST(Pool, OpenedAgainWithAnotherSpecIsRefused) {
  Story story;
  story.Open("p", 1);
  const SubscriberId other = story.AskOpen(SpecOf("p", 2));
  EXPECT_EQ(ReasonOf(story.clients.opened.at(other).first.status()), "POOL_EXISTS");
}

TEST(Pool, WithZeroWorkersIsRefused) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 0));
  EXPECT_EQ(DetailOf(story.clients.opened.at(call).first.status()).subject, "spec.workers");
}

TEST(Pool, AnUnknownOneIsNamed) {
  Story story;
  story.Open("default");
  const absl::Status status = story.SubmitAs({1, 1}, "defualt", "f");
  EXPECT_EQ(ReasonOf(status), "POOL_NOT_FOUND");
  EXPECT_NE(status.message().find("'defualt'"), absl::string_view::npos) << status;
}

TEST(Pool, WhoseWorkersCannotStartFailsWithTheirWordsAfterThreeMoreTries) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 2));
  const HandleId waiting = story.Submit("p", "f");
  story.processes.ZygoteReady(story.now, {PoolId{1}, 1});
  for (const Nanos pause : {100 * kMillisecond, 400 * kMillisecond, 1600 * kMillisecond}) {
    while (!story.processes.workers.empty()) story.processes.Die(story.now, story.FirstWorker(), 6, "bad initializer");
    EXPECT_EQ(story.Pool("p").state, PoolState::kStarting);
    story.Pass(pause);
    EXPECT_EQ(story.processes.workers.size(), 2u);
  }
  story.processes.Die(story.now, story.FirstWorker(), 6, "bad initializer");
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  EXPECT_EQ(ReasonOf(story.clients.opened.at(call).first.status()), "POOL_FAILED");
  EXPECT_EQ(story.OutcomeOf(waiting).state, TaskState::kCancelled);
  EXPECT_NE(story.OutcomeOf(waiting).detail->failure->message.find("bad initializer"), std::string::npos);
  const absl::Status later = story.SubmitAs({1, 1}, "p", "f");
  EXPECT_EQ(ReasonOf(later), "POOL_FAILED");
  EXPECT_NE(later.message().find("bad initializer"), absl::string_view::npos);
}

TEST(Pool, ThatFailedMayBeOpenedAnew) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  for (int i = 0; i < 4; ++i) {
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "no such module");
    story.Pass(2 * kSecond);
  }
  ASSERT_EQ(story.Pool("p").state, PoolState::kFailed);
  story.Open("p", 1);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

TEST(Pool, ThatFailedIsForgottenWhenSomebodySaysSo) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  for (int i = 0; i < 4; ++i) {
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "no such module");
    story.Pass(2 * kSecond);
  }
  ASSERT_EQ(story.Pool("p").state, PoolState::kFailed);
  const SubscriberId kept = story.NewCall();
  story.core.OnTerminate(story.now, kept, "p");
  EXPECT_EQ(*story.clients.terminated.at(kept), 0u);
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed) << "it is still shown";
  const SubscriberId forgotten = story.NewCall();
  story.core.OnTerminate(story.now, forgotten, "p", 0, /*forget=*/true);
  EXPECT_TRUE(story.clients.terminated.at(forgotten).ok());
  EXPECT_TRUE(story.core.ViewPools().empty());
  EXPECT_EQ(ReasonOf(story.core.ViewPool("p").status()), "POOL_NOT_FOUND");
}

TEST(Pool, ThatRunsIsForgottenWhenItsLastProcessIsGone) {
  Story story;
  story.Open("p", 1);
  const HandleId task = story.Submit("p", "f");
  const SubscriberId call = story.NewCall();
  story.core.OnTerminate(story.now, call, "p", 0, /*forget=*/true);
  EXPECT_EQ(story.Pool("p").state, PoolState::kTerminating);
  story.EndAll();
  EXPECT_EQ(*story.clients.terminated.at(call), 1u);
  EXPECT_EQ(ReasonOf(story.core.ViewPool("p").status()), "POOL_NOT_FOUND");
  EXPECT_EQ(story.StateOf(task), TaskState::kCancelled) << "its outcomes stay";
  story.Open("p", 1);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

TEST(Pool, ReplacesAWorkerThatDiesAtOnce) {
  Story story;
  story.Open("p", 2);
  story.Crash(story.FirstWorker());
  EXPECT_EQ(story.processes.workers.size(), 2u);
  EXPECT_EQ(story.Pool("p").stats.workers_lost, 1u);
}

TEST(Pool, RestartsAZygoteThatDiesAndItsWorkersGoOn) {
  Story story;
  story.Open("p", 1);
  const HandleId task = story.Submit("p", "f");
  story.processes.ZygoteDies(story.now, {PoolId{1}, 1}, "killed");
  EXPECT_TRUE(story.processes.zygotes.contains({PoolId{1}, 2}));
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST(Pool, WhoseZygoteDiesAtEveryCloneFailsAfterThreeMoreTries) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 1));
  for (std::uint32_t number = 1; number <= 4; ++number) {
    EXPECT_EQ(story.Pool("p").state, PoolState::kStarting);
    story.processes.ZygoteReady(story.now, {PoolId{1}, number});
    story.processes.ZygoteDies(story.now, {PoolId{1}, number}, "zygote does not answer");
    story.processes.Die(story.now, story.FirstWorker(), 9, "zygote does not answer");
    story.Pass(2 * kSecond);
  }
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  EXPECT_EQ(ReasonOf(story.clients.opened.at(call).first.status()), "POOL_FAILED");
}

// What is started fails for ten minutes, for want of something.
void BeShort(Story& story, LossCause cause) {
  const Nanos end = story.now + 600 * kSecond;
  while (story.now < end) {
    if (!story.processes.zygotes.empty() && !story.processes.zygotes.rbegin()->second.ready) {
      story.processes.ZygoteDies(story.now, story.processes.zygotes.rbegin()->first, "Too many open files", cause);
    }
    std::vector<WorkerId> starting;
    for (const auto& [id, worker] : story.processes.workers) {
      if (!worker.ready) starting.push_back(id);
    }
    for (const WorkerId id : starting) story.processes.Die(story.now, id, 0, "Too many open files", cause);
    story.Pass(kSecond);
  }
}

TEST(Pool, ThatRanOutlivesAShortageOfTenMinutesWithItsQueue) {
  for (const LossCause cause : {LossCause::kResources, LossCause::kOutsider, LossCause::kItself}) {
    Story story;
    story.Open("p", 2);
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "killed", LossCause::kOutsider);
    story.processes.Die(story.now, story.FirstWorker(), 9);
    const HandleId queued = story.Submit("p", "f");
    const HandleId behind = story.Submit("p", "f");
    BeShort(story, cause);
    EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
    EXPECT_EQ(story.processes.workers.size(), 1u) << "the worker that lives goes on";
    EXPECT_NE(story.Pool("p").start_failure.find("Too many open files"), std::string::npos);
    story.Pass(5 * kSecond);
    story.StartAll();
    EXPECT_EQ(story.Pool("p").start_failure, "");
    EXPECT_EQ(story.processes.workers.size(), 2u);
    story.RunAll();
    EXPECT_EQ(story.StateOf(queued), TaskState::kSucceeded);
    EXPECT_EQ(story.StateOf(behind), TaskState::kSucceeded);
  }
}

TEST(Pool, ThatNeverRanWaitsForTheEndOfAShortage) {
  for (const LossCause cause : {LossCause::kResources, LossCause::kOutsider}) {
    Story story;
    const SubscriberId call = story.AskOpen(SpecOf("p", 1));
    const HandleId queued = story.Submit("p", "f");
    BeShort(story, cause);
    EXPECT_EQ(story.Pool("p").state, PoolState::kStarting);
    EXPECT_FALSE(story.clients.opened.contains(call));
    story.Pass(5 * kSecond);
    story.StartAll();
    EXPECT_TRUE(story.clients.opened.at(call).first.ok());
    story.RunAll();
    EXPECT_EQ(story.StateOf(queued), TaskState::kSucceeded);
  }
}

TEST(Pool, AShortageDoesNotForgiveFaultsOfItsOwn) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(story.Pool("p").state, PoolState::kStarting);
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "no memory", LossCause::kResources);
    story.Pass(5 * kSecond);
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "no such module");
    story.Pass(5 * kSecond);
  }
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
}

TEST(Pool, PausesBetweenTriesGrowToFiveSecondsAndNoFurther) {
  Story story;
  story.Open("p", 1);
  story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "killed", LossCause::kOutsider);
  std::vector<Nanos> pauses;
  for (int i = 0; i < 6; ++i) {
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "short", LossCause::kResources);
    pauses.push_back(story.core.NextTimer() - story.now);
    story.Pass(pauses.back());
  }
  EXPECT_EQ(pauses, (std::vector<Nanos>{100 * kMillisecond, 400 * kMillisecond, 1600 * kMillisecond, 5 * kSecond,
                                        5 * kSecond, 5 * kSecond}));
}

TEST(Pool, ThatIsClosingAndCannotStartAnythingFailsForFaultsOfItsOwn) {
  Story story;
  story.Open("p", 1);
  story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "killed", LossCause::kOutsider);
  story.processes.Die(story.now, story.FirstWorker(), 9);
  const HandleId queued = story.Submit("p", "f");
  ASSERT_TRUE(story.Close("p").ok());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(story.Pool("p").state, PoolState::kClosing);
    story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "no such module");
    story.Pass(5 * kSecond);
  }
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  EXPECT_EQ(story.StateOf(queued), TaskState::kCancelled);
}

TEST(Pool, CloseFinishesWhatIsQueuedAndRefusesWhatIsNew) {
  Story story;
  story.Open("p", 1);
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  ASSERT_TRUE(story.Close("p").ok());
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f")), "POOL_NOT_RUNNING");
  const SubscriberId join = story.NewCall();
  story.core.OnJoin(story.now, join, "p", kSecond);
  story.RunAll();
  EXPECT_EQ(story.StateOf(first), TaskState::kSucceeded);
  EXPECT_EQ(story.StateOf(second), TaskState::kSucceeded);
  EXPECT_FALSE(story.clients.joined.contains(join));
  story.EndAll();
  EXPECT_TRUE(*story.clients.joined.at(join));
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
}

TEST(Pool, JoinOfARunningOneIsRefused) {
  Story story;
  story.Open("p", 1);
  const SubscriberId join = story.NewCall();
  story.core.OnJoin(story.now, join, "p", kSecond);
  EXPECT_EQ(ReasonOf(story.clients.joined.at(join).status()), "POOL_STILL_RUNNING");
}

TEST(Pool, JoinWhoseWaitEndsFirstSaysNotDone) {
  Story story;
  story.Open("p", 1);
  story.Submit("p", "f");
  ASSERT_TRUE(story.Close("p").ok());
  const SubscriberId join = story.NewCall();
  story.core.OnJoin(story.now, join, "p", kSecond);
  story.Pass(2 * kSecond);
  EXPECT_FALSE(*story.clients.joined.at(join));
}

TEST(Pool, TerminateEndsEverythingNowAndAnswersWhenTheProcessesAreGone) {
  Story story;
  story.Open("p", 1);
  const HandleId running = story.Submit("p", "f");
  const HandleId queued = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  const SubscriberId first = story.NewCall();
  const SubscriberId second = story.NewCall();
  story.core.OnTerminate(story.now, first, "p");
  story.core.OnTerminate(story.now, second, "p");
  EXPECT_EQ(story.StateOf(running), TaskState::kCancelled);
  EXPECT_EQ(story.StateOf(queued), TaskState::kCancelled);
  EXPECT_TRUE(story.clients.terminated.empty());
  story.EndAll();
  EXPECT_EQ(*story.clients.terminated.at(first), 2u);
  EXPECT_TRUE(story.clients.terminated.at(second).ok());
  EXPECT_EQ(story.Pool("p").state, PoolState::kTerminated);
}

TEST(Pool, RecyclesAWorkerAfterItsLastTaskAndStartsTheNextBefore) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_tasks_per_worker = 2;
  story.Open(spec);
  const WorkerId first = story.FirstWorker();
  story.Submit("p", "f");
  story.RunAll();
  story.Submit("p", "f");
  EXPECT_TRUE(story.processes.workers.at(first).stopping);
  EXPECT_EQ(story.processes.workers.size(), 2u);
  const HandleId third = story.Submit("p", "f");
  EXPECT_EQ(story.processes.workers.at(first).work.size(), 1u);
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(story.StateOf(third), TaskState::kSucceeded);
}

TEST(Pool, ShutdownClosesAllAndTellsWhenTheLastIsGone) {
  Story story;
  story.Open("p", 1);
  story.Open("q", 1);
  story.core.OnShutdown(story.now);
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f")), "SHUTTING_DOWN");
  EXPECT_EQ(story.clients.all_gone, 0);
  story.EndAll();
  EXPECT_EQ(story.clients.all_gone, 1);
}

TEST(PoolDeathTest, ATransitionThatNobodyMayMakeAborts) {
  Story story;
  story.Open("p", 1);
  CoreTestPeer peer(&story.core);
  EXPECT_DEATH(peer.MovePool("p", PoolState::kStarting), "does not follow");
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_DEATH(peer.MovePool("p", PoolState::kRunning), "does not follow");
}

}  // namespace
}  // namespace poold::core::testing
