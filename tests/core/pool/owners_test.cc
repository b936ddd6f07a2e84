// Whose pool it is.
#include "core/pool/owners.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

using Change = PoolOwners::Change;

constexpr ClientId kAnn{1};
constexpr ClientId kBob{2};
constexpr Nanos kGrace = 10;

TEST(PoolOwners, APoolIsLostWithItsLastOwner) {
  PoolOwners owners;
  owners.Add(0, kAnn, kGrace);
  owners.Add(0, kBob, kGrace);
  EXPECT_EQ(owners.NotePresence(1, kAnn, false), Change::kPresent);
  EXPECT_EQ(owners.NotePresence(2, kBob, false), Change::kLost);
  EXPECT_EQ(owners.NotePresence(3, kAnn, true), Change::kPresent);
  EXPECT_EQ(owners.Check(), "");
}

TEST(PoolOwners, OthersDoNotMatterNorDoesWhatIsKnown) {
  PoolOwners owners;
  owners.Add(0, kAnn, kGrace);
  EXPECT_EQ(owners.NotePresence(1, kBob, false), Change::kNone);
  EXPECT_EQ(owners.NotePresence(1, kAnn, true), Change::kNone);
}

TEST(PoolOwners, APoolThatIsOpenedForNobodyIsNeverLost) {
  PoolOwners owners;
  owners.Add(0, kAnn, kGrace);
  owners.Add(0, ClientId{}, kGrace);
  owners.Add(0, kBob, kGrace);
  EXPECT_TRUE(owners.for_nobody());
  EXPECT_EQ(owners.NotePresence(1, kAnn, false), Change::kNone);
  EXPECT_EQ(owners.NotePresence(1, kBob, false), Change::kNone);
  EXPECT_EQ(owners.Check(), "");
}

TEST(PoolOwners, AnOwnerThatIsAwayForLongIsForgottenWhenAnotherOneComes) {
  PoolOwners owners;
  owners.Add(0, kAnn, kGrace);
  EXPECT_EQ(owners.NotePresence(1, kAnn, false), Change::kLost);
  owners.Add(1 + kGrace, kBob, kGrace);
  EXPECT_EQ(owners.NotePresence(20, kAnn, true), Change::kNone);
  EXPECT_EQ(owners.NotePresence(20, kBob, false), Change::kLost);
}

TEST(PoolOwners, AnOwnerThatOpensItAgainIsThere) {
  PoolOwners owners;
  owners.Add(0, kAnn, kGrace);
  EXPECT_EQ(owners.NotePresence(1, kAnn, false), Change::kLost);
  owners.Add(2, kAnn, kGrace);
  EXPECT_EQ(owners.NotePresence(3, kAnn, false), Change::kLost);
  EXPECT_EQ(owners.Check(), "");
}

}  // namespace
}  // namespace poold::core
