// Get, Wait, Watch, Subscribe, Release, time to live.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Get, WithoutAWaitAnswersAtOnce) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const SubscriberId call = story.NewCall();
  story.core.OnGet(story.now, call, task, 0);
  EXPECT_EQ(std::get<TaskView>(*story.clients.gets.at(call)).outcome, nullptr);
}

TEST(Get, WaitsForTheOutcomeAndNotLonger) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const SubscriberId late = story.NewCall();
  const SubscriberId call = story.NewCall();
  story.core.OnGet(story.now, late, task, kSecond);
  story.core.OnGet(story.now, call, task, kNever);
  story.Pass(kSecond);
  EXPECT_EQ(std::get<TaskView>(*story.clients.gets.at(late)).state, TaskState::kRunning);
  EXPECT_FALSE(story.clients.gets.contains(call));
  story.RunAll();
  EXPECT_EQ(std::get<TaskView>(*story.clients.gets.at(call)).state, TaskState::kSucceeded);
}

TEST(Get, ThatIsUnderWayIsAnsweredAlsoAfterARelease) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const SubscriberId call = story.NewCall();
  story.core.OnGet(story.now, call, task, kNever);
  EXPECT_TRUE(story.core.OnRelease(story.now, task));
  const SubscriberId later = story.NewCall();
  story.core.OnGet(story.now, later, task, kNever);
  EXPECT_EQ(ReasonOf(story.clients.gets.at(later).status()), "HANDLE_RELEASED");
  story.RunAll();
  EXPECT_EQ(std::get<TaskView>(*story.clients.gets.at(call)).state, TaskState::kSucceeded);
}

TEST(Wait, IsOverByItsMode) {
  Story story;
  story.Open("p");
  const HandleId ids[] = {story.Submit("p", "f"), story.Submit("p", "f"), story.Submit("p", "f")};
  const HandleId asked[] = {ids[2], ids[0], ids[1], ids[0]};
  const SubscriberId first = story.NewCall();
  const SubscriberId bad = story.NewCall();
  const SubscriberId all = story.NewCall();
  story.core.OnWait(story.now, first, asked, WaitMode::kFirstCompleted, kNever);
  story.core.OnWait(story.now, bad, asked, WaitMode::kFirstException, kNever);
  story.core.OnWait(story.now, all, asked, WaitMode::kAllCompleted, kNever);
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(story.clients.waits.at(first)->done, (std::vector<HandleId>{ids[0]}));
  EXPECT_EQ(story.clients.waits.at(first)->not_done, (std::vector<HandleId>{ids[2], ids[1]}));
  EXPECT_TRUE(story.clients.waits.at(first)->first);
  EXPECT_FALSE(story.clients.waits.contains(bad));
  story.RunOne(story.FirstWorker(), false);
  EXPECT_EQ(story.clients.waits.at(bad)->done.size(), 2u);
  EXPECT_TRUE(story.clients.waits.at(bad)->first);
  EXPECT_FALSE(story.clients.waits.contains(all));
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(story.clients.waits.at(all)->done, (std::vector<HandleId>{ids[2], ids[0], ids[1]}));
  EXPECT_FALSE(story.clients.waits.at(all)->first);
}

TEST(Wait, WithAnUnknownIdFails) {
  Story story;
  story.Open("p");
  const HandleId asked[] = {story.Submit("p", "f"), {1, 99}};
  const SubscriberId call = story.NewCall();
  story.core.OnWait(story.now, call, asked, WaitMode::kAllCompleted, kNever);
  EXPECT_EQ(ReasonOf(story.clients.waits.at(call).status()), "HANDLE_NOT_FOUND");
}

TEST(Watch, TellsTheStatesAndEndsWithTheLastHandle) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const SubscriberId call = story.NewCall();
  ASSERT_TRUE(story.core.OnWatch(story.now, call, {&task, 1}, "", false).ok());
  EXPECT_EQ(std::get<TaskView>(story.clients.events[call][0]).state, TaskState::kRunning);
  story.RunAll();
  EXPECT_EQ(std::get<TaskView>(story.clients.events[call].back()).state, TaskState::kSucceeded);
  EXPECT_EQ(story.clients.watch_ends[call], 1);
}

TEST(Watch, OfAPoolSeesItsTasksAndEndsWithIt) {
  Story story;
  story.Open("p");
  const SubscriberId call = story.NewCall();
  ASSERT_TRUE(story.core.OnWatch(story.now, call, {}, "p", true).ok());
  story.Submit("p", "f");
  story.RunAll();
  EXPECT_GE(story.clients.events[call].size(), 4u);
  ASSERT_TRUE(story.Close("p").ok());
  story.EndAll();
  EXPECT_EQ(story.clients.watch_ends[call], 1);
}

TEST(Subscriber, ThatCameLaterHearsAnOutcomeThatIsKept) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  story.RunAll();
  ASSERT_TRUE(story.core.OnSubscribe(story.now, SubscriberId{77}, task).ok());
  EXPECT_EQ(story.clients.outcomes[SubscriberId{77}][task].size(), 1u);
}

TEST(Subscriber, ThatAsksTwiceHearsAnOutcomeOnceUnlessItWasThereAlready) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  ASSERT_TRUE(story.core.OnSubscribe(story.now, SubscriberId{77}, task).ok());
  ASSERT_TRUE(story.core.OnSubscribe(story.now, SubscriberId{77}, task).ok());
  ASSERT_TRUE(story.core.OnSubscribe(story.now, story.stream, task).ok());
  story.RunAll();
  EXPECT_EQ(story.clients.outcomes[SubscriberId{77}][task].size(), 1u);
  EXPECT_EQ(story.clients.outcomes[story.stream][task].size(), 1u);
  // It has dropped what it heard, and asks once more.
  ASSERT_TRUE(story.core.OnSubscribe(story.now, SubscriberId{77}, task).ok());
  ASSERT_TRUE(story.core.OnSubscribe(story.now, story.stream, task).ok());
  EXPECT_EQ(story.clients.outcomes[SubscriberId{77}][task].size(), 2u);
  EXPECT_EQ(story.clients.outcomes[story.stream][task].size(), 2u);
}

TEST(Subscriber, ThatIsGoneHearsNothingAndItsTaskGoesOn) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  story.core.OnSubscriberGone(story.now, story.stream);
  story.RunAll();
  EXPECT_TRUE(story.clients.outcomes.empty());
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST(Outcome, IsForgottenAfterItsTimeToLive) {
  Limits limits;
  limits.outcome_ttl = 10 * kSecond;
  Story story(limits);
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  story.RunAll();
  story.Pass(9 * kSecond);
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  story.Pass(2 * kSecond);
  EXPECT_EQ(ReasonOf(story.core.ViewHandle(task).status()), "HANDLE_RELEASED");
}

TEST(Outcome, OfOldReleasedIdsIsNotRememberedForEver) {
  Limits limits;
  limits.remembered_ids = 1;
  Story story(limits);
  story.Open("p");
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.RunAll();
  story.core.OnRelease(story.now, first);
  story.core.OnRelease(story.now, second);
  EXPECT_EQ(ReasonOf(story.core.ViewHandle(first).status()), "HANDLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(story.core.ViewHandle(second).status()), "HANDLE_RELEASED");
  story.core.OnSubscriberGone(story.now, story.stream);
  EXPECT_EQ(CoreTestPeer(&story.core).Leftovers(), "workers: 1; ");
}

}  // namespace
}  // namespace poold::core::testing
