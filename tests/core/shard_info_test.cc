// One core among several of a daemon.
#include <set>

#include "fakes.h"

namespace poold::core::testing {
namespace {

constexpr std::uint32_t kCores = 3;

TEST(ShardInfo, PoolsAndWorkersOfAllCoresHaveNumbersOfTheirOwn) {
  std::multiset<PoolId> pools;
  std::multiset<WorkerId> workers;
  for (std::uint32_t index = 0; index < kCores; ++index) {
    Story story({}, {.index = index, .count = kCores});
    story.Open("p", 2);
    story.Open("q", 2);
    for (const auto& [pool, zygote] : story.processes.zygotes) pools.insert(pool.first);
    for (const auto& [worker, process] : story.processes.workers) workers.insert(worker);
    for (const PoolView& view : story.core.ViewPools()) EXPECT_EQ(view.shard, index + 1);
  }
  EXPECT_EQ(pools.size(), 2 * kCores);
  EXPECT_EQ(std::set<PoolId>(pools.begin(), pools.end()).size(), 2 * kCores);
  EXPECT_EQ(std::set<WorkerId>(workers.begin(), workers.end()).size(), 4 * kCores);
}

TEST(ShardInfo, AloneItCountsFromOneWithoutGapsAndNamesNoShard) {
  Story story;
  story.Open("p", 3);
  std::vector<WorkerId> workers;
  for (const auto& [worker, process] : story.processes.workers) workers.push_back(worker);
  EXPECT_EQ(workers, (std::vector<WorkerId>{WorkerId{1}, WorkerId{2}, WorkerId{3}}));
  EXPECT_EQ(story.core.ViewPool("p")->shard, 0u);
}

TEST(ShardInfo, PoolsElsewhereCountAgainstTheBound) {
  Story story({.max_pools = 3}, {.index = 1, .count = kCores});
  story.Open("p");
  const SubscriberId refused = story.NewCall();
  story.core.OnOpenPool(story.now, refused, SpecOf("q", 1), {}, 2);
  EXPECT_EQ(ReasonOf(story.clients.opened.at(refused).first.status()), "TOO_MANY");
  const SubscriberId again = story.NewCall();
  story.core.OnOpenPool(story.now, again, SpecOf("p", 1), {}, 2);  // it is there
  EXPECT_TRUE(story.clients.opened.at(again).first.ok());
  story.core.OnOpenPool(story.now, story.NewCall(), SpecOf("q", 4), {}, 1);
  EXPECT_EQ(story.core.load().pools, 2u);
  EXPECT_EQ(story.core.load().workers, 5u);
}

TEST(ShardInfo, AHandleIsKnownUntilItIsForgotten) {
  Story story({.remembered_ids = 1});
  story.Open("p");
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.RunAll();
  EXPECT_EQ(story.core.Knows(first), Known::kYes);
  EXPECT_TRUE(story.core.OnRelease(story.now, first));
  EXPECT_EQ(story.core.Knows(first), Known::kReleased);
  EXPECT_TRUE(story.core.OnRelease(story.now, second));
  EXPECT_EQ(story.core.Knows(first), Known::kNo);
  EXPECT_EQ(story.core.Knows({7, 7}), Known::kNo);
}

}  // namespace
}  // namespace poold::core::testing
