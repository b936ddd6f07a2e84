// Ids: known, buried, forgotten.
#include "core/task/handle_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "core/task.h"

namespace poold::core {
namespace {

TEST(HandleTable, KnowsNeighboursApart) {
  HandleTable table(10);
  Task first;
  Task second;
  table.Add({1, 8}, &first);
  table.Add({1, 9}, &second);
  EXPECT_EQ(table.Find({1, 8}), &first);
  EXPECT_EQ(table.Find({1, 9}), &second);
  EXPECT_EQ(table.Find({1, 10}), nullptr);
  EXPECT_EQ(table.Find({2, 8}), nullptr);
}

TEST(HandleTable, RemembersTheLastOnesThatWereBuried) {
  HandleTable table(2);
  Task task;
  for (std::uint64_t low = 0; low < 20; ++low) table.Add({1, low}, &task);
  for (std::uint64_t low = 0; low < 20; ++low) table.Retire({1, low});
  EXPECT_EQ(table.size(), 2u);
  EXPECT_TRUE(table.IsTombstone({1, 19}));
  EXPECT_FALSE(table.IsTombstone({1, 17}));
}

TEST(HandleTable, AgreesWithAPlainSetOverManyChanges) {
  HandleTable table(1'000'000);
  Task task;
  std::set<HandleId> known;
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const HandleId id{random() % 3, random() % 5000};
    if (known.contains(id)) {
      EXPECT_EQ(table.Find(id), &task);
      table.Forget(id);
      known.erase(id);
    } else {
      EXPECT_EQ(table.Find(id), nullptr);
      table.Add(id, &task);
      known.insert(id);
    }
  }
  EXPECT_EQ(table.size(), known.size());
}

// The most blocks that one change of the table moved.
template <typename Change>
std::uint64_t MostMoved(HandleTable* table, std::uint64_t changes, Change change) {
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::uint64_t before = table->moved();
    change(HandleId{i * 0x9e3779b97f4a7c15, i});
    most = std::max(most, table->moved() - before);
  }
  return most;
}

TEST(HandleTable, GrowsAndShrinksByOneBucketAtATime) {
  constexpr std::uint64_t kIds = 200'000;
  HandleTable table(0);
  Task task;
  EXPECT_LE(MostMoved(&table, kIds, [&](const HandleId& id) { table.Add(id, &task); }), 64u);
  EXPECT_EQ(table.blocks(), kIds);
  EXPECT_LE(table.moved(), 3 * kIds);
  EXPECT_LE(MostMoved(&table, kIds, [&](const HandleId& id) { ASSERT_EQ(table.Find(id), &task); }), 0u);
  EXPECT_LE(MostMoved(&table, kIds, [&](const HandleId& id) { table.Forget(id); }), 256u);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_LE(table.buckets(), 16u);
}

}  // namespace
}  // namespace poold::core
