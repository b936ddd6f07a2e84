// Bytes that are few lie in the object, others are shared.
#include "core/bytes.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace poold::core {
namespace {

const std::string kText = "one two three four five six seven eight nine ten";

TEST(Bytes, CopiesAndMovesSayTheSame) {
  for (std::size_t size = 0; size <= kText.size(); ++size) {
    const std::string text = kText.substr(0, size);
    Bytes bytes = Bytes(kText).Slice(0, size);
    EXPECT_EQ(bytes.view(), text);
    const Bytes copy = bytes;
    Bytes moved = std::move(bytes);
    EXPECT_EQ(copy.view(), text);
    EXPECT_EQ(moved.view(), text);
    moved = copy;
    EXPECT_EQ(moved, copy);
    moved = std::move(moved);
    EXPECT_EQ(moved.view(), text);
  }
}

TEST(Bytes, AssignmentTakesTheOtherKindToo) {
  const Bytes few = Bytes::Few("few");
  const Bytes many(kText);
  Bytes bytes = few;
  bytes = many;
  EXPECT_EQ(bytes.view(), kText);
  bytes = few;
  EXPECT_EQ(bytes.view(), "few");
  bytes = {};
  EXPECT_TRUE(bytes.empty());
}

TEST(Bytes, AFewOfThemKeepNothingElseAlive) {
  auto owner = std::make_shared<const std::string>(kText);
  const std::weak_ptr<const std::string> watched = owner;
  Bytes whole(owner, *owner);
  owner = nullptr;
  const Bytes few = whole.Slice(4, 3);
  Bytes many = whole.Slice(0, Bytes::kFew + 1);
  whole = {};
  EXPECT_FALSE(watched.expired());
  many = {};
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(few.view(), "two");
  EXPECT_EQ(few.owner(), nullptr);
}

TEST(Bytes, FewStayRightWhereTheyAreMovedTo) {
  std::vector<Bytes> all;
  for (int i = 0; i < 1000; ++i) all.push_back(Bytes::Few(std::to_string(i)));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].view(), std::to_string(i));
}

TEST(Bytes, NeighboursOfOneOwnerJoin) {
  const Bytes whole(kText);
  Bytes first = whole.Slice(0, 25);
  EXPECT_FALSE(first.Join(Bytes(kText.substr(25))));
  EXPECT_FALSE(first.Join(Bytes::Few("x")));
  EXPECT_TRUE(first.Join(Bytes(whole.owner(), whole.view().substr(25))));
  EXPECT_EQ(first.view(), kText);
}

}  // namespace
}  // namespace poold::core
