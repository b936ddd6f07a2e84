#include "cli/text/text_table.h"

#include <gtest/gtest.h>

namespace poold::cli {
namespace {

TEST(TextTable, ColumnsAreAlignedAndNumbersStandToTheRight) {
  TextTable table({"NAME", "COUNT"});
  table.Add({"a", "7"});
  table.Add(
      {"Gr\xc3\xbc\xc3\x9f"
       "e",
       "12345678"});
  EXPECT_EQ(table.Text(),
            "NAME      COUNT\na             7\nGr\xc3\xbc\xc3\x9f"
            "e  12345678\n");
}

TEST(TextTable, NobodysTextForgesARow) {
  TextTable table({"NAME", "CLIENT", "N"});
  table.Add({"a\nforged  root  1", "\x1b[1A\x1b[2K", "1"});
  table.Add({"世界", "\u202eme", "2"});
  EXPECT_EQ(table.Text(),
            "NAME                CLIENT          N\n"
            "a\\nforged  root  1  \\x1b[1A\\x1b[2K  1\n"
            "世界                \\u202eme        2\n");
}

TEST(TextTable, SizesAndTimesAreRounded) {
  EXPECT_EQ(SizeText(17), "17 B");
  EXPECT_EQ(SizeText(1536), "1.5 KiB");
  EXPECT_EQ(SizeText(64 << 20), "64 MiB");
  EXPECT_EQ(SpanText(0.0123), "12 ms");
  EXPECT_EQ(SpanText(3.42), "3.4 s");
  EXPECT_EQ(SpanText(61), "1 min 1 s");
  EXPECT_EQ(SpanText(7500), "2 h 5 min");
}

}  // namespace
}  // namespace poold::cli
