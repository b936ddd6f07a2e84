// Maps whose input is read as the results are taken, and inputs of several columns.
#include <fstream>
#include <list>
#include <ranges>
#include <set>

#include "daemon_fixture.h"
#include "gmock/gmock.h"

namespace poold::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class StreamTest : public DaemonTest {
 protected:
  static std::uint64_t ResidentBytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    statm >> pages >> pages;
    return pages * 4096;
  }
};

TEST_F(StreamTest, MapTakesAnyNumberOfColumnsAndTheShortestEndsIt) {
  const Pool pool = OpenPool(Connect());
  const std::list<int> numerators{10, 20, 30};
  EXPECT_EQ(pool.Map<std::int64_t>("divide", numerators, std::views::iota(1)).Get().value(),
            (std::vector<std::int64_t>{10, 10, 10}));
  EXPECT_EQ(pool.MapWith<std::int64_t>({.chunk_size = 1}, "divide", numerators, std::vector<int>{5, 5}).Get().value(),
            (std::vector<std::int64_t>{2, 4}));
}

TEST_F(StreamTest, MapStreamsAnEndlessIteratorInBoundedMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers keep what is freed";
#endif
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  auto numbers = pool.MapStream<int>("identity", std::views::iota(0), {.buffer_size = 100});
  int next = 0;
  std::uint64_t before = 0;
  for (const auto& item : numbers) {
    ASSERT_EQ(item.result.value(), next++);
    ASSERT_LE(numbers.pulled(), static_cast<std::uint64_t>(next) + 100);
    if (next == 20'000) before = ResidentBytes();
    if (next == 100'000) break;
  }
  // 80 000 more items kept anywhere would be many times that.
  EXPECT_LT(ResidentBytes(), before + (4u << 20));
  EXPECT_LT(pool.Stats()->kept_outcomes, 5000u);
}

TEST_F(StreamTest, NoMoreThanTheBufferIsReadAheadOfWhoTakesTheResults) {
  const Pool pool = OpenPool(Connect());
  int read = 0;
  auto stream = pool.MapStream<int>("identity", [&] { return std::optional(read++); }, {.buffer_size = 7});
  EXPECT_EQ(read, 0);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(stream.Next().value()->result.value(), i);
    EXPECT_LE(read, i + 1 + 7);
  }
}

TEST_F(StreamTest, ABufferOfOneIsEnough) {
  const Pool pool = OpenPool(Connect());
  int sum = 0;
  for (const auto& item : pool.MapStream<int>("identity", std::views::iota(0, 100), {.buffer_size = 1})) {
    sum += item.result.value();
  }
  EXPECT_EQ(sum, 4950);
}

TEST_F(StreamTest, AsCompletedAStreamBringsEveryItemOnce) {
  const Pool pool = OpenPool(Connect());
  std::set<std::uint64_t> seen;
  auto stream =
      pool.MapStream<int>("identity", std::views::iota(0, 5000), {.order = MapOrder::kAsCompleted, .buffer_size = 50});
  for (const auto& item : stream) {
    EXPECT_EQ(item.result.value(), static_cast<int>(item.index));
    EXPECT_TRUE(seen.insert(item.index).second);
  }
  EXPECT_EQ(seen.size(), 5000u);
}

TEST_F(StreamTest, AnIterableThatRaisesIsTheResultAtItsPositionAndThePoolStaysUsable) {
  const Pool pool = OpenPool(Connect());
  int made = 0;
  const auto input = [&]() -> std::optional<int> {
    if (made == 5) throw std::out_of_range("no sixth");
    return made++;
  };
  std::vector<std::string> failures;
  int good = 0;
  for (const auto& item : pool.MapStream<int>("identity", input)) {
    if (item.result.ok()) {
      ++good;
      continue;
    }
    EXPECT_EQ(item.index, 5u);
    failures.emplace_back(item.result.status().message());
    EXPECT_EQ(item.outcome->failure->type, "std::out_of_range");
    EXPECT_EQ(item.outcome->failure->backtrace, "");
  }
  EXPECT_EQ(good, 5);
  EXPECT_THAT(failures, ::testing::ElementsAre(HasSubstr("no sixth")));
  EXPECT_EQ(pool.Apply<int>("identity", 1).value(), 1);
}

TEST_F(StreamTest, AMapWhoseInputThrowsKeepsTheResultsBeforeIt) {
  const Pool pool = OpenPool(Connect());
  auto input = std::views::iota(0, 10) | std::views::transform([](int i) {
                 if (i == 3) throw std::runtime_error("bad line");
                 return i;
               });
  const auto map = pool.Map<int>("identity", input);
  std::vector<bool> good;
  for (const auto& item : map) good.push_back(item.result.ok());
  EXPECT_EQ(good, (std::vector<bool>{true, true, true, false}));
  EXPECT_THAT(std::string(map.Get().status().message()), HasSubstr("bad line"));
}

TEST_F(StreamTest, AnInputThatThrowsBehindMoreThanABatchLosesNothingBeforeIt) {
  const Pool pool = OpenPool(Connect());
  auto input = std::views::iota(0, 20'000) | std::views::transform([](int i) {
                 if (i == 10'000) throw std::runtime_error("bad line");
                 return i;
               });
  int next = 0;
  for (const auto& item : pool.Map<int>("identity", input)) {
    if (item.index == 10'000) {
      EXPECT_FALSE(item.result.ok());
    } else {
      ASSERT_EQ(item.result.value(), next++);
    }
  }
  EXPECT_EQ(next, 10'000);
}

TEST_F(StreamTest, AGeneratorMayAnswerWithAStatus) {
  const Pool pool = OpenPool(Connect());
  int made = 0;
  const auto input = [&]() -> absl::StatusOr<std::optional<int>> {
    if (made == 1) return absl::DataLossError("disk");
    return std::optional<int>(made++);
  };
  auto stream = pool.MapStream<int>("identity", input);
  EXPECT_EQ(stream.Next().value()->result.value(), 0);
  EXPECT_THAT(std::string(stream.Next().value()->result.status().message()), HasSubstr("disk"));
  EXPECT_EQ(stream.Next().value(), std::nullopt);
}

TEST_F(StreamTest, OneBadItemOfAStreamLosesNothingElse) {
  const Pool pool = OpenPool(Connect());
  int good = 0;
  int bad = 0;
  auto stream = pool.MapStreamWith<std::int64_t>({.buffer_size = 10}, "divide", std::views::iota(0, 100),
                                                 std::views::iota(-50, 50));
  for (const auto& item : stream) ++(item.result.ok() ? good : bad);
  EXPECT_EQ(good, 99);
  EXPECT_EQ(bad, 1);
}

TEST_F(StreamTest, LargeResultsOfAStreamAreFetchedAndDropped) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  auto stream = pool.MapStream<Bytes>("blob", std::vector<int>(20, 3'000'000), {.buffer_size = 2});
  int items = 0;
  for (const auto& item : stream) {
    ASSERT_EQ(item.result.value().data.size(), 3'000'000u);
    ++items;
  }
  EXPECT_EQ(items, 20);
  ASSERT_TRUE(client.Flush(seconds(10)).ok());
  EXPECT_LT(pool.Stats()->kept_outcome_bytes, 10'000'000u);
}

TEST_F(StreamTest, DroppingTheIteratorCancelsWhatIsLeft) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  {
    auto stream = pool.MapStream<void>("sleep", [] { return std::optional(20); }, {.buffer_size = 500});
    ASSERT_TRUE(stream.Next().value()->result.ok());
  }
  ASSERT_TRUE(client.Flush(seconds(10)).ok());
  for (int i = 0; i < 1000 && pool.Stats()->queued != 0; ++i) continue;
  EXPECT_EQ(pool.Stats()->queued, 0u);
}

