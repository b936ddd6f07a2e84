// What goes in comes out, type and bits: values beside the bytes that they travel as.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <span>
#include <string>
#include <variant>

#include "poold/codec/codec.h"
#include "poold/worker.h"

namespace poold::codec {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

struct Weight {
  double grams = 0;
  std::optional<float> error;
  bool operator==(const Weight&) const = default;
};
POOLD_FIELDS(Weight, grams, error);

struct Circle {
  double radius = 0;
  bool operator==(const Circle&) const = default;
};
POOLD_FIELDS(Circle, radius);
struct Square {
  double side = 0;
  bool operator==(const Square&) const = default;
};
POOLD_FIELDS(Square, side);

struct OfTheLibrary {
  double number = 0;
  MSGPACK_DEFINE(number);
};

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    hex += digits;
  }
  return hex;
}

// Through a function of a worker, too: as its argument, and as its result.
template <typename T>
std::string Echoed(const T& value) {
  worker::Registry registry;
  registry.Add("echo", [](const T& same) { return same; });
  worker::Reply reply;
  const std::string args = EncodeArguments(value);
  registry.functions()[0].invoke({.function = "echo", .encoding = worker::Encoding::kMsgpack, .args = args}, &reply);
  return reply.failure ? reply.failure->message : Hex(reply.data);
}

template <typename T>
void ExpectBytes(const T& value, const std::string& hex) {
  const std::string bytes = Encode(value);
  EXPECT_EQ(Hex(bytes), hex);
  const auto back = Decode<T>(bytes);
  ASSERT_TRUE(back.ok()) << back.status() << " of " << hex;
  EXPECT_EQ(Hex(Encode(*back)), hex);
  EXPECT_EQ(Echoed(value), hex);
}

template <typename T>
std::string ErrorOf(const std::string& bytes) {
  return std::string(Decode<T>(bytes).status().message());
}

TEST(ValuesTest, FloatsKeepTypeAndBits) {
  ExpectBytes(7.0, "cb401c000000000000");
  ExpectBytes(-0.0, "cb8000000000000000");
  ExpectBytes(0.0, "cb0000000000000000");
  ExpectBytes(-3.0, "cbc008000000000000");
  ExpectBytes(0x1p63, "cb43e0000000000000");
  ExpectBytes(0.1, "cb3fb999999999999a");
  ExpectBytes(5e-324, "cb0000000000000001");
  ExpectBytes(std::numeric_limits<double>::max(), "cb7fefffffffffffff");
  ExpectBytes(std::numeric_limits<double>::infinity(), "cb7ff0000000000000");
  ExpectBytes(std::bit_cast<double>(0xfff8000000000123), "cbfff8000000000123");
  ExpectBytes(7.0f, "ca40e00000");
  ExpectBytes(-0.0f, "ca80000000");
  ExpectBytes(0.1f, "ca3dcccccd");
  ExpectBytes(std::bit_cast<float>(0x7fc00001), "ca7fc00001");
}

TEST(ValuesTest, SoDoFloatsInsideOfOthers) {
  ExpectBytes(std::vector<double>{1.0, 2.0}, "92cb3ff0000000000000cb4000000000000000");
  ExpectBytes(std::map<double, float>{{1.0, 2.0f}}, "81cb3ff0000000000000ca40000000");
  ExpectBytes(std::optional<double>(4.0), "cb4010000000000000");
  ExpectBytes(Weight{2.0, 1.0f}, "82a56772616d73cb4000000000000000a56572726f72ca3f800000");
  ExpectBytes(OfTheLibrary{7.0}, "91cb401c000000000000");
}

TEST(ValuesTest, IntegersAreTheShortestThatHoldThem) {
  ExpectBytes(0, "00");
  ExpectBytes(-1, "ff");
  ExpectBytes(std::int8_t{-128}, "d080");
  ExpectBytes(std::uint8_t{255}, "ccff");
  ExpectBytes(std::uint64_t{1} << 32, "cf0000000100000000");
  ExpectBytes(std::numeric_limits<std::uint64_t>::max(), "cfffffffffffffffff");
  ExpectBytes(std::numeric_limits<std::int64_t>::max(), "cf7fffffffffffffff");
  ExpectBytes(std::numeric_limits<std::int64_t>::min(), "d38000000000000000");
}

