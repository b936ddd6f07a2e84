// Strict pools break as a ProcessPoolExecutor does.
#include "fakes.h"

namespace poold::core::testing {
namespace {

PoolSpec StrictSpec(std::uint32_t workers) {
  PoolSpec spec = SpecOf("p", workers);
  spec.death_policy = DeathPolicy::kStrict;
  return spec;
}

TEST(StrictPool, IsBrokenByAWorkerThatCrashes) {
  Story story;
  story.Open(StrictSpec(2));
  TaskOptions options;
  options.max_attempts = 5;
  const HandleId guilty = story.Submit("p", "f", options);
  const HandleId running = story.Submit("p", "f");
  const HandleId queued = story.Submit("p", "f");
  for (auto& [id, worker] : story.processes.workers) story.Begin(id);
  WorkerId its{};
  for (const auto& [id, worker] : story.processes.workers) {
    // Tokens say in which order they were given out: the guilty one came first.
    if (its == WorkerId{} || worker.work.front().what.token < story.processes.workers.at(its).work.front().what.token) {
      its = id;
    }
  }
  story.Crash(its);
  EXPECT_EQ(story.StateOf(guilty), TaskState::kCrashed);
  EXPECT_EQ(story.StateOf(running), TaskState::kCancelled);
  EXPECT_EQ(story.StateOf(queued), TaskState::kCancelled);
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  const absl::Status later = story.SubmitAs({1, 1}, "p", "f");
  EXPECT_EQ(later.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(later), "POOL_BROKEN");
  EXPECT_NE(later.message().find("signal 11 in function 'f'"), absl::string_view::npos) << later;
}

TEST(StrictPool, IsBrokenByAnIdleWorkerThatIsKilledFromOutside) {
  Story story;
  story.Open(StrictSpec(1));
  story.Crash(story.FirstWorker(), 9);
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f")), "POOL_BROKEN");
}

TEST(StrictPool, IsBrokenByAFreshWorkerThatCrashes) {
  Story story;
  PoolSpec spec = StrictSpec(1);
  spec.start_method = StartMethod::kFresh;
  story.Open(spec);
  const HandleId task = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  EXPECT_EQ(story.StateOf(task), TaskState::kCrashed);
  EXPECT_EQ(story.Pool("p").state, PoolState::kFailed);
}

TEST(StrictPool, BreaksWithTheGuiltyItemOfAMapCrashedAndTheRestCancelled) {
  Story story;
  story.Open(StrictSpec(1));
  story.chunk_size = 4;
  story.map_options.max_attempts = 3;
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", {"a", "b", "c", "d"}).ok());
  story.RunOne(story.FirstWorker());
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  const MapView map = story.MapOf({2, 1});
  EXPECT_TRUE(map.done);
  EXPECT_EQ(map.done_items, 2u);
  EXPECT_EQ(map.unsuccessful_items, 1u);
  EXPECT_EQ(story.Pool("p").stats.crashed, 1u);
  EXPECT_EQ(story.Pool("p").stats.cancelled, 2u);
}

TEST(StrictPool, IsNotBrokenByCancelTimeLimitMemoryLimitOrRecycling) {
  Story story;
  PoolSpec spec = StrictSpec(1);
  spec.memory_limit_bytes = 1000;
  spec.max_worker_age = 3600 * kSecond;
  story.Open(spec);
  const HandleId cancelled = story.Submit("p", "f");
  story.Begin(story.FirstWorker());
  ASSERT_TRUE(*story.core.OnCancel(story.now, cancelled, /*running=*/true));
  story.EndAll();
  story.StartAll();
  TaskOptions options;
  options.run_timeout = kSecond;
  const HandleId late = story.Submit("p", "f", options);
  story.Begin(story.FirstWorker());
  story.Pass(2 * kSecond);
  story.EndAll();
  story.StartAll();
  EXPECT_EQ(story.StateOf(late), TaskState::kTimedOut);
  story.core.OnWorkerUsage(story.now, story.FirstWorker(), 2000);
  story.EndAll();
  story.Pass(kSecond);
  story.StartAll();
  story.Pass(3601 * kSecond);
  story.StartAll();
  story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

TEST(StrictPool, ThatBrokeMayBeOpenedAnew) {
  Story story;
  story.Open(StrictSpec(1));
  story.Crash(story.FirstWorker());
  story.EndAll();
  story.Open(StrictSpec(1));
  EXPECT_TRUE(story.SubmitAs({1, 1}, "p", "f").ok());
}

}  // namespace
}  // namespace poold::core::testing