TEST_F(StreamTest, AQueueThatIsFullIsWaitedForByStreamsAndByMapsWhenAsked) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 2, .modules = {"testing"}, .max_queued_tasks = 10});
  ASSERT_TRUE(pool.ok()) << pool.status();
  int next = 0;
  for (const auto& item : pool->MapStream<int>("identity", std::views::iota(0, 200), {.buffer_size = 100})) {
    ASSERT_EQ(item.result.value(), next++);
  }
  EXPECT_EQ(next, 200);
  EXPECT_EQ(ReasonOf(pool->Map<int>("identity", std::views::iota(0, 200)).Get().status()), "QUEUE_FULL");
  const auto map = pool->Map<int>("identity", std::views::iota(0, 200), {.task = {.wait_when_full = true}});
  const auto results = map.Get();
  ASSERT_TRUE(results.ok()) << results.status();
  for (int i = 0; i < 200; ++i) ASSERT_EQ((*results)[i], i);
}

TEST_F(StreamTest, ATimeoutOverTheWholeMapEndsTheWalkAndCancelsTheRest) {
  const Pool pool = OpenPool(Connect());
  const auto map = pool.Map<void>("sleep", std::vector<int>(50, 200), {.chunk_size = 1, .timeout = milliseconds(300)});
  absl::Status last;
  for (const auto& item : map) last = item.result;
  EXPECT_EQ(ReasonOf(last), "MAP_TIMEOUT") << last;
  EXPECT_TRUE(map.Wait(seconds(30)));
  EXPECT_GT(map.progress().unsuccessful_items, 30u);
}

