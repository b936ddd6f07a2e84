// Descriptors that are kept in reserve.
#include "base/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <vector>

namespace poold::base {
namespace {

class LowLimit {
 public:
  explicit LowLimit(rlim_t soft) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{soft, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
  }
  ~LowLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(DescriptorsTest, TheLastOnesAreReserved) {
  const LowLimit limit(80);
  EXPECT_FALSE(IsReserved(20));
  EXPECT_FALSE(IsReserved(69));
  EXPECT_TRUE(IsReserved(70)) << "an eighth of them";
  EXPECT_FALSE(IsReserved(-1));
}

TEST(DescriptorsTest, WhatHasToBeOpenedIsOpenedWithoutADescriptorLeft) {
  PutDescriptorsBy();
  std::vector<wire::UniqueFd> others;
  const LowLimit limit(40);
  while (true) {
    wire::UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd) break;
    others.push_back(std::move(fd));
  }
  ASSERT_EQ(errno, EMFILE);
  for (int i = 0; i < 100; ++i) ASSERT_NE(ReadSurely("/proc/self/stat"), "") << i;
  ASSERT_TRUE(OpenSurely("/proc/self/fd", O_RDONLY | O_DIRECTORY));
}

TEST(DescriptorsTest, WhatIsNotThereIsNoShortage) {
  EXPECT_FALSE(OpenSurely("/no/such/file", O_RDONLY));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(IsShortage(ENOENT));
  for (const int error : {EMFILE, ENFILE, EAGAIN, ENOMEM, ENOSPC}) EXPECT_TRUE(IsShortage(error)) << error;
}

}  // namespace
}  // namespace poold::base
