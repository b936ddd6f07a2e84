// Large payloads in files: the spool's bounds, drafts, what is taken over from others.
#include "base/spool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "wire/arena.h"
#include "wire/memory_file.h"

namespace poold::base {
namespace {

using testing::HasSubstr;

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    std::string name = (std::filesystem::temp_directory_path() / "poold-spool-XXXXXX").string();
    folder_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~SpoolTest() override { std::filesystem::remove_all(folder_); }

  SpoolOptions Small() const {
    return {.folder = folder_, .max_bytes = 1000, .max_memory_bytes = 100, .threshold_bytes = 10, .max_files = 3};
  }
  std::size_t Names() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

  std::string folder_;
};

std::size_t OpenDescriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

// Takes over a sealed file with this text, of which so many bytes are told.
absl::StatusOr<std::shared_ptr<const PayloadFile>> Adopt(const Spool& spool, const std::string& text,
                                                         std::uint64_t bytes) {
  wire::UniqueFd fd = std::move(wire::MakeSealedFile(text).value());
  auto adopted = spool.Adopt(&fd, bytes);
  EXPECT_EQ(static_cast<bool>(fd), !adopted.ok());
  return adopted;
}

TEST_F(SpoolTest, ASmallDraftStaysInMemory) {
  const Spool spool(Small());
  PayloadDraft draft(&spool);
  ASSERT_TRUE(draft.Append("0123").ok());
  ASSERT_TRUE(draft.Append("456789").ok());
  const auto kept = draft.Finish();
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->view, "0123456789");
  EXPECT_EQ(PayloadFile::Behind(kept->owner), nullptr);
  EXPECT_EQ(spool.used_files(), 0u);
}

TEST_F(SpoolTest, ADraftForWhichThereIsNoMemoryLiesInAFile) {
  const Spool spool(Small());
  const auto memory = std::make_shared<Quota>(1);
  PayloadDraft draft(&spool, memory);
  ASSERT_TRUE(draft.Append(std::string(10, 'x')).ok());
  const auto kept = draft.Finish();
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->view, "xxxxxxxxxx");
  EXPECT_EQ(memory->used(), 0u);
}

TEST_F(SpoolTest, WhatADraftHasInMemoryCountsUntilItsLastOwnerGoes) {
  SpoolOptions options = Small();
  options.threshold_bytes = 1000;
  const Spool spool(options);
  const auto memory = std::make_shared<Quota>(150);
  {
    PayloadDraft draft(&spool, memory);
    ASSERT_TRUE(draft.Append(std::string(100, 'x')).ok());
    EXPECT_GE(memory->used(), 100u);
    const auto kept = draft.Finish();
    ASSERT_TRUE(kept.ok());
    EXPECT_GE(memory->used(), 100u);
    PayloadDraft other(&spool, memory);
    ASSERT_TRUE(other.Append(std::string(100, 'y')).ok());
    EXPECT_EQ(other.memory_bytes(), 0u) << "there is no memory for it";
  }
  EXPECT_EQ(memory->used(), 0u);
}

