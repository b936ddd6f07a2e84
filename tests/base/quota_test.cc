// Counting before memory is taken: a tree of quotas, and how much there is to divide.
#include "base/quota.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "base/memory_budget.h"

namespace poold::base {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1 << 20;

TEST(QuotaTest, WhatIsTakenOfAPartIsTakenOfTheWhole) {
  const auto whole = std::make_shared<Quota>(100);
  Quota one(80, whole);
  Quota other(80, whole);
  EXPECT_TRUE(one.Take(70));
  EXPECT_FALSE(one.Take(20)) << "its own bound";
  EXPECT_FALSE(other.Take(40)) << "the bound above";
  EXPECT_EQ(other.used(), 0u) << "what is refused is not counted";
  EXPECT_EQ(whole->used(), 70u);
  one.GiveBack(70);
  EXPECT_TRUE(other.Take(80));
  EXPECT_EQ(whole->used(), 80u);
}

TEST(QuotaTest, AReservationGivesBackWhenItGoes) {
  const auto quota = std::make_shared<Quota>(100);
  {
    Reservation first(quota);
    EXPECT_TRUE(first.Take(60));
    EXPECT_TRUE(first.Resize(90));
    EXPECT_FALSE(first.Resize(101));
    EXPECT_EQ(first.taken(), 90u);
    EXPECT_TRUE(first.Resize(10));
    Reservation second(std::move(first));
    EXPECT_EQ(second.taken(), 10u);
    EXPECT_EQ(quota->used(), 10u);
  }
  EXPECT_EQ(quota->used(), 0u);
}

TEST(QuotaTest, ManyThreadsNeverTakeMoreThanThereIs) {
  const auto whole = std::make_shared<Quota>(64);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Quota part(64, whole);
      for (int j = 0; j < 1000; ++j) taken += part.Take(1) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 64);
  EXPECT_EQ(whole->used(), 64u);
}

TEST(MemoryBudgetTest, ThePartsNeverAddUpToMoreThanTheBudget) {
  const MemoryBudget budget(600 * kMiB);
  std::uint64_t sum = budget.tasks() + budget.outcomes();
  for (const auto& part : {budget.arguments, budget.half_read, budget.uploads, budget.unsent, budget.watchers,
                           budget.arenas}) {
    sum += part->max();
    EXPECT_TRUE(part->Take(part->max())) << "each is there for itself";
  }
  EXPECT_LE(sum, budget.bytes());
}

TEST(MemoryBudgetTest, IsHalfOfTheLeastBound) {
  EXPECT_EQ(AutomaticBudget({.cgroup = 800 * kMiB, .machine = 4096 * kMiB}), 400 * kMiB);
  EXPECT_EQ(AutomaticBudget({.machine = 4096 * kMiB, .address_space = 1000 * kMiB}), 500 * kMiB);
}

// A /proc and a /sys in a folder.
class CgroupTest : public ::testing::Test {
 protected:
  CgroupTest() {
    std::string name = (fs::path(::testing::TempDir()) / "poold-cgroup-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~CgroupTest() override { fs::remove_all(root_); }
  void Write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::uint64_t Limit() const { return FindMemoryBounds(root_.string()).cgroup; }

  fs::path root_;
};

TEST_F(CgroupTest, ALimitAboveCountsToo) {
  Write("proc/self/cgroup", "0::/machine/poold.service\n");
  Write("sys/fs/cgroup/machine/poold.service/memory.max", "max\n");
  Write("sys/fs/cgroup/machine/memory.max", "268435456\n");
  EXPECT_EQ(Limit(), 256 * kMiB);
}

TEST_F(CgroupTest, VersionOneSaysItsLimitInAnotherFile) {
  Write("proc/self/cgroup", "4:cpu,memory:/poold\n0::/\n");
  Write("sys/fs/cgroup/memory/poold/memory.limit_in_bytes", "536870912\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Limit(), 512 * kMiB);
}

TEST_F(CgroupTest, AContainerThatSeesAnotherPathHasTheLimitOfItsMount) {
  Write("proc/self/cgroup", "0::/not/seen/here\n");
  Write("sys/fs/cgroup/memory.max", "134217728\n");
  EXPECT_EQ(Limit(), 128 * kMiB);
}

TEST_F(CgroupTest, WithoutALimitThereIsNone) {
  Write("proc/self/cgroup", "9:pids:/\n0::/\n");
  Write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(Limit(), MemoryBounds::kUnlimited);
}

}  // namespace
}  // namespace poold::base
