// Why a task waits, and what became of its attempts.
#include <gmock/gmock.h>

#include "fakes.h"

namespace poold::core::testing {
namespace {

using ::testing::HasSubstr;

Explanation About(Story& story, HandleId id) { return *story.core.Explain(story.now, id); }

TEST(Explain, SaysNothingOfWhatRunsOrHasEnded) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  EXPECT_EQ(About(story, task).waits_for, "");
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(About(story, task).waits_for, "");
  EXPECT_EQ(ReasonOf(story.core.Explain(story.now, {7, 999}).status()), "HANDLE_NOT_FOUND");
}

TEST(Explain, CountsWhatComesBefore) {
  Story story;
  story.Open("p", 4);
  std::vector<HandleId> tasks;
  for (int i = 0; i < 317; ++i) tasks.push_back(story.Submit("p", "f"));
  const Explanation last = About(story, tasks.back());
  EXPECT_EQ(last.ahead, 312u);
  EXPECT_EQ(last.waits_for, "all 4 workers that are ready are busy and 312 tasks come before it");
  EXPECT_EQ(About(story, tasks[4]).waits_for, "all 4 workers that are ready are busy; it comes next");
}

TEST(Explain, CountsPrioritiesAndTurnsOfOtherClients) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  for (int i = 0; i < 10; ++i) story.Submit("p", "f");
  TaskOptions urgent;
  urgent.priority = 5;
  for (int i = 0; i < 3; ++i) story.Submit("p", "f", urgent);
  story.client = ClientId{2};
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  EXPECT_EQ(About(story, first).ahead, 3u + 1u);
  EXPECT_EQ(About(story, second).ahead, 3u + 2u + 1u);
}

TEST(Explain, CountsTheItemsOfAMapThatComesBefore) {
  Story story;
  story.Open("p");
  story.chunk_size = 10;
  ASSERT_TRUE(story.Map(kMap, "p", "f", std::vector<std::string>(110, "x")).ok());
  const HandleId own = story.Submit("p", "f");
  EXPECT_EQ(About(story, own).ahead, 100u);
  story.client = ClientId{2};
  EXPECT_EQ(About(story, story.Submit("p", "f")).ahead, 10u);
}

TEST(Explain, KnowsThePlaceInAVeryLongLineNearly) {
  Story story;
  story.Open("p");
  std::vector<HandleId> tasks;
  for (int i = 0; i < 50'000; ++i) tasks.push_back(story.Submit("p", "f"));
  EXPECT_EQ(About(story, tasks.back()).ahead, 49'998u);
  EXPECT_NEAR(static_cast<double>(About(story, tasks[25'000]).ahead), 25'000.0, 10.0);
}

TEST(Explain, TellsTheStartTimeAndTheBackOff) {
  Story story;
  story.Open("p");
  TaskOptions later;
  later.start_delay = 3200 * kMillisecond;
  EXPECT_EQ(About(story, story.Submit("p", "f", later)).waits_for, "its start time comes in 3.2 s");
  TaskOptions again;
  again.max_attempts = 3;
  again.retry_delay = again.max_retry_delay = 400 * kMillisecond;
  again.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  const HandleId task = story.Submit("p", "f", again);
  story.RunOne(story.FirstWorker(), false);
  EXPECT_THAT(About(story, task).waits_for, HasSubstr("it is tried again in 0."));
  EXPECT_THAT(About(story, task).waits_for, HasSubstr("after attempt 1"));
}

TEST(Explain, RepeatsWhatAStartingWorkerSaid) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  const HandleId task = story.Submit("p", "f");
  EXPECT_EQ(About(story, task).waits_for, "pool 'p' is starting");
  story.processes.ZygoteReady(story.now, story.processes.zygotes.begin()->first);
  story.processes.Die(story.now, story.FirstWorker(), 6, "no such file: model.bin");
  EXPECT_THAT(About(story, task).waits_for, HasSubstr("the last start failed: no such file: model.bin"));
  EXPECT_THAT(About(story, task).waits_for, HasSubstr("tried again in"));
}

TEST(Explain, TellsThatTheRoomForOutcomesIsFull) {
  Limits limits;
  limits.max_kept_outcome_bytes = 100;
  Story story(limits);
  story.Open("p");
  story.Submit("p", "f");
  story.RunOne(story.FirstWorker());
  EXPECT_THAT(About(story, story.Submit("p", "f")).waits_for, HasSubstr("release outcomes"));
}

TEST(Explain, TellsBehindWhatATaskWasSentAhead) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(1000);
  std::vector<HandleId> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(story.Submit("p", "f"));
  EXPECT_EQ(About(story, tasks[3]).waits_for, "it was sent ahead to worker 1, behind 3 others");
  EXPECT_EQ(About(story, tasks[1]).waits_for, "it was sent ahead to worker 1, behind 1 other");
}

TEST(Explain, TellsThatThePoolIsClosing) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  const HandleId task = story.Submit("p", "f");
  ASSERT_TRUE(story.Close("p").ok());
  EXPECT_THAT(About(story, task).waits_for, HasSubstr("closing"));
}

TEST(Explain, TellsWhatAMapWaitsFor) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a"}, false).ok());
  EXPECT_EQ(About(story, kMap).waits_for, "its worker is busy; it comes next");
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(About(story, kMap).waits_for, "");
  story.RunOne(story.FirstWorker());
  EXPECT_THAT(About(story, kMap).waits_for, HasSubstr("it waits for more"));
}

TEST(Attempts, OfATaskThatSucceededAtOnceTellWhereItRan) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const Nanos began = story.now;
  EXPECT_EQ(About(story, task).attempts.at(0).state, TaskState::kRunning);
  story.Pass(kSecond);
  story.RunOne(story.FirstWorker());
  const auto attempts = About(story, task).attempts;
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].number, 1u);
  EXPECT_EQ(attempts[0].worker, story.FirstWorker());
  EXPECT_EQ(attempts[0].pid, 1001);
  EXPECT_EQ(attempts[0].generation, 1u);
  EXPECT_EQ(attempts[0].started_at, began);
  EXPECT_EQ(attempts[0].ended_at, story.now);
  EXPECT_EQ(attempts[0].state, TaskState::kSucceeded);
}