TEST_F(SpoolTest, ALargeDraftLiesInAFileWithoutAName) {
  const std::size_t descriptors = OpenDescriptors();
  {
    const Spool spool(Small());
    PayloadDraft draft(&spool);
    ASSERT_TRUE(draft.Append("0123456789").ok());
    ASSERT_TRUE(draft.Append("x").ok());
    EXPECT_EQ(draft.memory_bytes(), 0u);
    EXPECT_EQ(Names(), 0u);
    auto kept = draft.Finish();
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(kept->view, "0123456789x");
    EXPECT_EQ(spool.used_bytes(), 11u);
    const FilePart part = PartBehind(kept->owner, kept->view.substr(4, 3));
    ASSERT_NE(part.file, nullptr);
    EXPECT_EQ(part.offset, 4u);
    EXPECT_FALSE(part.whole);
    char bytes[3];
    ASSERT_TRUE(part.file->Read(part.offset, bytes, 3).ok());
    EXPECT_EQ(std::string_view(bytes, 3), "456");
    kept->owner.reset();
    EXPECT_EQ(spool.used_bytes(), 0u);
    EXPECT_EQ(spool.used_files(), 0u);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

TEST_F(SpoolTest, WhatOthersGetOfAFileCannotBeWritten) {
  const Spool spool(Small());
  PayloadDraft draft(&spool);
  ASSERT_TRUE(draft.Append("0123456789x").ok());
  const auto kept = draft.Finish();
  const int fd = PayloadFile::Behind(kept->owner)->fd();
  EXPECT_LT(pwrite(fd, "y", 1, 0), 0);
  EXPECT_NE(ftruncate(fd, 0), 0);
}

TEST_F(SpoolTest, AFullSpoolSaysSoAndHasRoomAgainWhenSomethingGoes) {
  const Spool spool(Small());
  PayloadDraft first(&spool), second(&spool);
  ASSERT_TRUE(first.Append(std::string(900, 'a')).ok());
  ASSERT_TRUE(second.Append(std::string(100, 'b')).ok());
  const absl::Status full = second.Append("b");
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(full.ToString(), HasSubstr("1000 of 1000, spool.max_bytes"));
  first.Clear();
  EXPECT_TRUE(second.Append("b").ok());
}

TEST_F(SpoolTest, TheNumberOfFilesIsBounded) {
  const Spool spool(Small());
  PayloadDraft drafts[] = {PayloadDraft(&spool), PayloadDraft(&spool), PayloadDraft(&spool), PayloadDraft(&spool)};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(drafts[i].Append(std::string(20, 'a')).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(drafts[3].Append(std::string(20, 'a'))));
}

TEST_F(SpoolTest, SealedMemoryIsTakenOverUntilItsRoomIsFull) {
  const Spool spool(Small());
  auto first = Adopt(spool, std::string(60, 'a'), 60);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->view(), std::string(60, 'a'));
  EXPECT_TRUE(absl::IsResourceExhausted(Adopt(spool, std::string(60, 'b'), 60).status()));
  EXPECT_EQ(spool.used_memory_bytes(), 60u);
  first->reset();
  EXPECT_TRUE(Adopt(spool, std::string(60, 'b'), 60).ok());
}

TEST_F(SpoolTest, MemoryThatCouldShrinkIsRefused) {
  const Spool spool(Small());
  wire::UniqueFd open_one(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(open_one.get(), 50), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(spool.Adopt(&open_one, 50).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Adopt(spool, "hello", 6).status()));
  EXPECT_EQ(spool.used_memory_bytes(), 0u);
}

TEST_F(SpoolTest, AFolderThatIsNotThereIsFoundAtStart) {
  SpoolOptions options = Small();
  EXPECT_TRUE(Spool(options).Check().ok());
  options.folder += "/nowhere";
  EXPECT_THAT(Spool(options).Check().ToString(), HasSubstr("spool.folder: no file can be made in"));
}

// A maker's end of an arena that a spool has adopted.
class Arenas : public SpoolTest {
 protected:
  static constexpr std::uint64_t kMiB = 1 << 20;

  // Nothing: the spool has no room.
  std::shared_ptr<Arena> Make(std::uint64_t payload_bytes) {
    const wire::ArenaShape shape = wire::ArenaShape::For(payload_bytes);
    wire::UniqueFd fd = std::move(wire::MakeArena(shape).value());
    maker_ = std::move(wire::ArenaMapping::Map(fd.get(), shape, wire::ArenaAccess::kAll).value());
    auto arena = spool_.AdoptArena(&fd, shape.slot_bytes);
    EXPECT_EQ(static_cast<bool>(fd), !arena.ok());
    EXPECT_TRUE(arena.ok() || absl::IsResourceExhausted(arena.status())) << arena.status();
    return arena.ok() ? *std::move(arena) : nullptr;
  }
  // By the last one that was made.
  wire::ArenaPlace Fill(std::string_view text) {
    const std::uint64_t use = wire::UseOf(maker_.head().words[0]) + 1;
    std::memcpy(maker_.Slot(0), text.data(), text.size());
    maker_.head().words[0] = wire::SlotWord(use, wire::SlotState::kFilled);
    return {0, use};
  }

  const Spool spool_{{.folder = folder_, .max_bytes = 1000, .max_memory_bytes = 20 * kMiB, .max_files = 5}};
  wire::ArenaMapping maker_;
};

TEST_F(Arenas, APayloadLiesThereUntilItsLastOwnerGoes) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  ASSERT_NE(arena, nullptr);
  EXPECT_EQ(spool_.FindArena(arena->number()), arena);
  EXPECT_EQ(spool_.used_memory_bytes(), arena->mapping().shape().bytes());
  const wire::ArenaPlace place = Fill("hello");
  {
    const auto file = arena->Take(place, 5);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->view(), "hello");
    EXPECT_EQ((*file)->arena(), arena.get());
    EXPECT_EQ((*file)->place(), place);
    char read[3];
    ASSERT_TRUE((*file)->Read(1, read, 3).ok());
    EXPECT_EQ(std::string_view(read, 3), "ell");
    EXPECT_TRUE(absl::IsNotFound(arena->Take(place, 5).status()));
    EXPECT_FALSE(maker_.AllFree());
  }
  EXPECT_TRUE(maker_.AllFree());
  EXPECT_TRUE(absl::IsNotFound(arena->Take(place, 5).status()));
}

