// Arenas: their shape, what is refused, and how slots pass from hand to hand.
#include "wire/arena.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "wire/arena_maker.h"

namespace poold::wire {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(ArenaShape, ASlotTakesWhatItIsForAndWastesLittle) {
  for (const std::uint64_t bytes : {std::uint64_t{1}, kMinArenaPayloadBytes, 64 * 1024ul, 64 * 1024ul + 6, 300'000ul,
                                    kMiB, kMiB + 6, 5 * kMiB, kMaxArenaPayloadBytes}) {
    const ArenaShape shape = ArenaShape::For(bytes);
    EXPECT_GE(shape.slot_bytes, bytes);
    EXPECT_LE(shape.slot_bytes, 2 * std::max(bytes, kMinArenaPayloadBytes) + 4096) << bytes;
    EXPECT_GE(shape.slots, 1u);
    EXPECT_LE(shape.slots, kMaxArenaSlots);
  }
  // What has its length in front is no reason for a slot twice as large.
  EXPECT_EQ(ArenaShape::For(kMiB + 6), ArenaShape::For(kMiB));
}

TEST(CheckArena, TellsWhatIsNone) {
  const ArenaShape shape = ArenaShape::For(kMiB);
  const UniqueFd good = std::move(MakeArena(shape).value());
  EXPECT_EQ(CheckArena(good.get(), shape.slot_bytes).value(), shape);
  EXPECT_FALSE(CheckArena(good.get(), 0).ok());
  EXPECT_FALSE(CheckArena(good.get(), 1).ok());
  EXPECT_FALSE(CheckArena(good.get(), shape.slot_bytes + 4096).ok());
  EXPECT_FALSE(CheckArena(good.get(), ~std::uint64_t{0}).ok());
  EXPECT_FALSE(CheckArena(-1, shape.slot_bytes).ok());
  // Too many slots.
  EXPECT_FALSE(CheckArena(good.get(), 4096).ok());

  const auto with_seals = [&](int seals) {
    UniqueFd fd(memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(shape.bytes())), 0);
    EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
    return CheckArena(fd.get(), shape.slot_bytes).ok();
  };
  EXPECT_FALSE(with_seals(0));
  EXPECT_FALSE(with_seals(F_SEAL_GROW));
  EXPECT_FALSE(with_seals(F_SEAL_SHRINK));
  EXPECT_FALSE(with_seals(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  EXPECT_TRUE(with_seals(F_SEAL_SHRINK | F_SEAL_GROW));
}

// A maker, and the daemon's side of its arenas.
class Makers : public testing::Test {
 protected:
  std::optional<ArenaMaker::Reserved> Reserve(std::uint64_t bytes) {
    return maker_.Reserve(bytes, [this](int fd, const ArenaShape& shape) -> std::optional<std::uint64_t> {
      if (refuses_) return std::nullopt;
      fds_.emplace_back(dup(fd));
      daemon_.push_back(std::move(ArenaMapping::Map(fd, shape, ArenaAccess::kHead).value()));
      return daemon_.size() - 1;
    });
  }
  bool Take(const ArenaMaker::Reserved& one) {
    return daemon_[one.arena].Advance(one.place, SlotState::kFilled, SlotState::kTaken);
  }
  bool Free(const ArenaMaker::Reserved& one) {
    return daemon_[one.arena].Advance(one.place, SlotState::kTaken, SlotState::kFree);
  }

  ArenaMaker maker_{65 * kMiB, ArenaMaker::Holds::kHeeded};
  std::vector<ArenaMapping> daemon_;
  std::vector<UniqueFd> fds_;
  bool refuses_ = false;
};

TEST_F(Makers, WhatOneSideWritesTheOtherReads) {
  const auto one = Reserve(300'000);
  ASSERT_TRUE(one);
  const std::string text(300'000, 'x');
  std::memcpy(one->memory, text.data(), text.size());
  ASSERT_TRUE(Take(*one));
  EXPECT_TRUE(daemon_[one->arena].View(one->place.slot, text.size()) == text);
}

TEST_F(Makers, AFreeSlotIsUsedAgainAndAnOldUseOfItIsWorthNothing) {
  const auto first = Reserve(kMiB);
  ASSERT_TRUE(first && Take(*first) && Free(*first));
  const auto second = Reserve(kMiB);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->memory, first->memory);
  EXPECT_NE(second->place, first->place);
  EXPECT_FALSE(Take(*first));
  EXPECT_TRUE(Take(*second));
  EXPECT_FALSE(Free(*first));
  EXPECT_FALSE(daemon_[0].Is(first->place, SlotState::kTaken));
  EXPECT_TRUE(daemon_[0].Is(second->place, SlotState::kTaken));
  EXPECT_EQ(daemon_.size(), 1u);
}

TEST_F(Makers, SlotsThatAreUsedAreLeftAloneAndMoreArenasAreMade) {
  const std::uint32_t slots = ArenaShape::For(kMiB).slots;
  std::vector<char*> seen;
  for (std::uint32_t i = 0; i < 2 * slots; ++i) {
    const auto one = Reserve(kMiB);
    ASSERT_TRUE(one);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), one->memory), 0);
    seen.push_back(one->memory);
  }
  std::uint32_t made = 0;
  for (const ArenaMapping& arena : daemon_) {
    EXPECT_LE(arena.shape().slots, std::max(1u, made)) << "no more than there are already";
    made += arena.shape().slots;
  }
  EXPECT_LT(made, 2 * seen.size());
  EXPECT_EQ(daemon_.back().shape().slots, slots);
}

