// A worker's death costs exactly what ran there.
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(WorkerDeath, OfSixtyFourTasksSentAheadCostsOne) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(1000);
  std::vector<HandleId> tasks;
  for (int i = 0; i < 64; ++i) tasks.push_back(story.Submit("p", "f"));
  const WorkerId worker = story.FirstWorker();
  EXPECT_GT(story.processes.workers.at(worker).work.size(), 30u);
  for (int i = 0; i < 20; ++i) story.RunOne(worker, true, 1000);
  story.Begin(worker);
  story.Crash(worker);
  EXPECT_EQ(story.StateOf(tasks[20]), TaskState::kCrashed);
  EXPECT_EQ(story.OutcomeOf(tasks[20]).detail->death->signal, 11);
  EXPECT_EQ(story.OutcomeOf(tasks[20]).detail->stderr_tail, "last words");
  story.StartAll();
  story.RunAll(1000);
  for (int i = 0; i < 64; ++i) {
    if (i == 20) continue;
    EXPECT_EQ(story.StateOf(tasks[i]), TaskState::kSucceeded) << i;
    EXPECT_EQ(story.OutcomeOf(tasks[i]).attempt, 1u) << i;
  }
}

TEST(WorkerDeath, ByItsOwnFaultOrByAnOutsiderIsTold) {
  Story story;
  story.Open("p");
  const HandleId own = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker(), 11);
  story.StartAll();
  const HandleId other = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker(), 9);
  EXPECT_EQ(story.OutcomeOf(own).detail->death->killed_by, KilledBy::kItself);
  EXPECT_EQ(story.OutcomeOf(other).detail->death->killed_by, KilledBy::kOutsider);
}

TEST(WorkerDeath, ThreeTimesUnderOneTaskSetsItAside) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.max_attempts = 10;
  const HandleId task = story.Submit("p", "f", options);
  for (int i = 0; i < 3; ++i) {
    story.Begin(story.FirstWorker());
    story.Crash(story.FirstWorker());
    story.StartAll();
    story.Pass(kSecond);
  }
  EXPECT_EQ(story.StateOf(task), TaskState::kCrashed);
  EXPECT_TRUE(story.OutcomeOf(task).detail->poison);
  EXPECT_EQ(story.OutcomeOf(task).attempt, 3u);
}

TEST(WorkerDeath, RunsWhatWasNotBegunElsewhereAndFirst) {
  Story story;
  story.Open("p");
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.Crash(story.FirstWorker());
  story.StartAll();
  EXPECT_EQ(story.StateOf(first), TaskState::kRunning);
  EXPECT_EQ(story.StateOf(second), TaskState::kQueued);
}

}  // namespace
}  // namespace poold::core::testing
