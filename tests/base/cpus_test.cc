// The number of CPUs that a daemon counts on.
#include "base/cpus.h"

#include <gtest/gtest.h>

#include <map>

namespace poold::base {
namespace {

constexpr char kVersion2[] = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kVersion1[] =
    "30 29 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

std::uint32_t QuotaOfCpus(const std::string& mounts, const std::string& own, std::map<std::string, std::string> files) {
  return QuotaCpus(mounts, own, [files](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? "" : found->second;
  });
}

TEST(CpusTest, AQuotaIsRoundedUp) {
  const std::string own = "0::/a.service\n";
  const std::string file = "/sys/fs/cgroup/a.service/cpu.max";
  EXPECT_EQ(QuotaOfCpus(kVersion2, own, {{file, "150000 100000\n"}}), 2u);
  EXPECT_EQ(QuotaOfCpus(kVersion2, own, {{file, "200000 100000\n"}}), 2u);
  EXPECT_EQ(QuotaOfCpus(kVersion2, own, {{file, "1000 100000\n"}}), 1u);
  EXPECT_EQ(QuotaOfCpus(kVersion2, own, {{file, "max 100000\n"}}), 0u);
  EXPECT_EQ(QuotaOfCpus(kVersion2, own, {}), 0u);
}

TEST(CpusTest, TheLeastOfAllAboveCounts) {
  EXPECT_EQ(QuotaOfCpus(kVersion2, "0::/a.slice/b.service\n",
                        {{"/sys/fs/cgroup/a.slice/b.service/cpu.max", "800000 100000"},
                         {"/sys/fs/cgroup/a.slice/cpu.max", "300000 100000"},
                         {"/sys/fs/cgroup/cpu.max", "1600000 100000"}}),
            3u);
}

TEST(CpusTest, InAContainerTheMountIsTheOwnCgroup) {
  EXPECT_EQ(QuotaOfCpus(kVersion2, "0::/\n", {{"/sys/fs/cgroup/cpu.max", "50000 100000"}}), 1u);
  EXPECT_EQ(QuotaOfCpus("29 23 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/x\n",
                        {{"/sys/fs/cgroup/cpu.max", "250000 100000"}}),
            3u);
}

TEST(CpusTest, VersionOneCountsToo) {
  EXPECT_EQ(QuotaOfCpus(kVersion1, "2:cpu,cpuacct:/docker/y\n1:name=systemd:/z\n",
                        {{"/sys/fs/cgroup/cpu,cpuacct/docker/y/cpu.cfs_quota_us", "150000\n"},
                         {"/sys/fs/cgroup/cpu,cpuacct/docker/y/cpu.cfs_period_us", "100000\n"},
                         {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                         {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}}),
            2u);
}

TEST(CpusTest, WhatMakesNoSenseIsNoQuota) {
  EXPECT_EQ(QuotaOfCpus("garbage\n", "garbage\n", {}), 0u);
  EXPECT_EQ(QuotaOfCpus("", "", {}), 0u);
  EXPECT_EQ(QuotaOfCpus(kVersion2, "0::/a\n", {{"/sys/fs/cgroup/a/cpu.max", "100000 0\n"}}), 0u);
  EXPECT_GE(UsableCpus(), 1u);
}

}  // namespace
}  // namespace poold::base