TEST(ValuesTest, NumbersOfAnotherTypeAreTakenWhereNothingIsLost) {
  EXPECT_EQ(Decode<int>(Encode(7.0)).value(), 7);
  EXPECT_EQ(Decode<double>(Encode(std::int64_t{1} << 53)).value(), 0x1p53);
  EXPECT_EQ(Decode<double>(Encode(std::numeric_limits<std::int64_t>::min())).value(), -0x1p63);
  EXPECT_EQ(Decode<double>(Encode(0.1f)).value(), double{0.1f});
  EXPECT_EQ(Decode<float>(Encode(0.1)).value(), 0.1f);
  EXPECT_TRUE(std::isinf(Decode<float>(Encode(std::numeric_limits<double>::infinity())).value()));
}

TEST(ValuesTest, WhatWouldBeLostIsRefusedByName) {
  EXPECT_EQ(ErrorOf<int>(Encode(-0.0)), "wanted int32, given float -0");
  EXPECT_EQ(ErrorOf<int>(Encode(7.5)), "wanted int32, given float 7.5");
  EXPECT_EQ(ErrorOf<std::int64_t>(Encode(0x1p63)), "wanted int64, given float 9223372036854775808");
  EXPECT_EQ(ErrorOf<std::uint64_t>(Encode(0x1p64)), "wanted uint64, given float 18446744073709551616");
  EXPECT_EQ(ErrorOf<std::uint32_t>(Encode(std::int64_t{1} << 32)), "wanted uint32, given integer 4294967296");
  EXPECT_EQ(ErrorOf<std::int64_t>(Encode(~std::uint64_t{0})), "wanted int64, given integer 18446744073709551615");
  EXPECT_EQ(ErrorOf<double>(Encode((std::int64_t{1} << 53) + 1)), "wanted double, given integer 9007199254740993");
  EXPECT_EQ(ErrorOf<double>(Encode(~std::uint64_t{0})), "wanted double, given integer 18446744073709551615");
  EXPECT_EQ(ErrorOf<float>(Encode(16'777'217)), "wanted float, given integer 16777217");
  EXPECT_EQ(ErrorOf<float>(Encode(1e300)), "wanted float, given float 1e+300");
}

TEST(ValuesTest, ListsOfBytesAreBytes) {
  ExpectBytes(std::vector<std::uint8_t>{0, 1, 255}, "c4030001ff");
  ExpectBytes(std::vector<char>{'a'}, "c40161");
  ExpectBytes(std::vector<std::byte>{}, "c400");
  ExpectBytes(std::array<std::byte, 2>{std::byte{1}, std::byte{2}}, "c4020102");
  ExpectBytes(std::vector<std::int8_t>{1, -1}, "9201ff");
  const std::vector<std::uint8_t> list{7, 8};
  EXPECT_EQ(Hex(Encode(std::span(list))), "c4020708");
  EXPECT_EQ(Hex(Encode(std::span(std::as_bytes(std::span(list))))), "c4020708");
  const std::vector<int> numbers{7, 8};
  EXPECT_EQ(Hex(Encode(std::span(numbers))), "920708");
  // Of languages that have none.
  EXPECT_EQ(Decode<std::vector<std::uint8_t>>(Encode(std::vector<int>{7, 8})).value(), list);
  EXPECT_EQ(ErrorOf<std::vector<std::uint8_t>>(Encode(std::vector<int>{7, 256})),
            "wanted uint8, given integer 256 at [1]");
  using Two = std::array<std::uint8_t, 2>;
  EXPECT_EQ(ErrorOf<Two>(Encode(Bytes{"abc"})), "wanted exactly 2 bytes, given bytes");
}

TEST(ValuesTest, MoreTypesTravel) {
  ExpectBytes(std::list<int>{1, 2}, "920102");
  ExpectBytes(std::deque<std::string>{"a"}, "91a161");
  ExpectBytes(std::filesystem::path("/t/\xc3\xbc"), "a52f742fc3bc");
  ExpectBytes(std::filesystem::path("/\xff"), "c4022fff");
  ExpectBytes(std::monostate(), "c0");
  EXPECT_EQ(Hex(Encode(static_cast<const char*>(nullptr))), "c0");
  EXPECT_EQ(Hex(Encode(nullptr)), "c0");
}

TEST(ValuesTest, AVariantIsTheAlternativeThatItHolds) {
  using Number = std::variant<std::int64_t, double, float, std::string, Bytes>;
  ExpectBytes(Number(std::int64_t{7}), "07");
  ExpectBytes(Number(7.0), "cb401c000000000000");
  ExpectBytes(Number(7.0f), "ca40e00000");
  ExpectBytes(Number("a"), "a161");
  ExpectBytes(Number(Bytes{"a"}), "c40161");
  using Lists = std::variant<std::monostate, std::vector<int>, std::vector<double>>;
  ExpectBytes(Lists(), "c0");
  ExpectBytes(Lists(std::vector<double>{7.0}), "91cb401c000000000000");
  using Shape = std::variant<Circle, Square>;
  EXPECT_EQ(Decode<Shape>(Encode(Shape(Square{2}))).value(), Shape(Square{2}));
  // Nothing is written so: the first that takes it.
  EXPECT_EQ((Decode<std::variant<std::string, double>>(Encode(7)).value()), (std::variant<std::string, double>(7.0)));
  EXPECT_EQ((ErrorOf<std::variant<int, std::string>>(Encode(true))), "wanted int32 or string, given true");
}

