// A daemon with little room for outcomes, and clients that hold on to all of theirs.
#include <future>
#include <thread>
#include <vector>

#include "daemon_fixture.h"

namespace poold::client {
namespace {

using std::chrono::seconds;

constexpr auto kPatience = seconds(60);
// Of which each takes some hundred bytes: several times the room.
constexpr int kTasks = 20'000;

class SmallRoomTest : public DaemonTest {
 protected:
  std::vector<std::string> MoreFlags() const override { return {"--set", "limits.max_kept_outcome_bytes = 1000000"}; }

  static std::vector<TaskHandle<int>> Submit(const Pool& pool) {
    std::vector<TaskHandle<int>> handles;
    handles.reserve(kTasks);
    for (int i = 0; i < kTasks; ++i) handles.push_back(pool.Submit<int>("identity", i));
    return handles;
  }
  // That all of them have come, and are still there.
  static void Expect(const std::vector<TaskHandle<int>>& handles) {
    for (int i = 0; i < kTasks; ++i) {
      const auto result = handles[static_cast<std::size_t>(i)].Get(kPatience);
      ASSERT_TRUE(result.ok()) << i << ": " << result.status();
      ASSERT_EQ(*result, i);
    }
  }
};

TEST_F(SmallRoomTest, HandlesThatAreHeldDoNotStopThePool) {
  const Client client = Connect();
  const auto handles = Submit(OpenPool(client));
  Expect(handles);
  Expect(handles);
}

TEST_F(SmallRoomTest, AClientThatComesWhenTheRoomIsShortKnowsIt) {
  const Client first = Connect();
  const Pool pool = OpenPool(first);
  const auto held = Submit(pool);
  Expect(held);
  const Client second = Connect();
  const auto handles = Submit(*second.GetPool(pool.name()));
  Expect(handles);
}

TEST_F(SmallRoomTest, AHandleThatWasWrittenDownStaysForOthers) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  const std::vector<TaskHandle<int>> filling = Submit(pool);
  const auto slow = pool.Submit<int>("identity", 7);
  const std::string written = slow.ToString();
  Expect(filling);
  ASSERT_EQ(slow.Get(kPatience).value(), 7);
  const Client other = Connect();
  EXPECT_EQ(other.Resume<int>(written)->Get(kPatience).value(), 7);
}

// Results that stay in the daemon until they are asked for, many times as much as it has room for.
class LargeResultsTest : public DaemonTest {
 protected:
  static constexpr int kResults = 48;
  static constexpr std::size_t kEach = 3 << 20;

  std::vector<std::string> MoreFlags() const override { return {"--set", "limits.max_kept_outcome_bytes = 16000000"}; }
  static Bytes Sent(int i) { return Bytes{std::string(kEach, static_cast<char>('a' + i % 26))}; }
};

TEST_F(LargeResultsTest, HandlesThatAreHeldDoNotStopThePool) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<TaskHandle<Bytes>> handles;
  for (int i = 0; i < kResults; ++i) handles.push_back(pool.Submit<Bytes>("echo", Sent(i)));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kResults; ++i) {
      const auto result = handles[static_cast<std::size_t>(i)].Get(kPatience);
      ASSERT_TRUE(result.ok()) << i << ": " << result.status();
      ASSERT_TRUE(result->data == Sent(i).data) << i;
    }
  }
}

TEST_F(LargeResultsTest, AMapThatNobodyWalksYetDoesNotStopThePool) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<Bytes> items;
  for (int i = 0; i < kResults; ++i) items.push_back(Sent(i));
  const auto map = pool.Map<Bytes>("echo", items);
  const auto results = map.Get(kPatience);
  ASSERT_TRUE(results.ok()) << results.status();
  for (int i = 0; i < kResults; ++i) ASSERT_TRUE((*results)[static_cast<std::size_t>(i)].data == Sent(i).data) << i;
}

// Its callback gets a handle again when the map has ended.
TEST_F(LargeResultsTest, AMapThatIsDroppedWithACallbackKeepsNothing) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<Bytes> items;
  for (int i = 0; i < kResults; ++i) items.push_back(Sent(i));
  std::promise<void> done;
  {
    const auto map = pool.Map<Bytes>("echo", items, {.chunk_size = 1});
    map.OnDone([&](const MapHandle<Bytes>&) { done.set_value(); });
    while (map.progress().done_items < 3) std::this_thread::yield();
  }
  ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(pool.Apply<Bytes>("echo", Sent(1)).ok());
}

}  // namespace
}  // namespace poold::client
