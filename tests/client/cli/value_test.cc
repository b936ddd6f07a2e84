#include "cli/text/value.h"

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
  EXPECT_EQ(RoundTrip("-0.0"), "-0.0");
  EXPECT_EQ(RoundTrip("1e2"), "100.0");
  EXPECT_EQ(RoundTrip("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(RoundTrip("5e-324"), "5e-324");
  EXPECT_EQ(RoundTrip("0.0e-999"), "0.0");
  EXPECT_EQ(RoundTrip("{\"$float\":\"0xfff8000000000123\"}"), "{\"$float\":\"0xfff8000000000123\"}");
  EXPECT_EQ(RoundTrip("{\"$float32\":0.1}"), "{\"$float32\":0.1}");
  EXPECT_EQ(RoundTrip("{\"$float32\":7}"), "{\"$float32\":7.0}");
  EXPECT_EQ(RoundTrip("{\"$float32\":\"nan\"}"), "{\"$float32\":\"nan\"}");
  EXPECT_NE(RoundTrip("{\"$float32\":1e300}").find("must be a number in its range"), std::string::npos);
  EXPECT_EQ(RoundTrip("0.1"), "0.1");
  EXPECT_EQ(RoundTrip("{\"$float\":\"nan\"}"), "{\"$float\":\"nan\"}");
  EXPECT_EQ(RoundTrip("{\"$float\":\"-inf\"}"), "{\"$float\":\"-inf\"}");
}

TEST(Value, BytesAreBase64) {
  EXPECT_EQ(RoundTrip("{\"$bytes\":\"AP8=\"}"), "{\"$bytes\":\"AP8=\"}");
  EXPECT_EQ(RoundTrip("\xff\xfe"), "{\"$bytes\":\"//4=\"}");
  EXPECT_NE(RoundTrip("{\"$bytes\":\"*\"}").find("base64"), std::string::npos);
}

// There and back: bytes to what is printed, and what was printed to bytes.
void ExpectShown(const std::string& msgpack, const std::string& json) {
  EXPECT_EQ(Printed(msgpack), json);
  auto value = ValueFromJson(json);
  ASSERT_TRUE(value.ok()) << value.status();
  auto bytes = MsgpackFromValue(*value);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, msgpack);
}

TEST(Value, MessagePackThatJsonDoesNotKnowIsShownAndTakenBack) {
  ExpectShown("\x81\x01\xc3", "{\"$map\":[[1,true]]}");
  ExpectShown(
      "\x82\xa1"
      "1\x01\x01\x02",
      "{\"$map\":[[\"1\",1],[1,2]]}");
  ExpectShown(
      "\x82\xa1"
      "a\x01\xa1"
      "a\x02",
      "{\"$map\":[[\"a\",1],[\"a\",2]]}");
  ExpectShown(
      "\x81\xa6$bytes\xa4"
      "AP8=",
      "{\"$map\":[[\"$bytes\",\"AP8=\"]]}");
  ExpectShown("\xa2\xff\xfe", "{\"$text\":\"//4=\"}");
  ExpectShown("\xc4\x02\xff\xfe", "{\"$bytes\":\"//4=\"}");
  ExpectShown("\xd4\x05\x41", "{\"$ext\":5,\"$bytes\":\"QQ==\"}");
  ExpectShown("\xca\x3d\xcc\xcc\xcd", "{\"$float32\":0.1}");
}

std::string Refusal(const std::string& word) { return std::string(ValueFromWord(word).status().message()); }

TEST(Value, JsonThatCannotTravelIsRefusedAndNotTakenForText) {
  const std::string big = "the number 1e400 is larger than any float; write it with quotes to send it as text";
  EXPECT_EQ(Refusal("1e400"), big);
  EXPECT_EQ(Refusal("[1, {\"a\": 1e400}, 2e400]"), big);
  EXPECT_EQ(Refusal("-1e-400").substr(0, 50), "the number -1e-400 is smaller than any float but 0");
  EXPECT_EQ(Refusal("4294967296429496729642949672964294967296").substr(0, 11), "the integer");
  EXPECT_EQ(Refusal("-0"), "-0 is no whole number; write 0 or -0.0");
  EXPECT_EQ(Refusal("{\"a\": 1, \"a\": 2}"), "the key \"a\" is there twice");
  EXPECT_EQ(Refusal(std::string(600, '[') + std::string(600, ']')), "nested deeper than 512");
  EXPECT_EQ(RoundTrip(std::string(512, '[') + std::string(512, ']')).size(), 1024u);
}

TEST(Value, WhatOnlyBeginsAsJsonIsText) {
  EXPECT_EQ(RoundTrip("1e400 apples"), "\"1e400 apples\"");
  EXPECT_EQ(RoundTrip("18446744073709551616 grains"), "\"18446744073709551616 grains\"");
  EXPECT_EQ(RoundTrip(std::string(600, '[')).size(), 602u);
  EXPECT_EQ(RoundTrip("\"1e400\""), "\"1e400\"");
  EXPECT_EQ(RoundTrip("NaN"), "\"NaN\"");
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
