// Sealed memory, and mappings of it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "wire/arena.h"
#include "wire/mapped_file.h"
#include "wire/memory_file.h"

namespace poold::wire {
namespace {

using testing::HasSubstr;

// No two pages are the same.
std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

TEST(SealedFileTest, ItHoldsTheBytesOfAnySize) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, kHugePageBytes - 1, kHugePageBytes,
                                  3 * kHugePageBytes + 12'345}) {
    const std::string text = Pattern(bytes);
    const auto fd = MakeSealedFile(text);
    ASSERT_TRUE(fd.ok()) << fd.status();
    EXPECT_TRUE(CheckSealedFile(fd->get(), bytes).ok());
    for (const Faults faults : {Faults::kHereAndThere, Faults::kWhenTouched, Faults::kAtOnce}) {
      const auto mapped = MappedFile::Map(fd->get(), bytes, faults);
      ASSERT_TRUE(mapped.ok()) << mapped.status();
      EXPECT_TRUE(mapped->view() == text) << bytes;
    }
  }
}

TEST(SealedFileTest, NobodyCanChangeIt) {
  const auto fd = MakeSealedFile("hello");
  ASSERT_TRUE(fd.ok());
  EXPECT_LT(pwrite(fd->get(), "x", 1, 0), 0);
  EXPECT_NE(ftruncate(fd->get(), 2), 0);
  EXPECT_NE(ftruncate(fd->get(), 20), 0);
  EXPECT_EQ(mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0), MAP_FAILED);
}

TEST(SealedFileTest, WhatCouldStillChangeIsNotTaken) {
  const UniqueFd open_one(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(open_one.get(), 100), 0);
  EXPECT_THAT(CheckSealedFile(open_one.get(), 100).ToString(), HasSubstr("not sealed"));
  ASSERT_EQ(fcntl(open_one.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_FALSE(CheckSealedFile(open_one.get(), 100).ok());
  ASSERT_EQ(fcntl(open_one.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_TRUE(CheckSealedFile(open_one.get(), 100).ok());
}

TEST(SealedFileTest, AnotherSizeOrAnotherKindOfDescriptorIsNotTaken) {
  const auto fd = MakeSealedFile("hello");
  ASSERT_TRUE(fd.ok());
  EXPECT_THAT(CheckSealedFile(fd->get(), 6).ToString(), HasSubstr("it has 5 bytes, not 6"));
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(CheckSealedFile(file.get(), 0).ok());
}

TEST(SealedFileTest, HugePagesThatMayNotBeThereAreNotTaken) {
  constexpr std::uint64_t kBytes = std::uint64_t{2} << 20;
  const UniqueFd fd(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  if (!fd || ftruncate(fd.get(), kBytes) != 0) GTEST_SKIP() << "no huge pages here";
  ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_FALSE(CheckArena(fd.get(), kBytes - kArenaHeadBytes).ok());
  ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_THAT(CheckSealedFile(fd.get(), kBytes).ToString(), HasSubstr("MFD_HUGETLB"));
}

TEST(SealedFileTest, ALimitOfFileSizesIsAnErrorNotASignal) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
  const auto fd = MakeSealedFile(std::string(1001, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(fd.status().ToString(), HasSubstr("limit of file sizes"));
}

TEST(MappedFileTest, AMovedOneIsUnmappedOnce) {
  const auto fd = MakeSealedFile("hello");
  ASSERT_TRUE(fd.ok());
  auto mapped = MappedFile::Map(fd->get(), 5, Faults::kAtOnce);
  ASSERT_TRUE(mapped.ok());
  MappedFile other = *std::move(mapped);
  MappedFile third;
  third = std::move(other);
  EXPECT_EQ(third.view(), "hello");
}

}  // namespace
}  // namespace poold::wire
