#include "terminal_text.h"

#include <gtest/gtest.h>

namespace poold::client::internal {
namespace {

TEST(TerminalText, WhatActsOnATerminalBecomesVisible) {
  EXPECT_EQ(OneLine("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(OneLine("a\nb\r\tc\x7f"), "a\\nb\\r\\tc\\x7f");
  // CSI as one character of Unicode, and as the byte of old terminals.
  EXPECT_EQ(OneLine("\xc2\x9b"
                    "2J"),
            "\\u009b2J");
  EXPECT_EQ(OneLine("\x9b"
                    "2J"),
            "\\x9b2J");
}

TEST(TerminalText, NothingTurnsTheDirectionOfWriting) {
  EXPECT_EQ(OneLine("\u202eterces\u2069\u200f\u061c"), "\\u202eterces\\u2069\\u200f\\u061c");
  EXPECT_EQ(OneLine("one\u2028two\u2029"), "one\\u2028two\\u2029");
}

TEST(TerminalText, WhatIsNoUtf8IsShownAsItsBytes) {
  EXPECT_EQ(OneLine("caf\xe9 \xc3"), "caf\\xe9 \\xc3");
  // Too long a form of '/', a surrogate, and what lies above Unicode.
  EXPECT_EQ(OneLine("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"), "\\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
}

TEST(TerminalText, LettersOfAllAlphabetsStayAsTheyAre) {
  const std::string text = "Grüße 世界 שלום 👩‍🔬 é";
  EXPECT_EQ(OneLine(text), text);
  EXPECT_EQ(SafeJson(text), text);
}

TEST(TerminalText, LinesKeepsLinesAndTabsAndNothingElse) { EXPECT_EQ(Lines("a\n\tb\r\n\x1b[A"), "a\n\tb\\r\n\\x1b[A"); }

TEST(TerminalText, ACharacterThatWasTornApartWaitsForItsRest) {
  LinesOfPieces pieces;
  EXPECT_EQ(pieces.Add("Gr\xc3"), "Gr");
  EXPECT_EQ(pieces.Add("\xbc\xe4\xb8"), "ü");
  EXPECT_EQ(pieces.Add("\x96\xc2"), "世");
  EXPECT_EQ(pieces.Add("\x9b"), "\\u009b");
  EXPECT_EQ(pieces.Add("\xe9t\xe9 \x80"), "\\xe9t\\xe9 \\x80");
}

TEST(TerminalText, JsonSaysTheSameCharactersAsEscapes) {
  EXPECT_EQ(SafeJson("{\"a\":\"\x7f\u009b\u202e\"}"), "{\"a\":\"\\u007f\\u009b\\u202e\"}");
  EXPECT_EQ(SafeJson("{\"a\":1}\n"), "{\"a\":1}\n");
}

TEST(TerminalText, WideCharactersTakeTwoColumnsAndCombiningOnesNone) {
  EXPECT_EQ(Columns("Größe"), 5u);
  EXPECT_EQ(Columns("世界"), 4u);
  EXPECT_EQ(Columns("e\u0301"), 1u);
  EXPECT_EQ(FirstColumns("世界!", 3), "世");
  EXPECT_EQ(FirstColumns("世界!", 4), "世界");
  EXPECT_EQ(FirstColumns("e\u0301x", 1), "e\u0301");
}

}  // namespace
}  // namespace poold::client::internal