TEST_F(Arenas, ThereIsNoPlaceBesideItsSlots) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  const wire::ArenaShape shape = arena->mapping().shape();
  const wire::ArenaPlace place = Fill("hello");
  EXPECT_TRUE(absl::IsInvalidArgument(arena->Take({shape.slots, place.use}, 5).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(arena->Take(place, shape.slot_bytes + 1).status()));
  EXPECT_TRUE(arena->Take(place, shape.slot_bytes).ok());
}

TEST_F(Arenas, WhatNobodyUsesGivesWayAndWhatIsUsedStays) {
  const std::shared_ptr<Arena> used = Make(4 * kMiB);
  const auto file = used->Take(Fill("used"), 4).value();
  const std::shared_ptr<Arena> unused = Make(4 * kMiB);
  const std::shared_ptr<Arena> wanted = Make(8 * kMiB);
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(Make(16 * kMiB), nullptr);
  // Both: room is made of all that can be had.
  EXPECT_TRUE(unused->empty());
  EXPECT_TRUE(wanted->empty());
  EXPECT_FALSE(used->empty());
  EXPECT_EQ(file->view(), "used");
  EXPECT_EQ(spool_.used_memory_bytes(), used->mapping().shape().bytes());
}

TEST_F(Arenas, WhatIsClosedIsEmptiedWhenItsLastPayloadGoes) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  auto file = arena->Take(Fill("hello"), 5).value();
  arena->Close();
  EXPECT_EQ(maker_.head().closed.load(), 1u);
  EXPECT_EQ(file->view(), "hello");
  EXPECT_FALSE(arena->empty());
  file.reset();
  EXPECT_TRUE(arena->empty());
  EXPECT_EQ(spool_.used_memory_bytes(), 0u);
  EXPECT_EQ(maker_.View(0, 5), std::string_view("\0\0\0\0\0", 5));
}

// As a client that looks at a result.
TEST_F(Arenas, WhatIsHeldKeepsItsRoomUntilItIsLetGo) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  auto file = arena->Take(Fill("hello"), 5).value();
  wire::UniqueFd reader = wire::OpenForHolds(arena->fd());
  ASSERT_TRUE(wire::Hold(reader.get(), maker_.shape(), 0));
  arena->Close();
  file.reset();
  EXPECT_TRUE(maker_.AllFree());
  EXPECT_FALSE(arena->empty());
  EXPECT_EQ(Make(16 * kMiB), nullptr) << "its room is not to be had";
  EXPECT_EQ(spool_.used_memory_bytes(), arena->mapping().shape().bytes());
  EXPECT_EQ(arena->mapping().View(0, 5), "hello");
  reader.Reset();
  spool_.CloseForgottenArenas();
  EXPECT_TRUE(arena->empty());
  EXPECT_EQ(spool_.used_memory_bytes(), 0u);
}