TEST(ValuesTest, DurationsAreNanosecondsOrSayTheirUnit) {
  ExpectBytes(std::chrono::nanoseconds(-1), "ff");
  ExpectBytes(5ms, "ce004c4b40");
  ExpectBytes(std::chrono::hours(1), "cf0000034630b8a000");
  ExpectBytes(std::chrono::hours::max(), "93cf7fffffffffffffffcd0e1001");
  ExpectBytes(std::chrono::nanoseconds::min(), "d38000000000000000");
  ExpectBytes(std::chrono::duration<double>(0.1), "93cb3fb999999999999a0101");
  ExpectBytes(std::chrono::duration<double>(std::numeric_limits<double>::infinity()), "93cb7ff00000000000000101");
  ExpectBytes(std::chrono::duration<float, std::milli>(-0.0f), "93ca8000000001cd03e8");
  ExpectBytes(std::chrono::duration<std::int64_t, std::pico>(1), "930101cf000000e8d4a51000");
}

TEST(ValuesTest, DurationsConvertAsChronoDoes) {
  EXPECT_EQ(Decode<std::chrono::milliseconds>(Encode(2s)).value(), 2000ms);
  EXPECT_EQ(Decode<std::chrono::seconds>(Encode(2000ms)).value(), 2s);
  EXPECT_EQ(Decode<std::chrono::seconds>(Encode(std::chrono::duration<double>(2.0))).value(), 2s);
  EXPECT_EQ(Decode<std::chrono::duration<double>>(Encode(1500ms)).value().count(), 1.5);
  EXPECT_EQ(Decode<std::chrono::milliseconds>(Encode(1'500'000)).status().code(), absl::StatusCode::kInvalidArgument);
  for (const std::string& bytes : {Encode(1500ms), Encode(std::chrono::duration<double>(1.5)), Encode(1.0),
                                   Encode(std::chrono::duration<double>(NAN)), Encode(std::vector<int>{1, 0, 1}),
                                   Encode(std::vector<int>{1, 1, -1})}) {
    EXPECT_THAT(ErrorOf<std::chrono::seconds>(bytes), HasSubstr("wanted duration")) << Hex(bytes);
  }
  EXPECT_THAT(ErrorOf<std::chrono::nanoseconds>(Encode(std::chrono::hours::max())), HasSubstr("wanted duration"));
}

TEST(ValuesTest, WhatIsTooLongIsNotWrittenShorter) {
  // 4 GiB that cost nothing until they are read, which they are not.
  constexpr std::size_t kBytes = std::size_t{1} << 32;
  void* const memory = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::string_view text(static_cast<const char*>(memory), kBytes);
  EXPECT_THROW(Encode(text), TooLong);
  EXPECT_THROW(Encode(BytesView{text}), TooLong);
  EXPECT_THROW(Encode(std::span(static_cast<const std::byte*>(memory), kBytes)), TooLong);
  munmap(memory, kBytes);
}

TEST(ValuesTest, WhatIsNestedTooDeepIsRefusedByName) {
  EXPECT_EQ(ErrorOf<std::vector<int>>(std::string(100, '\x91') + "\x01").substr(0, 6), "wanted");
  EXPECT_EQ(ErrorOf<std::vector<int>>(std::string(513, '\x91') + "\x01"), "nested deeper than 512");
}

TEST(ValuesTest, RawBytesAreAListOfBytesToo) {
  const auto call = [](auto function, std::string_view bytes) {
    worker::Registry registry;
    registry.Add("f", function);
    worker::Reply reply;
    registry.functions()[0].invoke({.function = "f", .encoding = worker::Encoding::kRaw, .args = bytes}, &reply);
    return reply;
  };
  EXPECT_EQ(call([](const std::vector<std::uint8_t>& list) { return list.size(); }, "abc").data, Encode(3));
  EXPECT_EQ(call([](std::span<const std::byte> list) { return list.size(); }, "abc").data, Encode(3));
  EXPECT_EQ(call([](const std::array<std::uint8_t, 2>& list) { return list.size(); }, "abc").failure->message,
            "f: argument 1: wanted exactly 2 bytes, given 3");
}

}  // namespace
}  // namespace poold::codec
