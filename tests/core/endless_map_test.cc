// A map whose items come for ever needs no more memory than its window.
#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

class EndlessMap : public ::testing::Test {
 protected:
  // Things that are kept for the map.
  std::size_t Size() {
    const auto& map = static_cast<const MapRun&>(*CoreTestPeer(&story.core).Find(kMap));
    return map.items.entries() + map.outcomes.entries() + map.chunks.size();
  }
  void Append(std::uint64_t first, std::uint64_t count) {
    ASSERT_TRUE(story.Map(kMap, "p", "f", std::vector<std::string>(count, "x"), false, first).ok());
    story.clients.blocks.clear();
  }

  Story story;
};

TEST_F(EndlessMap, IsForgottenAsItIsConsumed) {
  story.Open("p", 2);
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Append(i * 100, 100);
    story.RunAll(1000);
    story.core.OnConsumed(story.now, kMap, i * 100, 100);
    most = std::max(most, Size());
  }
  EXPECT_EQ(story.MapOf(kMap).done_items, 300'000u);
  EXPECT_LT(most, 10u);
  EXPECT_EQ(story.Pool("p").stats.kept_outcome_bytes, 0u);
}

TEST_F(EndlessMap, IsForgottenBehindAnItemThatTakesForEver) {
  story.Open("p", 2);
  story.chunk_size = 10;
  Append(0, 20);
  const WorkerId slow = story.FirstWorker();
  const WorkerId other = story.processes.workers.rbegin()->first;
  story.Begin(slow);
  for (int i = 0; i < 10; ++i) story.RunOne(other, true, 1000);
  story.Pass(kSecond);
  std::uint64_t items = 20;
  std::size_t most = 0;
  for (int i = 0; i < 2000; ++i, items += 50) {
    Append(items, 50);
    while (!story.processes.workers.at(other).work.empty()) story.RunOne(other, true, 1000);
    story.core.OnConsumed(story.now, kMap, 1, items + 50);
    most = std::max(most, Size());
  }
  EXPECT_LT(most, 20u);
  EXPECT_EQ(story.MapOf(kMap).running_items + story.MapOf(kMap).done_items, story.MapOf(kMap).items);
}

TEST_F(EndlessMap, ForgetsItemsThatFailToo) {
  story.Open("p");
  story.map_options.max_attempts = 2;
  story.map_options.retry_delay = 0;
  story.map_options.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    Append(i * 4, 4);
    for (int j = 0; j < 16; ++j) {
      story.RunOne(story.FirstWorker(), j % 3 == 0);
      story.Pass(kMillisecond);
    }
    story.core.OnConsumed(story.now, kMap, i * 4, 4);
    most = std::max(most, Size());
  }
  EXPECT_LT(most, 20u);
  EXPECT_EQ(story.MapOf(kMap).done_items, 2000u);
}

TEST_F(EndlessMap, AsksToWaitWhenTheQueueIsFull) {
  PoolSpec spec = SpecOf("p", 1);
  spec.max_queued_tasks = 100;
  story.Open(spec);
  Append(0, 100);
  const absl::Status full = story.Map(kMap, "p", "f", std::vector<std::string>(50, "x"), false, 100).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(DetailOf(full).retry_after, 0);
  story.RunAll(1000);
  Append(100, 50);
}

}  // namespace
}  // namespace poold::core::testing