TEST_F(Arenas, WhatIsForgottenIsGivenBack) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  spool_.CloseForgottenArenas();
  EXPECT_FALSE(arena->empty());
  arena->Take(Fill("hello"), 5).IgnoreError();
  spool_.CloseForgottenArenas();
  EXPECT_FALSE(arena->empty());
  spool_.CloseForgottenArenas();
  EXPECT_TRUE(arena->empty());
}

// However many threads look after it.
TEST_F(Arenas, WhatIsForgottenIsUnusedForAWholeTurn) {
  constexpr std::int64_t kOneSecond = 1'000'000'000;
  const std::shared_ptr<Arena> arena = Make(kMiB);
  std::int64_t now = 1000 * kOneSecond;
  EXPECT_EQ(spool_.TendArenas(now), 30 * kOneSecond);
  arena->Take(Fill("hello"), 5).IgnoreError();
  EXPECT_EQ(spool_.TendArenas(now + 10 * kOneSecond), 20 * kOneSecond);
  EXPECT_EQ(spool_.TendArenas(now + 29 * kOneSecond), kOneSecond);
  now += 30 * kOneSecond;
  EXPECT_EQ(spool_.TendArenas(now), 30 * kOneSecond);
  EXPECT_EQ(spool_.TendArenas(now), 30 * kOneSecond);
  EXPECT_FALSE(arena->empty());
  EXPECT_EQ(spool_.TendArenas(now + 30 * kOneSecond), 30 * kOneSecond);
  EXPECT_TRUE(arena->empty());
}

TEST_F(Arenas, WhatItsMakerIsThroughWithIsGivenBack) {
  const std::shared_ptr<Arena> arena = Make(kMiB);
  maker_.head().closed = 1;
  spool_.CloseForgottenArenas();
  EXPECT_TRUE(arena->empty());
}

TEST_F(Arenas, WhatAGoneMakerFilledIsKeptForAWhile) {
  std::shared_ptr<Arena> arena = Make(kMiB);
  const std::uint64_t number = arena->number();
  const wire::ArenaPlace place = Fill("hello");
  spool_.KeepArena(std::exchange(arena, nullptr));
  spool_.CloseForgottenArenas();
  {
    const auto found = spool_.FindArena(number);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->Take(place, 5).value()->view(), "hello");
  }
  spool_.CloseForgottenArenas();
  spool_.CloseForgottenArenas();
  EXPECT_EQ(spool_.FindArena(number), nullptr);
  EXPECT_EQ(spool_.used_memory_bytes(), 0u);
  EXPECT_EQ(spool_.used_files(), 0u);
}

TEST_F(Arenas, ItsLastOwnersEndGivesTheMemoryBackFromWhoHasItMapped) {
  std::shared_ptr<Arena> arena = Make(kMiB);
  EXPECT_EQ(arena->Take(Fill("hello"), 5).value()->view(), "hello");
  arena.reset();
  EXPECT_EQ(maker_.head().closed.load(), 1u);
  EXPECT_EQ(maker_.View(0, 5), std::string_view("\0\0\0\0\0", 5));
  EXPECT_EQ(spool_.used_memory_bytes(), 0u);
}

// It may send it another way.
TEST_F(Arenas, WhatItsMakerHasFilledAndNobodyTookStaysTheMakers) {
  std::shared_ptr<Arena> arena = Make(kMiB);
  Fill("hello");
  arena.reset();
  EXPECT_EQ(maker_.head().closed.load(), 1u);
  EXPECT_EQ(maker_.View(0, 5), "hello");
  EXPECT_EQ(spool_.used_memory_bytes(), 0u);
}

}  // namespace
}  // namespace poold::base
