// As many pools and workers as the limits allow.
#include <cstdint>
#include <string>

#include "bare_core.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

TEST(Many, APoolMayHave4096WorkersAndAllOfThemWork) {
  constexpr std::uint32_t kWorkers = 4096;
  ASSERT_EQ(Limits().max_workers_per_pool, kWorkers);
  BareCore bare(kWorkers);
  EXPECT_EQ(bare.core.ViewPool("p")->state, PoolState::kRunning);
  bare.Submit(0, 2 * kWorkers);
  bare.core.OnLeave(bare.now);
  EXPECT_EQ(bare.workers.sent.size(), kWorkers) << "nobody knows how long a task takes: each worker has one";
  while (!bare.workers.sent.empty()) {
    bare.now += kMillisecond;
    for (const Sent& work : std::exchange(bare.workers.sent, {})) bare.Answer(work, true, kMillisecond);
  }
  const PoolView pool = *bare.core.ViewPool("p");
  EXPECT_EQ(pool.stats.succeeded, 2 * kWorkers);
  EXPECT_EQ(pool.workers.size(), kWorkers);
}

TEST(Many, APoolMayNotHaveMoreWorkers) {
  Story story;
  const SubscriberId call = story.AskOpen(SpecOf("p", 4097));
  EXPECT_EQ(story.clients.opened.at(call).first.status().code(), absl::StatusCode::kInvalidArgument);
  story.Open("q");
  EXPECT_FALSE(story.core.OnResize(story.now, "q", 4097).ok());
  EXPECT_TRUE(story.core.OnResize(story.now, "q", 4096).ok());
}

TEST(Many, ThereMayBe1024PoolsAndEachOfThemWorks) {
  constexpr std::uint64_t kPools = 1024;
  ASSERT_EQ(Limits().max_pools, kPools);
  Story story;
  for (std::uint64_t i = 0; i < kPools; ++i) {
    const SubscriberId call = story.AskOpen(SpecOf("p" + std::to_string(i), 1));
    story.processes.ZygoteReady(story.now, story.processes.zygotes.rbegin()->first);
    story.processes.WorkerReady(story.now, story.processes.workers.rbegin()->first);
    ASSERT_TRUE(story.clients.opened.at(call).first.ok());
  }
  const SubscriberId refused = story.AskOpen(SpecOf("one too many", 1));
  EXPECT_EQ(ReasonOf(story.clients.opened.at(refused).first.status()), "TOO_MANY");
  const HandleId first = story.Submit("p0", "f");
  const HandleId last = story.Submit("p1023", "f");
  story.RunAll();
  EXPECT_EQ(story.StateOf(first), TaskState::kSucceeded);
  EXPECT_EQ(story.StateOf(last), TaskState::kSucceeded);
  ASSERT_TRUE(story.Close("p7").ok());
  story.EndAll();
  const SubscriberId taken = story.AskOpen(SpecOf("one too many", 1));
  EXPECT_FALSE(story.clients.opened.contains(taken)) << "there is room for it: it starts";
}

}  // namespace
}  // namespace poold::core::testing
