// Which items come next, where their bytes lie, and what is tried again.
#include "core/map/map_items.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace poold::core {
namespace {

class Items : public ::testing::Test {
 protected:
  ~Items() override { EXPECT_EQ(items_.Check(), ""); }

  static std::shared_ptr<const ItemColumn> Column(const std::vector<std::string>& items) {
    auto column = std::make_shared<ItemColumn>();
    std::string data;
    for (const std::string& item : items) {
      column->lengths.push_back(static_cast<std::uint32_t>(item.size()));
      data += item;
    }
    column->data = Bytes(std::move(data));
    return column;
  }
  void Come(const std::vector<std::string>& items, Nanos now = 0, std::uint64_t skip = 0) {
    items_.Append(Column(items), skip, now);
  }
  std::string BytesOf(std::uint64_t begin, std::uint64_t count) const {
    std::string bytes;
    for (const ItemSlice& slice : items_.Slices(begin, count)) bytes += slice.data;
    return bytes;
  }

  MapItems items_{nullptr};
  Dropped dropped_;
};

TEST_F(Items, BytesLieInTheColumnsThatBroughtThem) {
  Come({"a", "bb", ""}, 10);
  Come({"old", "c", "dd"}, 20, /*skip=*/1);
  EXPECT_EQ(items_.arrived(), 5u);
  EXPECT_EQ(BytesOf(1, 4), "bbcdd");
  EXPECT_EQ(items_.BytesOf(1, 4), 5u);
  EXPECT_EQ(items_.ArrivedAt(2), 10);
  EXPECT_EQ(items_.ArrivedAt(3), 20);
  EXPECT_EQ(items_.ColumnEnd(1), 3u);
}

TEST_F(Items, BytesAreFoundInLongColumns) {
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back(std::to_string(i));
  Come(many);
  EXPECT_EQ(BytesOf(0, 3), "012");
  EXPECT_EQ(BytesOf(63, 3), "636465");
  EXPECT_EQ(BytesOf(999, 1), "999");
}

TEST_F(Items, WhatComesAgainIsSentFirst) {
  Come({"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(items_.Take(4), (ItemRange{0, 4}));
  EXPECT_EQ(items_.ready(), 2u);
  items_.GiveBack({2, 4}, 0);
  items_.GiveBack({1, 2}, 0);
  EXPECT_EQ(items_.ready(), 5u);
  EXPECT_EQ(items_.NextItem(), 1u);
  EXPECT_EQ(items_.Take(100), (ItemRange{1, 4}));  // neighbours were joined
  EXPECT_EQ(items_.Take(1), (ItemRange{4, 5}));
  EXPECT_EQ(items_.Take(100), (ItemRange{5, 6}));
  EXPECT_EQ(items_.ready(), 0u);
}

TEST_F(Items, WhatMayHaveBegunIsSentByItself) {
  Come({"a", "b", "c", "d"});
  items_.Take(4);
  items_.GiveBack({2, 4}, 1);
  items_.GiveBack({0, 2}, 2);
  EXPECT_EQ(items_.NextSplit(), 2u);
  EXPECT_EQ(items_.NextAttempts(), 2u);
  EXPECT_EQ(items_.Take(1), (ItemRange{0, 1}));
  EXPECT_EQ(items_.NextSplit(), 1u);
  EXPECT_EQ(items_.Take(100), (ItemRange{1, 2}));
  EXPECT_EQ(items_.NextAttempts(), 1u);
  EXPECT_EQ(items_.Take(100), (ItemRange{2, 4}));
  EXPECT_EQ(items_.NextSplit(), 0u);
}

TEST_F(Items, AnItemThatFailedWaitsAndThenComesFirstAndAlone) {
  Come({"a", "b", "c"});
  items_.Take(2);
  ItemRetry* retry = items_.Retry(1, /*attempt=*/1, /*most_attempts=*/2, /*death=*/false);
  ASSERT_NE(retry, nullptr);
  EXPECT_EQ(items_.waiting(), 1u);
  EXPECT_EQ(items_.ready(), 1u);
  items_.DropRetry(1);  // it waits: nothing happens
  items_.RetryDue(*retry);
  EXPECT_EQ(items_.waiting(), 0u);
  EXPECT_TRUE(items_.NextIsRetry());
  EXPECT_EQ(items_.NextAttempts(), 1u);
  EXPECT_EQ(items_.Take(100), (ItemRange{1, 2}));
  EXPECT_FALSE(items_.NextIsRetry());
  EXPECT_EQ(items_.Retry(1, 2, 2, false), nullptr);  // it had its attempts
  EXPECT_FALSE(items_.IsPoison(1));
  items_.DropRetry(1);
}

TEST_F(Items, AnItemUnderWhichWorkersDieIsPoison) {
  Come({"a"});
  items_.Take(1);
  for (std::uint32_t death = 1; death < kMostDeaths; ++death) {
    ItemRetry* retry = items_.Retry(0, death, 100, /*death=*/true);
    ASSERT_NE(retry, nullptr);
    items_.RetryDue(*retry);
    items_.Take(1);
  }
  EXPECT_FALSE(items_.IsPoison(0));
  EXPECT_EQ(items_.Retry(0, kMostDeaths, 100, true), nullptr);
  EXPECT_TRUE(items_.IsPoison(0));
}

TEST_F(Items, NothingIsKeptOfWhatIsDone) {
  Come({"a", "b"});
  Come({"c", "d"});
  items_.Take(4);
  EXPECT_EQ(items_.entries(), 2u);
  items_.NoteDone({1, 3}, 1, &dropped_);
  EXPECT_EQ(items_.entries(), 2u);
  items_.NoteDone({0, 1}, 0, &dropped_);
  items_.NoteDone({3, 4}, 0, &dropped_);
  EXPECT_EQ(items_.entries(), 0u);
  EXPECT_EQ(items_.done(), 4u);
  EXPECT_FALSE(dropped_.empty());  // their bytes
  EXPECT_EQ(items_.unsuccessful(), 1u);
}

TEST_F(Items, RetriesAreForgottenOneByOne) {
  Come({"a", "b", "c"});
  items_.Take(3);
  items_.Retry(2, 1, 3, false);
  items_.Retry(0, 1, 3, false);
  EXPECT_EQ(items_.waiting(), 2u);
  while (ItemRetry* retry = items_.AnyRetry()) items_.ForgetRetry(*retry);
  EXPECT_EQ(items_.waiting(), 0u);
}

}  // namespace
}  // namespace poold::core
