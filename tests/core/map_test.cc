// Maps: items in chunks, one outcome for each.
#include "fakes.h"

namespace poold::core::testing {
namespace {

std::vector<std::string> Items(int count) {
  std::vector<std::string> items;
  for (int i = 0; i < count; ++i) items.push_back("item" + std::to_string(i));
  return items;
}

// What the stream heard of each item: its result, or its state.
std::map<std::uint64_t, std::string> Heard(Story& story, HandleId map) {
  std::map<std::uint64_t, std::string> heard;
  for (const ItemBlockPtr& block : story.clients.blocks[story.stream][map]) {
    std::size_t offset = 0;
    for (std::size_t i = 0; i < block->result_bytes.size(); ++i) {
      heard[block->first_index + i] = block->results.substr(offset, block->result_bytes[i]);
      offset += block->result_bytes[i];
    }
    for (const auto& [index, outcome] : block->others) {
      heard[index] = "state " + std::to_string(static_cast<int>(outcome->state));
    }
  }
  return heard;
}

TEST(Map, GivesEveryItemItsResult) {
  Story story;
  story.Open("p", 2);
  ASSERT_EQ(*story.Map(kMap, "p", "f", Items(100)), 100u);
  story.RunAll(1000);
  const auto heard = Heard(story, kMap);
  ASSERT_EQ(heard.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(heard.at(i), "item" + std::to_string(i));
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.clients.ends[story.stream][kMap].size(), 1u);
}

TEST(Map, WithoutItemsEndsAtOnce) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", {}).ok());
  EXPECT_TRUE(story.MapOf(kMap).done);
}

TEST(Map, TakesItemsPieceByPieceAndPassesOverWhatItHas) {
  Story story;
  story.Open("p");
  EXPECT_EQ(*story.Map(kMap, "p", "f", Items(3), false), 3u);
  EXPECT_EQ(*story.Map(kMap, "p", "f", Items(3), false), 3u);
  EXPECT_EQ(*story.Map(kMap, "p", "f", {"item2", "item3"}, true, 2), 4u);
  EXPECT_EQ(ReasonOf(story.Map({9, 2}, "p", "f", Items(1), true, 5).status()), "ITEMS_MISSING");
  story.RunAll();
  EXPECT_EQ(Heard(story, kMap).size(), 4u);
  EXPECT_EQ(Heard(story, kMap).at(3), "item3");
}

TEST(Map, OneBadItemLosesNothingElse) {
  Story story;
  story.Open("p");
  story.chunk_size = 10;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(10)).ok());
  for (int i = 0; i < 10; ++i) story.RunOne(story.FirstWorker(), i != 4);
  EXPECT_EQ(Heard(story, kMap).at(4), "state 4");
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 1u);
  EXPECT_TRUE(story.MapOf(kMap).done);
}

TEST(Map, AWorkersDeathCostsOneItemAndNothingRunsTwice) {
  Story story;
  story.Open("p");
  story.chunk_size = 10;
  std::map<std::string, int> runs;
  story.processes.on_begin = [&](const FakeWorker&, const FakeWork& work, std::uint32_t item) {
    ++runs[std::string(work.Item(item))];
  };
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(20)).ok());
  const WorkerId worker = story.FirstWorker();
  for (int i = 0; i < 6; ++i) story.RunOne(worker);
  story.Begin(worker);
  story.Crash(worker);
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(Heard(story, kMap).at(6), "state 5");
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 1u);
  EXPECT_EQ(story.MapOf(kMap).done_items, 20u);
  for (const auto& [item, count] : runs) EXPECT_EQ(count, 1) << item;
}

