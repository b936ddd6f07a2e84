#include "cli/value.h"

#include <gtest/gtest.h>

#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

// From a word of the command line to MessagePack and back to what is printed.
std::string RoundTrip(const std::string& word) {
  auto value = ValueFromWord(word);
  if (!value.ok()) return value.status().ToString();
  auto bytes = MsgpackFromValue(*value);
  if (!bytes.ok()) return bytes.status().ToString();
  auto back = ValueFromMsgpack(*bytes);
  return back.ok() ? Dump(*back) : back.status().ToString();
}

std::string Printed(std::string_view msgpack) {
  auto value = ValueFromMsgpack(msgpack);
  return value.ok() ? Dump(*value) : "refused";
}

TEST(Value, AWordThatIsJsonIsThatValue) {
  EXPECT_EQ(RoundTrip("7"), "7");
  EXPECT_EQ(RoundTrip("-7"), "-7");
  EXPECT_EQ(RoundTrip("1.5"), "1.5");
  EXPECT_EQ(RoundTrip("true"), "true");
  EXPECT_EQ(RoundTrip("null"), "null");
  EXPECT_EQ(RoundTrip("\"7\""), "\"7\"");
  EXPECT_EQ(RoundTrip("[1, {\"b\": 2, \"a\": []}]"), "[1,{\"b\":2,\"a\":[]}]");
}

TEST(Value, AnyOtherWordIsText) {
  EXPECT_EQ(RoundTrip("hello"), "\"hello\"");
  EXPECT_EQ(RoundTrip(""), "\"\"");
  EXPECT_EQ(RoundTrip("007"), "\"007\"");
  EXPECT_EQ(RoundTrip("[1,"), "\"[1,\"");
  EXPECT_EQ(RoundTrip("Gr\xc3\xbc\xc3\x9f"), "\"Gr\xc3\xbc\xc3\x9f\"");
}

TEST(Value, IntegersOf64BitsAreExactAndLargerOnesRefused) {
  EXPECT_EQ(RoundTrip("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(RoundTrip("9007199254740993"), "9007199254740993");
  EXPECT_EQ(RoundTrip("-9223372036854775808"), "-9223372036854775808");
  EXPECT_FALSE(ValueFromWord("18446744073709551616").ok());
  EXPECT_FALSE(ValueFromWord("[1, -9223372036854775809]").ok());
}

TEST(Value, FloatsStayFloats) {
  EXPECT_EQ(RoundTrip("1.0"), "1.0");
  EXPECT_EQ(RoundTrip("0.1"), "0.1");
  EXPECT_EQ(RoundTrip("{\"$float\":\"nan\"}"), "{\"$float\":\"nan\"}");
  EXPECT_EQ(RoundTrip("{\"$float\":\"-inf\"}"), "{\"$float\":\"-inf\"}");
}

TEST(Value, BytesAreBase64) {
  EXPECT_EQ(RoundTrip("{\"$bytes\":\"AP8=\"}"), "{\"$bytes\":\"AP8=\"}");
  EXPECT_EQ(RoundTrip("\xff\xfe"), "{\"$bytes\":\"//4=\"}");
  EXPECT_NE(RoundTrip("{\"$bytes\":\"*\"}").find("base64"), std::string::npos);
}

TEST(Value, MessagePackThatJsonDoesNotKnowIsStillShown) {
  EXPECT_EQ(Printed(std::string("\x81\x01\xc3", 3)), "{\"1\":true}");
  EXPECT_EQ(Printed("\xa2\xff\xfe"), "{\"$bytes\":\"//4=\"}");
  EXPECT_EQ(Printed("\xd4\x05\x41"), "{\"$ext\":5,\"$bytes\":\"QQ==\"}");
}

TEST(Value, MalformedMessagePackIsRefusedAndAllocatesNothing) {
  EXPECT_EQ(Printed(""), "refused");
  EXPECT_EQ(Printed("\x01\x02"), "refused");
  EXPECT_EQ(Printed("\xdd\xff\xff\xff\xff"), "refused");
  EXPECT_EQ(Printed(std::string(100'000, '\x91')), "refused");
}

TEST(Value, Utf8IsCheckedToTheLetter) {
  EXPECT_TRUE(IsUtf8("a\xc3\xa9\xe4\xb8\x96\xf0\x9f\x99\x82"));
  EXPECT_FALSE(IsUtf8("\xc0\x80"));          // overlong
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // half of a surrogate pair
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(IsUtf8("\xe4\xb8"));          // cut off
}

}  // namespace
}  // namespace poold::cli