TEST_F(StreamTest, AnInputThatHasNothingNowHoldsUpNoResult) {
  const Pool pool = OpenPool(Connect());
  int asked = 0;
  bool more = false;
  auto stream = pool.MapStreamFrom<int>("identity", [&](Payload* item) -> absl::StatusOr<Pulled> {
    ++asked;
    if (asked == 1) {
      *item = Arguments(7);
      return Pulled::kItem;
    }
    return more ? Pulled::kEnd : Pulled::kNotYet;
  });
  EXPECT_EQ(stream.Next().value()->result.value(), 7);
  EXPECT_EQ(ReasonOf(stream.Next(milliseconds(50)).status()), "WAIT_TIMEOUT");
  more = true;
  EXPECT_EQ(stream.Next().value(), std::nullopt);
}

TEST_F(StreamTest, AnEmptyInputIsOverAtOnce) {
  const Pool pool = OpenPool(Connect());
  auto stream = pool.MapStream<int>("identity", std::vector<int>());
  EXPECT_EQ(stream.Next().value(), std::nullopt);
}

TEST_F(StreamTest, AnItemThatTheQueueCouldNeverHoldEndsTheStreamAndIsNotSentForEver) {
  const Client client = Connect();
  const auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_bytes = 1000});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const std::vector<Bytes> items{Bytes("fits"), Bytes(std::string(5000, 'x'))};
  auto stream = pool->MapStream<Bytes>("echo", items, {.buffer_size = 1});
  EXPECT_TRUE(stream.Next().value()->result.ok());
  absl::Status last;
  while (true) {
    const auto item = stream.Next();
    if (!item.ok()) {
      last = item.status();
      break;
    }
    if (!item->has_value()) break;
    last = (*item)->result.status();
  }
  EXPECT_THAT(std::string(last.message()), HasSubstr("5")) << last;
  const auto whole =
      pool->Map<Bytes>("echo", std::vector<Bytes>{Bytes(std::string(5000, 'x'))}, {.task = {.wait_when_full = true}});
  EXPECT_EQ(ReasonOf(whole.Get().status()), "TOO_LARGE");
}

TEST_F(StreamTest, WaitingForRoomHoldsOnlyWhatTheDaemonHasNotTaken) {
  const Client client = Connect({.max_unsent_bytes = 100'000, .on_full = OnFull::kFail});
  const Pool pool = OpenPool(client);
  std::vector<TaskHandle<int>> handles;
  // These keep the workers busy until all are submitted.
  auto blocker = pool.Submit<void>("sleep", 60'000);
  auto blocker_too = pool.Submit<void>("sleep", 60'000);
  for (int i = 0; i < 2'000; ++i) {
    handles.push_back(pool.SubmitWith<int>({.wait_when_full = true}, "identity", i));
    if (i % 50 == 49) {
      ASSERT_TRUE(client.Flush().ok());
    }
  }
  ASSERT_TRUE(blocker.Cancel(true).ok());
  ASSERT_TRUE(blocker_too.Cancel(true).ok());
  for (int i = 0; i < 2'000; ++i) EXPECT_EQ(handles[i].Get().value(), i);
}

}  // namespace
}  // namespace poold::client