TEST_F(Makers, WhatIsAbandonedIsFreeUnlessTheDaemonHasIt) {
  const auto one = Reserve(kMiB);
  ArenaMaker::Abandon(*one);
  EXPECT_FALSE(Take(*one));
  EXPECT_TRUE(daemon_[0].AllFree());
  const auto two = Reserve(kMiB);
  ASSERT_TRUE(Take(*two));
  ArenaMaker::Abandon(*two);
  EXPECT_TRUE(daemon_[0].Is(two->place, SlotState::kTaken));
}

TEST_F(Makers, AClosedArenaIsLetGo) {
  const auto one = Reserve(kMiB);
  ArenaMaker::Abandon(*one);
  daemon_[0].head().closed.store(1);
  const auto two = Reserve(kMiB);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->arena, 1u);
  EXPECT_TRUE(daemon_[0].AllFree());
}

TEST_F(Makers, WhatIsUnusedGivesWayToWhatIsWanted) {
  const auto one = Reserve(32 * kMiB);
  ASSERT_TRUE(one);
  EXPECT_FALSE(Reserve(kMaxArenaPayloadBytes / 2 + kMiB));
  ArenaMaker::Abandon(*one);
  EXPECT_TRUE(Reserve(kMaxArenaPayloadBytes / 2 + kMiB));
  EXPECT_EQ(daemon_[0].head().closed.load(), 1u);
}

TEST_F(Makers, WhatIsTooLargeOrNotWantedIsNot) {
  EXPECT_FALSE(Reserve(kMaxArenaPayloadBytes + 1));
  refuses_ = true;
  EXPECT_FALSE(Reserve(kMiB));
  refuses_ = false;
  EXPECT_TRUE(Reserve(kMiB));
}

// A reader, who has opened an arena for itself.
TEST_F(Makers, WhatIsHeldIsLeftAloneThoughItsWordSaysFree) {
  const auto one = Reserve(kMiB);
  ASSERT_TRUE(one && Take(*one));
  EXPECT_EQ(daemon_[0].head().heeds_holds.load(), 1u);
  const UniqueFd reader = OpenForHolds(fds_[0].get());
  ASSERT_TRUE(reader);
  const ArenaShape shape = one->shape;
  ASSERT_TRUE(Hold(reader.get(), shape, one->place.slot));
  ASSERT_TRUE(Free(*one));
  EXPECT_TRUE(daemon_[0].AllFree());
  EXPECT_TRUE(IsHeld(fds_[0].get(), shape));
  EXPECT_FALSE(IsHeld(fds_[0].get(), shape, one->place.slot + 1));
  const auto two = Reserve(kMiB);
  ASSERT_TRUE(two);
  EXPECT_NE(two->memory, one->memory);
  LetGo(reader.get(), shape, one->place.slot);
  EXPECT_FALSE(IsHeld(fds_[0].get(), shape));
  const auto three = Reserve(kMiB);
  ASSERT_TRUE(three);
  EXPECT_EQ(three->memory, one->memory);
}

