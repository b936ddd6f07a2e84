// Which outcomes of items are kept, and when they go.
#include "core/map/item_outcomes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace poold::core {
namespace {

ItemBlock Block(std::uint64_t first, const std::vector<std::string>& results) {
  ItemBlock block;
  block.first_index = first;
  for (const std::string& result : results) {
    block.result_bytes.push_back(static_cast<std::uint32_t>(result.size()));
    block.results += result;
  }
  return block;
}

class Outcomes : public ::testing::Test {
 protected:
  ~Outcomes() override { EXPECT_EQ(outcomes_.Check(), ""); }

  void Keep(std::uint64_t first, const std::vector<std::string>& results) {
    outcomes_.Keep(std::make_shared<const ItemBlock>(Block(first, results)));
  }
  // The first items of the blocks that went.
  std::vector<std::uint64_t> Consume(ItemRange range) {
    std::vector<std::uint64_t> gone;
    outcomes_.Consume(range, [&](const ItemBlockPtr& block) { gone.push_back(block->first_index); });
    return gone;
  }

  ItemOutcomes outcomes_;
  Dropped dropped_;
};

TEST_F(Outcomes, AreToldInTheOrderInWhichTheyCame) {
  Keep(4, {"e"});
  Keep(0, {"a", "b"});
  Keep(2, {"c"});
  std::string told;
  for (const ItemBlockPtr& block : outcomes_.InOrder()) told += block->results;
  EXPECT_EQ(told, "eabc");
  EXPECT_EQ(outcomes_.Find(1)->first_index, 0u);
  EXPECT_EQ(outcomes_.Find(3), nullptr);
}

TEST_F(Outcomes, ABlockGoesWhenAllItsItemsWereConsumed) {
  Keep(0, {"a", "b"});
  Keep(2, {"c"});
  EXPECT_TRUE(Consume({1, 2}).empty());
  EXPECT_EQ(Consume({0, 3}), (std::vector<std::uint64_t>{0, 2}));
  EXPECT_TRUE(outcomes_.WasConsumed({0, 3}));
  EXPECT_TRUE(outcomes_.IsDone(2));
  EXPECT_FALSE(outcomes_.IsDone(3));
  EXPECT_EQ(outcomes_.entries(), 1u);  // one range
}

TEST_F(Outcomes, ArgumentsGoWithTheirItems) {
  *outcomes_.AddArguments(1) = Bytes(std::string("one"));
  EXPECT_EQ(outcomes_.AddArguments(1), nullptr);
  *outcomes_.AddArguments(5) = Bytes(std::string("five"));
  EXPECT_EQ(outcomes_.FindArguments(1)->view(), "one");
  std::uint64_t bytes = 0;
  outcomes_.DropArguments({0, 5}, [&](const Bytes& gone) { bytes += gone.size(); });
  EXPECT_EQ(bytes, 3u);
  EXPECT_EQ(outcomes_.FindArguments(1), nullptr);
  EXPECT_NE(outcomes_.FindArguments(5), nullptr);
}

TEST_F(Outcomes, AStretchThatHoldsManyIsCut) {
  for (std::uint64_t i = 0; i < 10; ++i) Keep(i, {"a"});
  EXPECT_EQ(outcomes_.StopBehind({0, 10}, 100), 10u);
  const std::uint64_t stop = outcomes_.StopBehind({0, 10}, 3);
  EXPECT_GT(stop, 0u);
  EXPECT_LE(stop, 4u);
  *outcomes_.AddArguments(7) = Bytes(std::string("one"));
  *outcomes_.AddArguments(8) = Bytes(std::string("one"));
  EXPECT_EQ(outcomes_.StopBehind({6, 10}, 1), 7u);
  EXPECT_EQ(outcomes_.StopBehind({9, 10}, 1), 10u);
}

TEST_F(Outcomes, AllGoesAtOnce) {
  Keep(0, {"a"});
  Keep(1, {"b"});
  *outcomes_.AddArguments(1) = Bytes(std::string("one"));
  outcomes_.Drop(&dropped_);
  EXPECT_EQ(outcomes_.entries(), 0u);
}

TEST(CutBlock, KeepsWhatBelongsToTheItemsOfThePart) {
  ItemBlock block = Block(10, {"a", "", "ccc", "d"});
  block.others.emplace_back(11, std::make_shared<Outcome>());
  const ItemBlock part = CutBlock(block, 11, 13);
  EXPECT_EQ(part.first_index, 11u);
  EXPECT_EQ(part.results, "ccc");
  EXPECT_EQ(part.result_bytes, (std::vector<std::uint32_t>{0, 3}));
  EXPECT_EQ(part.others.size(), 1u);
  EXPECT_TRUE(CutBlock(block, 12, 14).others.empty());
}

}  // namespace
}  // namespace poold::core
