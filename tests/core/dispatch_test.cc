// Who runs what, and how much is sent ahead.
#include "fakes.h"

namespace poold::core::testing {
namespace {

std::vector<std::string> Waiting(const FakeWorker& worker) {
  std::vector<std::string> names;
  for (const FakeWork& work : worker.work) names.push_back(std::string(work.what.args.data.view()));
  return names;
}

TEST(Dispatch, ALoneTaskGoesToTheWorkerThatWasUsedLast) {
  Story story;
  story.Open("p", 3);
  story.Submit("p", "f");
  const auto busy = [&] {
    for (auto& [id, worker] : story.processes.workers) {
      if (!worker.work.empty()) return id;
    }
    return WorkerId{};
  };
  const WorkerId used = busy();
  story.RunAll();
  story.Submit("p", "f");
  EXPECT_EQ(busy(), used);
}

TEST(Dispatch, AnUnmeasuredFunctionGetsOneForEachWorker) {
  Story story;
  story.Open("p", 2);
  for (int i = 0; i < 10; ++i) story.Submit("p", "f");
  for (auto& [id, worker] : story.processes.workers) EXPECT_EQ(worker.work.size(), 1u);
}

TEST(Dispatch, ShortTasksAreSentAheadAFewMillisecondsOfThem) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(100'000);
  for (int i = 0; i < 100; ++i) story.Submit("p", "f");
  EXPECT_LE(story.processes.workers.at(story.FirstWorker()).work.size(), 40u);
  EXPECT_GE(story.processes.workers.at(story.FirstWorker()).work.size(), 20u);
}

TEST(Dispatch, LongTasksAreNotSentAhead) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(50 * kMillisecond);
  for (int i = 0; i < 10; ++i) story.Submit("p", "f");
  EXPECT_EQ(story.processes.workers.at(story.FirstWorker()).work.size(), 1u);
}

TEST(Dispatch, AWorkerWithoutAClaimPageGetsOneAtATime) {
  Story story;
  story.AskOpen(SpecOf("p", 1));
  story.processes.ZygoteReady(story.now, {PoolId{1}, 1});
  story.processes.workers.begin()->second.uses_page = false;
  story.StartAll();
  story.Submit("p", "f");
  story.RunAll(1000);
  for (int i = 0; i < 10; ++i) story.Submit("p", "f");
  EXPECT_EQ(story.processes.workers.at(story.FirstWorker()).work.size(), 1u);
}

TEST(Dispatch, ClientsTakeTurns) {
  Story story;
  story.Open("p");
  story.Submit("p", "f", {}, "busy");
  for (const char* name : {"a1", "a2", "a3"}) story.Submit("p", "f", {}, name);
  story.client = ClientId{2};
  story.Submit("p", "f", {}, "b1");
  story.Submit("p", "f", {}, "b2");
  std::vector<std::string> order;
  story.processes.on_begin = [&](const FakeWorker&, const FakeWork& work, std::uint32_t) {
    order.push_back(std::string(work.what.args.data.view()));
  };
  story.RunAll();
  EXPECT_EQ(order, (std::vector<std::string>{"busy", "a1", "b1", "a2", "b2", "a3"}));
}

TEST(Dispatch, HigherPriorityRunsFirstAlsoBeforeWhatWasSentAhead) {
  Story story;
  story.Open("p");
  story.Submit("p", "f");
  story.RunAll(10'000);
  for (const char* name : {"low1", "low2", "low3"}) story.Submit("p", "f", {}, name);
  FakeWorker& worker = story.processes.workers.at(story.FirstWorker());
  story.Begin(worker.id);
  EXPECT_EQ(Waiting(worker).size(), 3u);
  TaskOptions urgent;
  urgent.priority = 5;
  story.Submit("p", "f", urgent, "high");
  // The load of low1 and high leaves room, so the others follow again.
  EXPECT_EQ(Waiting(worker), (std::vector<std::string>{"low1", "low2", "low3", "high"}));
}

TEST(Dispatch, StealsForAnIdleWorkerWhatWaitsBehindSomethingLong) {
  Story story;
  story.Open("p", 2);
  const WorkerId first = story.FirstWorker();
  story.Submit("p", "f");
  story.RunAll(20'000);
  std::vector<HandleId> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(story.Submit("p", "f"));
  for (auto& [id, worker] : story.processes.workers) {
    if (id == first) {
      story.Begin(id);  // and hangs
    }
  }
  const WorkerId second = story.processes.workers.rbegin()->first;
  const auto run_second = [&] {
    while (!story.processes.workers.at(second).work.empty()) story.RunOne(second, true, 20'000);
  };
  run_second();
  story.Pass(10 * kMillisecond);
  run_second();
  EXPECT_EQ(story.processes.workers.at(first).work.size(), 1u);
  EXPECT_EQ(story.Pool("p").stats.running, 1u);
  EXPECT_GT(story.Pool("p").stats.retracted, 0u);
}

TEST(Dispatch, StopsWhileTheRoomForOutcomesIsFull) {
  Limits limits;
  limits.max_kept_outcome_bytes = 1;
  Story story(limits);
  story.Open("p");
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(first), TaskState::kSucceeded);
  EXPECT_EQ(story.StateOf(second), TaskState::kQueued);
  story.core.OnRelease(story.now, first);
  EXPECT_EQ(story.StateOf(second), TaskState::kRunning);
}

TEST(Dispatch, AClientIsToldWhenItsRoomForOutcomesIsShortAndWhenItIsNot) {
  Limits limits;
  limits.max_kept_outcome_bytes = 100'000;
  Story story(limits);
  story.Open("p");
  const std::string large(10'000, 'L');  // which comes back
  std::vector<HandleId> ids;
  const auto run = [&](int tasks) {
    for (int i = 0; i < tasks; ++i) ids.push_back(story.Submit("p", "f", {}, large));
    story.RunAll(1000);
  };
  const auto release = [&](int tasks) {
    for (int i = 0; i < tasks; ++i, ids.pop_back()) story.core.OnRelease(story.now, ids.back());
  };
  std::vector<bool>& room = story.clients.room[story.client];
  run(6);
  EXPECT_EQ(room, std::vector<bool>{});
  run(1);
  EXPECT_EQ(room, std::vector{true});
  release(2);
  run(2);
  EXPECT_EQ(room, std::vector{true});
  release(3);
  EXPECT_EQ(room, (std::vector{true, false}));
}

TEST(Dispatch, NoMoreIsSentAheadThanThereIsRoomForResults) {
  Limits limits;
  limits.max_kept_outcome_bytes = 100'000;
  Story story(limits);
  story.Open("p");
  const std::string large(10'000, 'L');  // which comes back
  story.core.OnRelease(story.now, story.Submit("p", "f", {}, large));
  story.RunAll(1000);
  for (int i = 0; i < 100; ++i) story.Submit("p", "f", {}, large);
  EXPECT_GT(story.processes.workers.at(story.FirstWorker()).work.size(), 5u);
  EXPECT_LE(story.processes.workers.at(story.FirstWorker()).work.size(), 10u);
  story.RunAll(1000);
  EXPECT_LE(story.Pool("p").stats.kept_outcome_bytes, limits.max_kept_outcome_bytes + 2 * large.size());
}

TEST(Dispatch, AChunkIsNoLargerThanTheRoomForItsResults) {
  Limits limits;
  limits.max_kept_outcome_bytes = 100'000;
  Story story(limits);
  story.Open("p");
  const std::string large(10'000, 'L');
  const HandleId map{8, 1};
  ASSERT_TRUE(story.Map(map, "p", "f", std::vector<std::string>(100, large)).ok());
  story.RunAll(1000);
  EXPECT_LE(story.Pool("p").stats.kept_outcome_bytes, limits.max_kept_outcome_bytes + 8 * large.size());
  EXPECT_FALSE(story.MapOf(map).done);
}

}  // namespace
}  // namespace poold::core::testing