TEST(Map, ChunksGrowToThousandsForItemsOfNoTime) {
  Story story;
  story.Open("p", 2);
  std::uint32_t largest = 0;
  story.processes.on_begin = [&](const FakeWorker&, const FakeWork& work, std::uint32_t) {
    largest = std::max(largest, work.limit);
  };
  ASSERT_TRUE(story.Map(kMap, "p", "f", std::vector<std::string>(100'000, "x")).ok());
  story.RunAll(100);
  EXPECT_GT(largest, 5000u);
  EXPECT_EQ(story.MapOf(kMap).done_items, 100'000u);
}

// 20 us of work, be there ever so many workers: a chunk costs about a microsecond.
TEST(Map, ShortItemsAreNotSentOneByOneToManyWorkers) {
  Story story;
  story.Open("p", 32);
  ASSERT_TRUE(story.Map({9, 2}, "p", "f", Items(2000)).ok());
  story.RunAll(1000);  // learns that an item takes 1 us
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(640)).ok());
  std::size_t chunks = 0;
  std::uint64_t items = 0;
  for (const auto& [id, worker] : story.processes.workers) {
    chunks += worker.work.size();
    for (const FakeWork& work : worker.work) items += work.limit;
  }
  EXPECT_EQ(items, 640u);
  EXPECT_LE(chunks, 640u / 20 + 1);
  story.RunAll(1000);
  EXPECT_TRUE(story.MapOf(kMap).done);
}

TEST(Map, AnIdleWorkerTakesHalfOfWhatAnotherHasNotBegun) {
  Story story;
  story.Open("p", 2);
  story.chunk_size = 100;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(100)).ok());
  std::vector<std::uint32_t> limits;
  for (auto& [id, worker] : story.processes.workers) limits.push_back(worker.work.empty() ? 0 : worker.work[0].limit);
  EXPECT_EQ(limits[0] + limits[1], 100u);
  EXPECT_GE(std::min(limits[0], limits[1]), 49u);
}

TEST(Map, FailFastEndsAtTheFirstBadItem) {
  Story story;
  story.Open("p");
  story.chunk_size = 10;
  story.fail_fast = true;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(30)).ok());
  story.RunOne(story.FirstWorker(), true);
  story.RunOne(story.FirstWorker(), false);
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).done_items, 2u);
  EXPECT_EQ(story.Pool("p").stats.cancelled, 28u);
}

TEST(Map, CancelledWhileItRunsEndsWhenItsWorkerIsGone) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(30)).ok());
  story.Begin(story.FirstWorker());
  EXPECT_TRUE(*story.core.OnCancel(story.now, kMap, true));
  EXPECT_FALSE(story.MapOf(kMap).done);
  story.Crash(story.FirstWorker(), 15);
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).done_items, 0u);
}

TEST(Map, AnItemIsTriedAgainAloneAndTheOthersKeepTheirResults) {
  Story story;
  story.Open("p");
  story.chunk_size = 5;
  story.map_options.max_attempts = 2;
  story.map_options.retry_on = 1u << static_cast<unsigned>(TaskState::kFailed);
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(5)).ok());
  for (int i = 0; i < 5; ++i) story.RunOne(story.FirstWorker(), i != 2);
  EXPECT_EQ(Heard(story, kMap).size(), 4u);
  story.Pass(kSecond);
  EXPECT_EQ(story.processes.workers.at(story.FirstWorker()).work.front().what.attempt, 2u);
  story.RunAll();
  EXPECT_EQ(Heard(story, kMap).at(2), "item2");
  EXPECT_TRUE(story.MapOf(kMap).done);
}

TEST(Map, ItemsOverTheirTimeAreKilledAloneAndTheRestRuns) {
  Story story;
  story.Open("p");
  story.chunk_size = 5;
  story.map_options.run_timeout = kSecond;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(5)).ok());
  story.RunOne(story.FirstWorker());
  story.Begin(story.FirstWorker());
  story.Pass(2 * kSecond);
  story.Crash(story.FirstWorker(), 15);
  story.StartAll();
  story.RunAll();
  EXPECT_EQ(Heard(story, kMap).at(1), "state 6");
  EXPECT_EQ(story.MapOf(kMap).done_items, 5u);
}

TEST(Map, ThatIsBeingCancelledStaysSoWhenItsTimeIsOver) {
  Story story;
  story.Open("p");
  story.map_options.run_timeout = kSecond;
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(2)).ok());
  story.Begin(story.FirstWorker());
  EXPECT_TRUE(*story.core.OnCancel(story.now, kMap, /*running=*/true));
  story.Pass(2 * kSecond);
  story.Crash(story.FirstWorker(), 15);
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 0u);  // cancelled, and nothing else
}

