// How far a task is, from the worker into the daemon.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "wire/outcome_ring.h"

namespace poold::wire {
namespace {

TEST(ProgressNoteTest, ItComesAsItWent) {
  const ProgressNote note = MakeProgressNote(0.25, "step 1 of 4");
  EXPECT_EQ(note, (ProgressNote{0.25, "step 1 of 4"}));
  EXPECT_EQ(ReadProgressNote(WriteProgressNote(note)), note);
}

TEST(ProgressNoteTest, AFractionIsFromZeroToOneOrNotKnown) {
  EXPECT_EQ(MakeProgressNote(7, "").fraction, 1);
  EXPECT_EQ(MakeProgressNote(std::numeric_limits<double>::infinity(), "").fraction, 1);
  EXPECT_EQ(MakeProgressNote(-0.5, "").fraction, -1);
  EXPECT_EQ(MakeProgressNote(std::nan(""), "").fraction, -1);
}

TEST(ProgressNoteTest, AnEndlessTextIsCutBetweenCharacters) {
  std::string text(kMaxProgressTextBytes - 1, 'x');
  EXPECT_EQ(MakeProgressNote(0, text + "ä and more").text, text);
}

TEST(ProgressNoteTest, WhatNoHonestWorkerWritesIsNoNoteOrAHarmlessOne) {
  EXPECT_FALSE(ReadProgressNote("short"));
  EXPECT_FALSE(ReadProgressNote(std::string(8 + kMaxProgressTextBytes + 1, 'x')));
  const double nan = std::nan("");
  std::string hostile(sizeof nan, '\0');
  std::memcpy(hostile.data(), &nan, sizeof nan);
  EXPECT_EQ(ReadProgressNote(hostile + "\xff"), (ProgressNote{-1, "\ufffd"}));
}

}  // namespace
}  // namespace poold::wire
