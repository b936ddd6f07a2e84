// Lists of what the daemon knows, page by page.
#include <set>

#include "fakes.h"

namespace poold::core::testing {
namespace {

HandleId IdOf(const HandleView& view) {
  return std::holds_alternative<TaskView>(view) ? std::get<TaskView>(view).id : std::get<MapView>(view).id;
}

std::vector<HandleId> ListAll(Story& story, const TaskFilter& filter = {}, std::size_t page_size = 100) {
  std::vector<HandleId> ids;
  std::uint64_t from = 0;
  do {
    const TaskPage page = story.core.ViewTasks(filter, from, page_size);
    EXPECT_LE(page.entries.size(), page_size);
    for (const HandleView& view : page.entries) ids.push_back(IdOf(view));
    from = page.next;
  } while (from != 0);
  return ids;
}

std::uint32_t Bit(TaskState state) { return 1u << static_cast<unsigned>(state); }

TEST(List, IsInTheOrderOfSubmission) {
  Story story;
  story.Open("p");
  const HandleId first = story.Submit("p", "f");
  ASSERT_TRUE(story.Map(kMap, "p", "g", {"a", "b"}).ok());
  const HandleId last = story.Submit("p", "f");
  EXPECT_EQ(ListAll(story), (std::vector<HandleId>{first, kMap, last}));
  EXPECT_EQ(ListAll(story, {}, 1), (std::vector<HandleId>{first, kMap, last}));
}

TEST(List, FiltersByPoolFunctionStateAndClient) {
  Story story;
  story.Open("p");
  story.Open("q");
  const HandleId runs = story.Submit("p", "f");
  const HandleId waits = story.Submit("p", "g");
  const HandleId elsewhere = story.Submit("q", "f");
  story.client = ClientId{2};
  const HandleId others = story.Submit("p", "f");
  TaskFilter filter;
  filter.pool = "q";
  EXPECT_EQ(ListAll(story, filter), std::vector{elsewhere});
  filter = {};
  filter.function = "g";
  EXPECT_EQ(ListAll(story, filter), std::vector{waits});
  filter = {};
  filter.states = Bit(TaskState::kRunning);
  EXPECT_EQ(ListAll(story, filter), (std::vector{runs, elsewhere}));
  filter = {};
  filter.clients = {ClientId{2}, ClientId{77}};
  EXPECT_EQ(ListAll(story, filter), std::vector{others});
  filter.pool = "q";
  EXPECT_TRUE(ListAll(story, filter).empty());
}

TEST(List, KnowsTheStateOfAMap) {
  Story story;
  story.Open("p");
  const auto in_state = [&](TaskState state) {
    TaskFilter filter;
    filter.states = Bit(state);
    return ListAll(story, filter).size();
  };
  story.chunk_size = 1;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {}, false).ok());
  EXPECT_EQ(in_state(TaskState::kQueued), 1u);
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a"}).ok());
  EXPECT_EQ(in_state(TaskState::kRunning), 1u);
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(in_state(TaskState::kSucceeded), 1u);
  ASSERT_TRUE(story.Map({9, 2}, "p", "f", {"a", "b"}).ok());
  story.RunOne(story.FirstWorker(), false);
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(in_state(TaskState::kFailed), 1u);
  ASSERT_TRUE(story.Map({9, 3}, "p", "f", {"a", "b"}).ok());
  story.RunOne(story.FirstWorker(), false);
  ASSERT_TRUE(story.core.OnCancel(story.now, {9, 3}, false).ok());
  story.RunAll();
  EXPECT_EQ(in_state(TaskState::kCancelled), 1u);
}

TEST(List, NeitherRepeatsNorSkipsWhileTasksComeAndGo) {
  Story story;
  story.Open("p");
  std::vector<HandleId> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(story.Submit("p", "f"));
  story.RunAll(1000);
  std::vector<HandleId> seen;
  std::uint64_t from = 0;
  for (int round = 0;; ++round) {
    const TaskPage page = story.core.ViewTasks({}, from, 7);
    for (const HandleView& view : page.entries) seen.push_back(IdOf(view));
    if ((from = page.next) == 0) break;
    if (round < 60) story.Submit("p", "f");
    story.core.OnRelease(story.now, seen.back());  // behind us
    const std::size_t ahead = seen.size() + 100;
    if (ahead < tasks.size()) story.core.OnRelease(story.now, tasks[ahead]);
  }
  EXPECT_EQ(std::set<HandleId>(seen.begin(), seen.end()).size(), seen.size());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));  // ids of a story count up
  EXPECT_GT(seen.size(), 500u);
}

TEST(List, LooksAtABoundedNumberOfHandlesForOnePage) {
  Story story;
  story.Open("p");
  for (int i = 0; i < 20'000; ++i) story.Submit("p", "f");
  const HandleId wanted = story.Submit("p", "g");
  TaskFilter filter;
  filter.function = "g";
  const TaskPage page = story.core.ViewTasks(filter, 0, 100);
  EXPECT_TRUE(page.entries.empty());
  EXPECT_NE(page.next, 0u);
  EXPECT_EQ(ListAll(story, filter), std::vector{wanted});
}

TEST(List, CarriesNoResultAndNoOutput) {
  Story story;
  story.Open("p");
  const HandleId good = story.Submit("p", "f", {}, "a large result");
  story.RunOne(story.FirstWorker());
  story.Submit("p", "f", {}, "it failed");
  const AttemptToken token = story.processes.workers.at(story.FirstWorker()).work.front().what.token;
  story.core.OnOutput(story.now, story.FirstWorker(), token, OutputStream::kStdout, Bytes(std::string("chatter")));
  story.RunOne(story.FirstWorker(), false);
  const TaskPage page = story.core.ViewTasks({}, 0, 10);
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.next, 0u);
  const TaskView& first = std::get<TaskView>(page.entries[0]);
  EXPECT_EQ(first.outcome->state, TaskState::kSucceeded);
  EXPECT_TRUE(first.outcome->result.data.empty());
  EXPECT_EQ(story.OutcomeOf(good).result.data.view(), "a large result");
  const TaskView& second = std::get<TaskView>(page.entries[1]);
  EXPECT_EQ(second.outcome->detail->failure->message, "it failed");
  EXPECT_TRUE(second.outcome->detail->stdout_tail.empty());
}

TEST(List, ForgetsWhatWasReleased) {
  Story story;
  story.Open("p");
  const HandleId runs = story.Submit("p", "f");
  const HandleId waits = story.Submit("p", "f");
  story.core.OnRelease(story.now, runs);
  EXPECT_EQ(ListAll(story), std::vector{waits});
}

}  // namespace
}  // namespace poold::core::testing
