// Whole numbers travel as MessagePack's library would write them.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "poold/codec/codec.h"

namespace poold::codec {
namespace {

template <typename T>
std::string ByTheLibrary(T number) {
  std::string out;
  StringSink sink{&out};
  Packer packer(sink);
  packer.pack(number);
  return out;
}

// Around every power of two, and the ends.
template <typename T>
std::vector<T> Numbers() {
  std::vector<T> numbers{std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), T{0}};
  for (int bit = 0; bit < std::numeric_limits<T>::digits; ++bit) {
    for (const int more : {-33, -1, 0, 1, 31}) {
      const std::uint64_t number = (std::uint64_t{1} << bit) + static_cast<std::uint64_t>(more);
      numbers.push_back(static_cast<T>(number));
      numbers.push_back(static_cast<T>(0 - number));
    }
  }
  return numbers;
}

template <typename T>
class ScalarsTest : public ::testing::Test {};
using Types = ::testing::Types<int, unsigned, long, unsigned long, long long>;
TYPED_TEST_SUITE(ScalarsTest, Types);

TYPED_TEST(ScalarsTest, AreWrittenAsTheLibraryDoesAndReadBack) {
  for (const TypeParam number : Numbers<TypeParam>()) {
    const std::string written = Encode(number);
    ASSERT_EQ(written, ByTheLibrary(number)) << number;
    const auto read = Decode<TypeParam>(written);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(*read, number);
  }
}

TYPED_TEST(ScalarsTest, FollowEachOtherInAText) {
  std::string text = "before";
  Append(&text, TypeParam{7});
  Append(&text, std::numeric_limits<TypeParam>::max());
  EXPECT_EQ(text, "before\x07" + Encode(std::numeric_limits<TypeParam>::max()));
}

TEST(ScalarTest, WhatIsCutOffOrHasMoreBehindItIsRefused) {
  const std::string written = Encode(1'000'000);
  EXPECT_FALSE(Decode<int>(written.substr(0, 4)).ok());
  EXPECT_FALSE(Decode<int>(written + "x").ok());
  EXPECT_FALSE(Decode<int>("").ok());
  EXPECT_FALSE(Decode<int>(Encode(std::int64_t{1} << 40)).ok());
  EXPECT_FALSE(Decode<unsigned>(Encode(-1)).ok());
}

}  // namespace
}  // namespace poold::codec
