// Whatever bytes come, text goes out.
#include "wire/readable.h"

#include <gtest/gtest.h>

namespace poold::wire {
namespace {

TEST(ReadableTest, TextOfAnyLanguageStaysAsItIs) {
  for (const char* text : {"", "plain", "Größe", "数字", "🙂 emoji"}) EXPECT_EQ(Readable(text), text);
}

TEST(ReadableTest, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(Readable("a\xff"
                     "b"),
            "a\ufffdb");
  EXPECT_EQ(Readable("caf\xe9"), "caf\ufffd") << "Latin-1";
  EXPECT_EQ(Readable("cut \xc3"), "cut \ufffd");
  EXPECT_EQ(Readable("\xc0\xaf"), "\ufffd\ufffd") << "an overlong slash";
  EXPECT_EQ(Readable("\xed\xa0\x80"), "\ufffd\ufffd\ufffd") << "a surrogate";
  EXPECT_EQ(Readable("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd") << "beyond the last character";
  EXPECT_FALSE(IsReadable("caf\xe9"));
  EXPECT_TRUE(IsReadable("café"));
}

TEST(ReadableTest, ItIsCutBetweenCharacters) {
  EXPECT_EQ(Readable("aäb", 2), "a");
  EXPECT_EQ(Readable("aäb", 3), "aä");
  EXPECT_EQ(Readable("a\xff\xff", 4), "a\ufffd");
  EXPECT_EQ(Readable("a\xff", 3), "a");
}

TEST(ReadableTest, WhatIsLeftOutIsCounted) {
  EXPECT_EQ(ReadableStart("abc", 3), "abc");
  EXPECT_EQ(ReadableStart(std::string(50'000'000, 'x'), 30), "xxx... (50000000 bytes in all)");
}

}  // namespace
}  // namespace poold::wire