TEST(Map, ConsumedOutcomesMakeRoom) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(10)).ok());
  story.RunAll();
  EXPECT_EQ(story.Pool("p").stats.kept_outcomes, 10u);
  story.core.OnConsumed(story.now, kMap, 0, 10);
  EXPECT_EQ(story.Pool("p").stats.kept_outcomes, 0u);
}

TEST(Map, ASecondSubscriberHearsWhatIsKeptFromItsIndexOn) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(10)).ok());
  story.RunAll();
  story.stream = SubscriberId{77};
  ASSERT_TRUE(story.core.OnSubscribe(story.now, story.stream, kMap, 4).ok());
  EXPECT_EQ(Heard(story, kMap).size(), 6u);
  EXPECT_EQ(story.clients.ends[story.stream][kMap].size(), 1u);
  EXPECT_EQ(story.core.ViewResult(kMap, 7)->data.view(), "item7");
  // Who asks once more when it is over hears it once more.
  ASSERT_TRUE(story.core.OnSubscribe(story.now, story.stream, kMap, 8).ok());
  EXPECT_EQ(story.clients.ends[story.stream][kMap].size(), 2u);
}

// An idle worker is there to steal for, so it came back and was sent, again and again.
TEST(MapItems, ThatAreTooLateAreNotSentToAndFro) {
  Story story;
  story.map_options.total_timeout = kSecond;
  story.chunk_size = 2;
  story.Open("p", 2);
  ASSERT_TRUE(story.Map({2, 1}, "p", "f", {"a", "b"}).ok());
  story.Pass(2 * kSecond);
  EXPECT_TRUE(story.MapOf({2, 1}).done);
  EXPECT_EQ(story.MapOf({2, 1}).unsuccessful_items, 2u);
}

TEST(Map, ThatWasCutPassesOverWhateverStillComes) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(4), /*complete=*/false).ok());
  ASSERT_TRUE(story.core.OnCancel(story.now, kMap, /*running=*/true).ok());
  EXPECT_EQ(*story.Map(kMap, "p", "f", Items(4), false, 4), 8u);
  EXPECT_EQ(*story.Map(kMap, "p", "f", Items(4), true, 8), 12u);
}

TEST(Map, WithAGapIsRefusedAndSaysSo) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(4), /*complete=*/false).ok());
  EXPECT_EQ(ReasonOf(story.Map(kMap, "p", "f", Items(4), false, 5).status()), "ITEMS_MISSING");
}

TEST(Map, WhoseClientIsGoneForTheGraceEndsWithTheItemsThatItHas) {
  Story story;
  story.Open("p");
  ASSERT_TRUE(story.Map(kMap, "p", "f", Items(4), /*complete=*/false).ok());
  story.RunAll();
  story.core.OnClientAbsent(story.now, story.client);
  story.Pass(9 * kSecond);
  story.core.OnClientPresent(story.now, story.client);
  story.Pass(60 * kSecond);
  EXPECT_FALSE(story.MapOf(kMap).done);
  story.core.OnClientAbsent(story.now, story.client);
  story.Pass(10 * kSecond);
  EXPECT_TRUE(story.MapOf(kMap).done);
  EXPECT_EQ(story.MapOf(kMap).unsuccessful_items, 0u);
}

TEST(Task, ThatTheQueueCouldNeverHoldIsNotToBeTriedAgain) {
  Story story;
  PoolSpec spec = SpecOf("p", 1);
  spec.max_queued_bytes = 100;
  story.Open(spec);
  EXPECT_EQ(ReasonOf(story.SubmitAs({1, 1}, "p", "f", {}, std::string(101, 'x'))), "TOO_LARGE");
  EXPECT_EQ(ReasonOf(story.Map(kMap, "p", "f", {std::string(101, 'x')}).status()), "TOO_LARGE");
}

}  // namespace
}  // namespace poold::core::testing
