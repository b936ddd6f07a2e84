// Who watches what, and when a watch is over.
#include "core/subscribe/watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_clients.h"

namespace poold::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

WatchEvent EventOf(std::uint64_t id) {
  TaskView view;
  view.id.low = id;
  return view;
}

struct WatchesTest : ::testing::Test {
  testing::FakeClients clients;
  Watches watches{&clients};
  PoolWatchers pool;
  HandleWatchers first;
  HandleWatchers second;
};

TEST_F(WatchesTest, WhoeverWatchesThePoolOrTheHandleIsTold) {
  watches.WatchPool(pool, kAnn, /*output=*/false);
  watches.WatchHandles({&first}, kBob, /*output=*/false);
  watches.Tell(pool, &first, [] { return EventOf(7); });
  EXPECT_THAT(clients.Said(), ElementsAre("1 sees 7", "2 sees 7"));
  watches.Tell(pool, &second, [] { return EventOf(8); });
  EXPECT_THAT(clients.Said(), ElementsAre("1 sees 8"));
  watches.Tell(pool, nullptr, [] { return EventOf(9); });
  EXPECT_THAT(clients.Said(), ElementsAre("1 sees 9"));
  EXPECT_EQ(watches.Check(), "");
}

TEST_F(WatchesTest, OutputGoesToThoseThatAskedForIt) {
  watches.WatchPool(pool, kAnn, /*output=*/true);
  watches.WatchHandles({&first}, kBob, /*output=*/false);
  watches.TellOutput(pool, first, {});
  EXPECT_THAT(clients.Said(), ElementsAre("1 sees output"));
}

TEST_F(WatchesTest, AWatchOfHandlesEndsWithTheLastOfThem) {
  watches.WatchHandles({&first, &second}, kAnn, /*output=*/false);
  watches.HandleEnded(second);
  EXPECT_THAT(clients.Said(), IsEmpty());
  EXPECT_TRUE(second.empty());
  watches.HandleEnded(first);
  EXPECT_THAT(clients.Said(), ElementsAre("1 watch over"));
  EXPECT_EQ(watches.size(), 0u);
}

TEST_F(WatchesTest, AWatchOfNothingEndsAtOnce) {
  watches.WatchHandles({}, kAnn, /*output=*/false);
  EXPECT_THAT(clients.Said(), ElementsAre("1 watch over"));
}

TEST_F(WatchesTest, AWatchOfAPoolEndsWithThePool) {
  watches.WatchPool(pool, kAnn, /*output=*/false);
  watches.WatchPool(pool, kBob, /*output=*/false);
  watches.PoolEnded(pool);
  EXPECT_THAT(clients.Said(), ElementsAre("1 watch over", "2 watch over"));
  EXPECT_TRUE(pool.empty());
  EXPECT_EQ(watches.size(), 0u);
}

TEST_F(WatchesTest, AWatcherThatIsGoneHearsNothing) {
  watches.WatchPool(pool, kAnn, /*output=*/false);
  watches.WatchHandles({&first}, kBob, /*output=*/false);
  watches.WatcherGone(kAnn);
  watches.WatcherGone(kBob);
  watches.Tell(pool, &first, [] { return EventOf(7); });
  watches.HandleEnded(first);
  watches.PoolEnded(pool);
  EXPECT_THAT(clients.Said(), IsEmpty());
  EXPECT_EQ(watches.Check(), "");
}

}  // namespace
}  // namespace poold::core
