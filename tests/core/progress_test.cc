// Tasks that tell how far they are.
#include "fakes.h"

namespace poold::core::testing {
namespace {

AttemptToken TokenOf(Story& story) { return story.processes.workers.at(story.FirstWorker()).work.front().what.token; }

void Report(Story& story, double fraction, const std::string& text, std::uint32_t item = 0) {
  story.core.OnProgress(story.now, story.FirstWorker(), TokenOf(story), item, fraction, text);
}

std::vector<ProgressEvent> SeenBy(Story& story, SubscriberId watcher) {
  std::vector<ProgressEvent> seen;
  for (const WatchEvent& event : story.clients.events[watcher]) {
    if (const auto* progress = std::get_if<ProgressEvent>(&event)) seen.push_back(*progress);
  }
  return seen;
}

TEST(Progress, IsShownByWhoeverAsksForTheTask) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  EXPECT_FALSE(std::get<TaskView>(*story.core.ViewHandle(task)).progress.has_value());
  Report(story, 0.25, "a quarter");
  Report(story, 0.5, "half");
  const TaskView view = std::get<TaskView>(*story.core.ViewHandle(task));
  ASSERT_TRUE(view.progress.has_value());
  EXPECT_EQ(view.progress->fraction, 0.5);
  EXPECT_EQ(view.progress->text, "half");
}

TEST(Progress, ReachesThoseWhoWatchTheTaskOrItsPool) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const HandleId ids[] = {task};
  const SubscriberId of_task = story.NewCall();
  const SubscriberId of_pool = story.NewCall();
  ASSERT_TRUE(story.core.OnWatch(story.now, of_task, ids, "", false).ok());
  ASSERT_TRUE(story.core.OnWatch(story.now, of_pool, {}, "p", false).ok());
  Report(story, 0.75, "soon");
  for (const SubscriberId watcher : {of_task, of_pool}) {
    const auto seen = SeenBy(story, watcher);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].id, task);
    EXPECT_EQ(seen[0].progress.text, "soon");
  }
}

TEST(Progress, ReachesASessionOnlyIfItAskedForWhatTheTaskSays) {
  Story story;
  story.Open("p");
  TaskOptions loud;
  loud.stream_output = true;
  const HandleId task = story.Submit("p", "f", loud);
  Report(story, 0.5, "half");
  ASSERT_EQ(story.clients.progressed[story.stream].size(), 1u);
  EXPECT_EQ(story.clients.progressed[story.stream][0].id, task);
  story.RunOne(story.FirstWorker());
  story.Submit("p", "f");
  Report(story, 0.5, "half");
  EXPECT_EQ(story.clients.progressed[story.stream].size(), 1u);
}

TEST(Progress, OfAMapNamesTheItem) {
  Story story;
  story.Open("p");
  story.chunk_size = 2;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "b", "c", "d"}).ok());
  story.RunOne(story.FirstWorker());
  story.RunOne(story.FirstWorker());
  const SubscriberId watcher = story.NewCall();
  const HandleId ids[] = {kMap};
  ASSERT_TRUE(story.core.OnWatch(story.now, watcher, ids, "", false).ok());
  Report(story, 0.5, "the last one", 1);
  const auto seen = SeenBy(story, watcher);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].progress.index, 3u);
}

TEST(Progress, ThatMakesNoSenseIsMadeToMakeSome) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const auto fraction = [&] { return std::get<TaskView>(*story.core.ViewHandle(task)).progress->fraction; };
  Report(story, 7, "far beyond");
  EXPECT_EQ(fraction(), 1);
  Report(story, std::numeric_limits<double>::quiet_NaN(), "who knows");
  EXPECT_EQ(fraction(), -1);
  Report(story, 0.5, std::string(1023, 'x') + "é, and a novel");
  EXPECT_EQ(std::get<TaskView>(*story.core.ViewHandle(task)).progress->text, std::string(1023, 'x'));
}

TEST(Progress, OfAnEarlierAttemptIsForgotten) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.max_attempts = 2;
  options.retry_delay = 0;
  const HandleId task = story.Submit("p", "f", options);
  Report(story, 0.9, "nearly");
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  story.StartAll();
  story.Pass(kMillisecond);
  ASSERT_EQ(story.StateOf(task), TaskState::kRunning);
  EXPECT_FALSE(std::get<TaskView>(*story.core.ViewHandle(task)).progress.has_value());
}

TEST(Progress, AfterTheEndIsNoProgress) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f");
  const AttemptToken token = TokenOf(story);
  story.RunOne(story.FirstWorker());
  story.core.OnProgress(story.now, WorkerId{1}, token, 0, 0.5, "too late");
  EXPECT_FALSE(std::get<TaskView>(*story.core.ViewHandle(task)).progress.has_value());
}

TEST(View, OfATaskSaysWhoseItIsAndWhereItRuns) {
  Story story;
  story.Open("p");
  TaskOptions options;
  options.priority = 7;
  const HandleId first = story.Submit("p", "f", options);
  const HandleId second = story.Submit("p", "f", options);
  TaskView view = std::get<TaskView>(*story.core.ViewHandle(first));
  EXPECT_EQ(view.client, story.client);
  EXPECT_EQ(view.submitted_at, story.now);
  EXPECT_EQ(view.started_at, story.now);
  EXPECT_EQ(view.worker, story.FirstWorker());
  EXPECT_EQ(view.attempt, 1u);
  EXPECT_EQ(view.priority, 7);
  view = std::get<TaskView>(*story.core.ViewHandle(second));
  EXPECT_EQ(view.worker, WorkerId{});
  EXPECT_EQ(view.started_at, 0);
  EXPECT_EQ(view.attempt, 0u);
  EXPECT_EQ(story.Pool("p").workers[0].running, first);
}

TEST(View, OfAMapCountsTheItemsThatRun) {
  Story story;
  story.Open("p", 2);
  story.chunk_size = 2;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "b", "c", "d", "e"}).ok());
  EXPECT_EQ(story.MapOf(kMap).running_items, 4u);
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(story.MapOf(kMap).running_items, 3u);
  EXPECT_EQ(story.MapOf(kMap).client, story.client);
}

}  // namespace
}  // namespace poold::core::testing
