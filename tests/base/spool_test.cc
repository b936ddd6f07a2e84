// Large payloads in files: the spool's bounds, drafts, what is taken over from others.
#include "base/spool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/payload_draft.h"
#include "wire/sealed_file.h"

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

}  // namespace
}  // namespace poold::base
