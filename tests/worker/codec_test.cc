// C++ values through MessagePack and back.
#include "poold/codec/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include "poold/codec/text.h"

namespace poold::codec {
namespace {

enum class Colour : std::uint8_t { kRed = 1, kBlue = 2 };

struct Inner {
  std::vector<int> numbers;
  bool operator==(const Inner&) const = default;
};
POOLD_FIELDS(Inner, numbers);

struct Outer {
  std::string name = "nobody";
  Inner inner;
  std::optional<double> weight;
  Colour colour = Colour::kRed;
  bool operator==(const Outer&) const = default;
};
POOLD_FIELDS(Outer, name, inner, weight, colour);

struct Classic {
  int a = 0;
  std::string b;
  MSGPACK_DEFINE(a, b);
};

template <typename T>
void ExpectRoundTrip(const T& value) {
  const auto decoded = Decode<T>(Encode(value));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, value);
}

template <typename T>
std::string ErrorOf(const std::string& bytes) {
  return std::string(Decode<T>(bytes).status().message());
}

TEST(CodecTest, ValuesComeBack) {
  ExpectRoundTrip(true);
  ExpectRoundTrip(std::int64_t{-1} << 63);
  ExpectRoundTrip(~std::uint64_t{0});
  ExpectRoundTrip(1.25f);
  ExpectRoundTrip(-1e300);
  ExpectRoundTrip(std::string("text\0with zero", 14));
  ExpectRoundTrip(Bytes{"\xff"});
  ExpectRoundTrip(std::vector<std::string>{"a", ""});
  ExpectRoundTrip(std::set<int>{3, 1});
  ExpectRoundTrip(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  ExpectRoundTrip(std::unordered_map<int, bool>{{1, true}});
  ExpectRoundTrip(std::tuple<int, std::string, double>{1, "b", 2.5});
  ExpectRoundTrip(std::pair<char, unsigned char>{'x', 200});
  ExpectRoundTrip(std::array<std::optional<int>, 2>{1, std::nullopt});
  ExpectRoundTrip(Outer{"Ada", {{1, 2}}, 60.5, Colour::kBlue});
}

TEST(CodecTest, IntegersAreCheckedAgainstTheirRange) {
  EXPECT_EQ(ErrorOf<std::int8_t>(Encode(128)), "wanted int8, given integer 128");
  EXPECT_EQ(ErrorOf<std::uint16_t>(Encode(-1)), "wanted uint16, given integer -1");
  EXPECT_EQ(ErrorOf<std::int64_t>(Encode(std::uint64_t{1} << 63)), "wanted int64, given integer 9223372036854775808");
  EXPECT_EQ(ErrorOf<int>("\xcb\x7f\xf8" + std::string(6, '\0')).substr(0, 25), "wanted int32, given float");
  EXPECT_EQ(ErrorOf<bool>(Encode(1)), "wanted boolean, given integer 1");
  EXPECT_EQ(ErrorOf<int>(Encode(true)), "wanted int32, given true");
}

TEST(CodecTest, AMismatchSaysWhereItIs) {
  const std::string bytes =
      Encode(std::map<std::string, std::map<std::string, std::vector<std::string>>>{{"inner", {{"numbers", {"x"}}}}});
  EXPECT_EQ(ErrorOf<Outer>(bytes), "wanted int32, given string at .inner.numbers[0]");
}

TEST(CodecTest, StructsTakeMapsWithGapsAndWholeArrays) {
  EXPECT_EQ(Decode<Outer>(Encode(std::map<std::string, int>{{"colour", 2}, {"unknown", 1}}))->colour, Colour::kBlue);
  EXPECT_EQ(Decode<Outer>(Encode(std::map<std::string, int>{}))->name, "nobody");
  using Fields = std::tuple<std::string, std::tuple<std::vector<int>>, double, int>;
  EXPECT_EQ(Decode<Outer>(Encode(Fields{"Ada", {{7}}, 1, 2}))->inner.numbers[0], 7);
  EXPECT_THAT(ErrorOf<Outer>(Encode(std::tuple<int>{1})), ::testing::HasSubstr("{name, inner, weight, colour}"));
}

TEST(CodecTest, TheLibrarysOwnMacroWorks) {
  const auto classic = Decode<Classic>(Encode(std::tuple<int, std::string>{4, "x"}));
  ASSERT_TRUE(classic.ok());
  EXPECT_EQ(classic->a, 4);
  EXPECT_FALSE(Decode<Classic>(Encode(5)).ok());
}

TEST(CodecTest, WhatIsMalformedIsRefused) {
  for (const std::string bytes :
       {"", "\xc1", "\x92\x01", "\xdb\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff\x01", "\x01\x01"}) {
    EXPECT_THAT(ErrorOf<int>(bytes), ::testing::HasSubstr("malformed MessagePack"));
  }
  EXPECT_FALSE(Decode<std::vector<int>>(std::string(100'000, '\x91')).ok());
}

TEST(CodecTest, RandomBytesNeverHarm) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    (void)Decode<Outer>(bytes).ok();
    (void)Decode<std::vector<std::string>>(bytes).ok();
    (void)Decode<std::tuple<std::int8_t, double, Bytes>>(bytes).ok();
  }
}

TEST(TextTest, TheHeadIsAsTheLibraryWritesIt) {
  for (const std::size_t size : {0, 1, 31, 32, 255, 256, 65535, 65536, 1 << 20}) {
    const std::string text(size, 'x');
    EXPECT_TRUE(std::string(TextHead::OfText(size).view()) + text == Encode(text)) << size;
    EXPECT_TRUE(std::string(TextHead::OfBytes(size).view()) + text == Encode(Bytes{text})) << size;
    for (const std::string& encoded : {Encode(text), Encode(Bytes{text})}) {
      const auto read = ReadOnlyText(encoded);
      ASSERT_TRUE(read) << size;
      EXPECT_TRUE(*read == text);
      EXPECT_EQ(read->data() + size, encoded.data() + encoded.size());
      EXPECT_FALSE(ReadOnlyText(encoded + "x"));
      EXPECT_FALSE(ReadOnlyText(std::string_view(encoded).substr(0, encoded.size() - 1)));
      EXPECT_FALSE(ReadOnlyText(std::string_view(encoded).substr(0, 1)) && size != 0);
    }
  }
}

TEST(TextTest, NothingElseIsOne) {
  EXPECT_FALSE(ReadOnlyText(""));
  for (const std::string& other : {Encode(7), Encode(1.5), Encode(true), Encode(std::vector<int>{1, 2}),
                                   Encode(std::map<std::string, int>{{"a", 1}}), std::string("\xc0")}) {
    EXPECT_FALSE(ReadOnlyText(other));
  }
  for (const char* cut : {"\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff", "\xd9", "\xda\x01", "\xbf"}) {
    EXPECT_FALSE(ReadOnlyText(cut));
  }
}

}  // namespace
}  // namespace poold::codec
