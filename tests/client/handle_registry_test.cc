// Cells by number, in blocks.
#include "session/handle_registry.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "session/handle_state.h"

namespace poold::client::internal {
namespace {

TEST(TaskTableTest, ANumberThatIsTakenKeepsItsCell) {
  TaskHandleState first, second;
  TaskTable table;
  table.Add(7, &first);
  table.Add(7, &second);
  EXPECT_EQ(table.Find(7), &first);
  table.Remove(7);
  EXPECT_EQ(table.Find(7), nullptr);
  EXPECT_TRUE(table.empty());
}

// As a map would, whatever comes and goes in which order.
TEST(TaskTableTest, HoldsWhatWasAddedAndNotRemoved) {
  std::mt19937_64 random(1);
  std::vector<TaskHandleState> cells(64);
  std::map<std::uint64_t, TaskHandleState*> wanted;
  TaskTable table;
  for (int step = 0; step < 100'000; ++step) {
    // Far apart, and so that many share a place among the blocks used last.
    const std::uint64_t number = random() % 40 * 997 + (random() % 8 == 0 ? random() : 0);
    TaskHandleState* const cell = &cells[random() % cells.size()];
    if (random() % 2 == 0) {
      table.Add(number, cell);
      wanted.emplace(number, cell);
    } else {
      table.Remove(number);
      wanted.erase(number);
    }
    const auto at = wanted.find(number);
    ASSERT_EQ(table.Find(number), at == wanted.end() ? nullptr : at->second);
    ASSERT_EQ(table.empty(), wanted.empty());
  }
  std::multiset<TaskHandleState*> there, expected;
  table.ForEach([&](TaskHandleState* cell) { there.insert(cell); });
  for (const auto& [number, cell] : wanted) expected.insert(cell);
  EXPECT_EQ(there, expected);
}

}  // namespace
}  // namespace poold::client::internal