TEST(Attempts, TellHowEachOneEnded) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.max_attempts = 4;
  options.retry_delay = 0;
  options.retry_on |= 1u << static_cast<unsigned>(TaskState::kFailed);
  const HandleId task = story.Submit("p", "f", options, "no luck\nat all");
  story.RunOne(story.FirstWorker(), false);
  story.Pass(kMillisecond);
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  story.StartAll();
  story.Pass(kMillisecond);
  story.RunOne(story.FirstWorker());
  const auto attempts = About(story, task).attempts;
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[0].state, TaskState::kFailed);
  EXPECT_EQ(attempts[0].reason, "Error: no luck");
  EXPECT_EQ(attempts[1].state, TaskState::kCrashed);
  EXPECT_EQ(attempts[1].reason, "its worker ended with signal 11, by a fault of its own");
  EXPECT_EQ(attempts[1].number, 2u);
  EXPECT_EQ(attempts[2].state, TaskState::kSucceeded);
  EXPECT_NE(attempts[2].worker, attempts[1].worker);
}

TEST(Attempts, AreTheLatestSixteen) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.max_attempts = 40;
  options.retry_delay = 0;
  options.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  const HandleId task = story.Submit("p", "f", options);
  for (int i = 0; i < 40; ++i) {
    story.RunOne(story.FirstWorker(), false);
    story.Pass(kMillisecond);
  }
  const auto attempts = About(story, task).attempts;
  ASSERT_EQ(attempts.size(), 16u);
  EXPECT_EQ(attempts.front().number, 25u);
  EXPECT_EQ(attempts.back().number, 40u);
}

TEST(Attempts, DoNotCountWhatWasOnlySentAhead) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(1000);
  story.Submit("p", "f");
  const HandleId behind = story.Submit("p", "f");
  EXPECT_TRUE(About(story, behind).attempts.empty());
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  EXPECT_TRUE(About(story, behind).attempts.empty());
  story.StartAll();
  story.RunAll(1000);
  EXPECT_EQ(About(story, behind).attempts.size(), 1u);
}

TEST(Explain, SaysThatWorkersAreMissingForWantOfSomething) {
  Story story;
  story.Open("p", 2);
  story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  const HandleId third = story.Submit("p", "f");
  (void)second;
  story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "killed", LossCause::kOutsider);
  story.processes.Die(story.now, story.FirstWorker(), 9);
  story.processes.ZygoteDies(story.now, story.processes.zygotes.begin()->first, "Too many open files",
                             LossCause::kResources);
  const std::string why = story.core.Explain(story.now, third)->waits_for;
  EXPECT_NE(why.find("the last start failed: Too many open files (a shortage, and no fault of the pool)"),
            std::string::npos)
      << why;
  EXPECT_NE(why.find("it is tried again in 0.1 s"), std::string::npos) << why;
}

}  // namespace
}  // namespace poold::core::testing
