// Arguments can be looked at while they are kept.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

std::string ArgsOf(Story& story, HandleId id, std::uint64_t index = 0) {
  const absl::StatusOr<Payload> args = story.core.ViewArguments(id, index);
  return args.ok() ? std::string(args->data.view()) : ReasonOf(args.status());
}

TEST(Arguments, AreKeptUntilTheTaskEnds) {
  Story story;
  story.Open("p");
  const HandleId runs = story.Submit("p", "f", {}, "seven");
  const HandleId waits = story.Submit("p", "f", {}, "eight");
  EXPECT_EQ(ArgsOf(story, runs), "seven");
  EXPECT_EQ(ArgsOf(story, waits), "eight");
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(ArgsOf(story, runs), "ARGUMENTS_NOT_KEPT");
  EXPECT_EQ(ArgsOf(story, {7, 99}), "HANDLE_NOT_FOUND");
}

TEST(Arguments, OfWhatDidNotSucceedAreKeptWithItsOutcome) {
  Story story;
  story.Open("p");
  const HandleId failed = story.Submit("p", "f", {}, "seven");
  const HandleId cancelled = story.Submit("p", "f", {}, "eight");
  story.RunOne(story.FirstWorker(), false);
  ASSERT_TRUE(story.core.OnCancel(story.now, cancelled, true).ok());
  story.EndAll();
  EXPECT_EQ(ArgsOf(story, failed), "seven");
  EXPECT_EQ(ArgsOf(story, cancelled), "eight");
  story.core.OnRelease(story.now, failed);
  EXPECT_EQ(ArgsOf(story, failed), "HANDLE_RELEASED");
}

TEST(Arguments, CountAsPartOfTheOutcome) {
  Story story;
  story.Open("p");
  const HandleId task = story.Submit("p", "f", {}, std::string(10'000, 'x'));
  story.RunOne(story.FirstWorker(), false);
  EXPECT_GT(story.Pool("p").stats.kept_outcome_bytes, 20'000u);  // FakeProcesses fail with the arguments as words
  story.core.OnRelease(story.now, task);
  EXPECT_EQ(story.Pool("p").stats.kept_outcome_bytes, 0u);
}

TEST(Arguments, NeverFillTheRoomForOutcomes) {
  Limits limits;
  limits.max_kept_outcome_bytes = 100'000;
  Story story(limits);
  story.Open("p");
  TaskOptions late;
  late.start_delay = kSecond;
  std::vector<HandleId> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(story.Submit("p", "f", late, std::string(10'000, 'x')));
  for (const HandleId task : tasks) ASSERT_TRUE(story.core.OnCancel(story.now, task, false).ok());
  EXPECT_EQ(ArgsOf(story, tasks.front()).size(), 10'000u);
  EXPECT_EQ(ArgsOf(story, tasks.back()), "ARGUMENTS_NOT_KEPT");
  EXPECT_LT(story.Pool("p").stats.kept_outcome_bytes, 60'000u);
  EXPECT_EQ(story.StateOf(story.Submit("p", "f")), TaskState::kRunning);
}

TEST(Arguments, OfAMapAreThoseOfTheItem) {
  Story story;
  story.Open("p");
  story.chunk_size = 3;
  ASSERT_TRUE(story.Map(kMap, "p", "f", {"a", "bb", "ccc", "dddd"}).ok());
  EXPECT_EQ(ArgsOf(story, kMap, 1), "bb");
  story.RunOne(story.FirstWorker());
  story.RunOne(story.FirstWorker(), false);
  EXPECT_EQ(ArgsOf(story, kMap, 0), "ARGUMENTS_NOT_KEPT");
  EXPECT_EQ(ArgsOf(story, kMap, 1), "bb");
  EXPECT_EQ(ArgsOf(story, kMap, 3), "dddd");
  EXPECT_EQ(ArgsOf(story, kMap, 4), "ARGUMENTS_NOT_KEPT");
  story.RunAll();
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(ArgsOf(story, kMap, 1), "bb");
  EXPECT_EQ(ArgsOf(story, kMap, 2), "ARGUMENTS_NOT_KEPT");
  story.core.OnConsumed(story.now, kMap, 0, 4);
  EXPECT_EQ(ArgsOf(story, kMap, 1), "ARGUMENTS_NOT_KEPT");
  EXPECT_EQ(story.Pool("p").stats.kept_outcome_bytes, 0u);
}

TEST(Task, IsSmall) {
  // A million of them wait in 200 bytes each, beside their payload and what the tables need.
  EXPECT_LE(sizeof(Task) - sizeof(Payload), 200u);
}

}  // namespace
}  // namespace poold::core::testing
