// Whatever bytes come, text goes out.
#include "wire/readable.h"

#include <gtest/gtest.h>

namespace poold::wire {
namespace {

TEST(ReadableTest, TextOfAnyLanguageStaysAsItIs) {
  for (const char* text : {"", "plain", "Größe", "数字", "🙂 emoji"}) EXPECT_EQ(Readable(text), text);
}

TEST(ReadableTest, WhatIsNoTextBecomesQuestionMarks) {
  EXPECT_EQ(Readable("a\xff"
                     "b"),
            "a?b");
  EXPECT_EQ(Readable("cut \xc3"), "cut ?");
  EXPECT_EQ(Readable("\xc0\xaf"), "??") << "an overlong slash";
  EXPECT_EQ(Readable("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(Readable("\xf4\x90\x80\x80"), "????") << "beyond the last character";
}

TEST(ReadableTest, ItIsCutBetweenCharacters) {
  EXPECT_EQ(Readable("aäb", 2), "a");
  EXPECT_EQ(Readable("aäb", 3), "aä");
  EXPECT_EQ(Readable("a\xff\xff", 2), "a?");
}

}  // namespace
}  // namespace poold::wire
