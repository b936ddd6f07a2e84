// Maps against a real daemon.
#include <ranges>
#include <set>

#include "daemon_fixture.h"
#include "gmock/gmock.h"

namespace poold::client {
namespace {

using std::chrono::milliseconds;

class MapsTest : public DaemonTest {};

TEST_F(MapsTest, ResultsComeInTheOrderOfTheItems) {
  const Pool pool = OpenPool(Connect());
  const auto results = pool.Map<int>("identity", std::views::iota(0, 50'000)).Get();
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 50'000u);
  for (int i = 0; i < 50'000; ++i) ASSERT_EQ((*results)[i], i);
}

TEST_F(MapsTest, AsCompletedBringsEveryItemOnce) {
  const Pool pool = OpenPool(Connect());
  std::set<std::uint64_t> seen;
  const auto map = pool.Map<int>("identity", std::views::iota(0, 5000), {.order = MapOrder::kAsCompleted});
  for (const auto& item : map) {
    EXPECT_EQ(item.result.value(), static_cast<int>(item.index));
    EXPECT_TRUE(seen.insert(item.index).second);
  }
  EXPECT_EQ(seen.size(), 5000u);
}

TEST_F(MapsTest, ItemsOfAllKindsComeBackAsTheyWent) {
  const Pool pool = OpenPool(Connect());
  // Numbers of all lengths, also those that no fast way can take.
  std::vector<std::int64_t> numbers;
  for (int bit = 0; bit < 63; ++bit) {
    for (const std::int64_t sign : {-1, 1}) numbers.push_back(sign * (std::int64_t{1} << bit));
  }
  EXPECT_EQ(pool.Map<std::int64_t>("identity", numbers).Get().value(), numbers);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 300; ++i) texts.push_back(std::string(i, 't'));
  EXPECT_EQ(pool.Map<std::string>("echo_value", texts).Get().value(), texts);
  std::vector<Payload> payloads;
  for (const std::string& text : texts) payloads.push_back(Arguments(text));
  EXPECT_EQ(pool.MapPayloads<std::string>("echo_value", payloads).Get().value(), texts);
}

TEST_F(MapsTest, ANumberThatDoesNotFitIsNamedAndItsNeighboursAreKept) {
  const Pool pool = OpenPool(Connect());
  std::vector<std::int64_t> numbers(100, 7);
  numbers[50] = std::int64_t{1} << 40;
  int good = 0;
  for (const auto& item : pool.Map<int>("identity", numbers)) {
    if (item.index == 50) {
      EXPECT_FALSE(item.result.ok());
    } else {
      good += item.result.value() == 7;
    }
  }
  EXPECT_EQ(good, 99);
}

TEST_F(MapsTest, OneBadItemLosesNothingElse) {
  const Pool pool = OpenPool(Connect());
  std::vector<std::tuple<int, int>> pairs;
  for (int i = 0; i < 100; ++i) pairs.emplace_back(100, i);
  const auto map = pool.StarMap<std::int64_t>("divide", pairs);
  int good = 0;
  for (const auto& item : map) {
    if (item.result.ok()) ++good;
    EXPECT_EQ(ReasonOf(item.result.status()), item.index == 0 ? "TASK_FAILED" : "");
  }
  EXPECT_EQ(good, 99);
  EXPECT_EQ(map.progress().unsuccessful_items, 1u);
  EXPECT_THAT(std::string(map.Get().status().message()), ::testing::HasSubstr("item 0 of divide failed"));
}

TEST_F(MapsTest, ACrashInAMapCostsOneItem) {
  const Pool pool = OpenPool(Connect());
  std::vector<int> signals(64, 0);
  signals[20] = 9;
  int crashed = 0;
  for (const auto& item : pool.Map<void>("crash", signals)) {
    if (item.result.ok()) continue;
    ++crashed;
    EXPECT_EQ(item.index, 20u);
    EXPECT_EQ(ReasonOf(item.result), "TASK_CRASHED");
  }
  EXPECT_EQ(crashed, 1);
}

TEST_F(MapsTest, AnEmptyMapIsOverAtOnce) {
  const Pool pool = OpenPool(Connect());
  EXPECT_TRUE(pool.Map<int>("identity", std::vector<int>()).Get()->empty());
}

TEST_F(MapsTest, AZeroChunkSizeIsRefused) {
  const Pool pool = OpenPool(Connect());
  const auto map = pool.Map<int>("identity", std::vector<int>{1}, {.chunk_size = 0});
  EXPECT_TRUE(absl::IsInvalidArgument(map.Get().status())) << map.Get().status();
  int items = 0;
  for (const auto& item : map) items += absl::IsInvalidArgument(item.result.status());
  EXPECT_EQ(items, 1);
}

TEST_F(MapsTest, AWaitThatPassesLeavesTheWalkWhereItIs) {
  const Pool pool = OpenPool(Connect());
  const auto map = pool.Map<void>("sleep", std::vector<int>{1, 300}, {.chunk_size = 1});
  auto reader = map.Read();
  EXPECT_EQ(reader.Next().value()->index, 0u);
  EXPECT_EQ(ReasonOf(reader.Next(milliseconds(1)).status()), "WAIT_TIMEOUT");
  EXPECT_EQ(reader.Next().value()->index, 1u);
  EXPECT_EQ(reader.Next().value(), std::nullopt);
}

TEST_F(MapsTest, CancelEndsWhatHasNotBegunAndEveryItemHasAnOutcome) {
  const Pool pool = OpenPool(Connect());
  const auto map = pool.Map<void>("sleep", std::vector<int>(100, 50), {.chunk_size = 1});
  ASSERT_TRUE(map.Cancel().ok());
  std::uint64_t items = 0;
  std::uint64_t cancelled = 0;
  for (const auto& item : map) {
    ++items;
    cancelled += ReasonOf(item.result) == "TASK_CANCELLED";
  }
  EXPECT_EQ(items, 100u);
  EXPECT_GT(cancelled, 50u);
}

TEST_F(MapsTest, ADroppedMapIsCancelled) {
  const Pool pool = OpenPool(Connect());
  { const auto map = pool.Map<void>("sleep", std::vector<int>(1000, 60'000), {.chunk_size = 1}); }
  ASSERT_TRUE(pool.connection()->Flush(std::chrono::seconds(10)).ok());
  for (int i = 0; i < 1000 && pool.Stats()->queued != 0; ++i) {
  }
  EXPECT_EQ(pool.Stats()->queued, 0u);
}

TEST_F(MapsTest, LargeResultsOfItemsAreFetched) {
  const Pool pool = OpenPool(Connect());
  for (const auto& item : pool.Map<Bytes>("blob", std::vector<int>{10, 3'000'000, 20})) {
    ASSERT_TRUE(item.result.ok()) << item.result.status();
    EXPECT_EQ(item.result->data.size(), item.index == 1 ? 3'000'000u : 10u * (1 + item.index / 2));
  }
}

}  // namespace
}  // namespace poold::client