TEST_F(Makers, AHoldGoesWithItsReader) {
  const auto one = Reserve(kMiB);
  ASSERT_TRUE(one);
  {
    const UniqueFd reader = OpenForHolds(fds_[0].get()), other = OpenForHolds(fds_[0].get());
    ASSERT_TRUE(Hold(reader.get(), one->shape, one->place.slot) && Hold(other.get(), one->shape, one->place.slot));
    LetGo(other.get(), one->shape, one->place.slot);
    EXPECT_TRUE(IsHeld(fds_[0].get(), one->shape, one->place.slot)) << "each for itself";
  }
  EXPECT_FALSE(IsHeld(fds_[0].get(), one->shape, one->place.slot));
}

TEST_F(Makers, WhatIsHeldGivesNoWay) {
  const auto one = Reserve(32 * kMiB);
  ASSERT_TRUE(one);
  const UniqueFd reader = OpenForHolds(fds_[0].get());
  ASSERT_TRUE(Hold(reader.get(), one->shape, one->place.slot));
  ArenaMaker::Abandon(*one);
  EXPECT_FALSE(Reserve(kMaxArenaPayloadBytes));
  LetGo(reader.get(), one->shape, one->place.slot);
  EXPECT_TRUE(Reserve(kMaxArenaPayloadBytes));
}

TEST(EmptyArena, LeavesWhatIsHeld) {
  const ArenaShape shape = ArenaShape::For(kMiB);
  const UniqueFd fd = std::move(MakeArena(shape).value());
  const ArenaMapping mapping = std::move(ArenaMapping::Map(fd.get(), shape, ArenaAccess::kAll).value());
  std::memset(mapping.Slot(0), 'x', shape.slots_bytes());
  const UniqueFd reader = OpenForHolds(fd.get());
  ASSERT_TRUE(Hold(reader.get(), shape, 1));
  EmptyArena(fd.get(), shape);
  EXPECT_EQ(mapping.View(0, shape.slot_bytes), std::string(shape.slot_bytes, '\0'));
  EXPECT_EQ(mapping.View(1, shape.slot_bytes), std::string(shape.slot_bytes, 'x'));
  EXPECT_EQ(mapping.View(2, shape.slot_bytes), std::string(shape.slot_bytes, '\0'));
}

TEST(EmptyArena, GivesMemoryBackThatOthersHaveMapped) {
  const ArenaShape shape = ArenaShape::For(4 * kMiB);
  const UniqueFd fd = std::move(MakeArena(shape).value());
  const ArenaMapping mapping = std::move(ArenaMapping::Map(fd.get(), shape, ArenaAccess::kAll).value());
  std::memset(mapping.Slot(0), 'x', shape.slots_bytes());
  const auto used = [&] {
    struct stat found {};
    fstat(fd.get(), &found);
    return static_cast<std::uint64_t>(found.st_blocks) * 512;
  };
  ASSERT_GE(used(), shape.slots_bytes());
  EmptyArena(fd.get(), shape);
  EXPECT_LE(used(), kArenaHeadBytes);
  EXPECT_EQ(mapping.View(0, 1), std::string_view("\0", 1));
}

TEST(MakeArena, ALimitOfFileSizesIsAnErrorNotASignal) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
  const auto fd = MakeArena(ArenaShape::For(kMinArenaPayloadBytes));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(absl::IsResourceExhausted(fd.status())) << fd.status();
}

}  // namespace
}  // namespace poold::wire
