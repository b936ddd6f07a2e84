// What the results of a map cost the client.
#include <malloc.h>

#include <algorithm>
#include <numeric>

#include "daemon_fixture.h"

namespace poold::client {
namespace {

class MapMemoryTest : public DaemonTest {};

// Items that come one by one cost what they would in chunks.
TEST_F(MapMemoryTest, ItemsThatAreSentSinglyCostTheClientLittle) {
  constexpr std::size_t kItems = 200'000;
  const Pool pool = OpenPool(Connect());
  std::vector<int> items(kItems);
  std::iota(items.begin(), items.end(), 0);
  const std::size_t before = mallinfo2().uordblks;
  const auto map = pool.Map<int>("identity", items, {.chunk_size = 1});
  ASSERT_TRUE(map.Wait(std::chrono::seconds(100)));
  EXPECT_LT(mallinfo2().uordblks - before, kItems * 100);
  EXPECT_EQ(map.Get().value(), items);
  EXPECT_EQ(map.Get().value(), items);  // and again
}

TEST_F(MapMemoryTest, AWalkSeesEachItemOnceWhileTheyComeSingly) {
  const Pool pool = OpenPool(Connect());
  std::vector<int> items(20'000);
  std::iota(items.begin(), items.end(), 0);
  const auto map = pool.Map<int>("identity", items, {.chunk_size = 1, .order = MapOrder::kAsCompleted});
  std::vector<int> seen;
  for (const auto& item : map) seen.push_back(item.result.value());
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, items);
}

}  // namespace
}  // namespace poold::client
