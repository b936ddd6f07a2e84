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
  for (const auto& part :
       {budget.arguments, budget.half_read, budget.uploads, budget.unsent, budget.watchers, budget.arenas}) {
    sum += part->max();
    EXPECT_TRUE(part->Take(part->max())) << "each is there for itself";
  }
  EXPECT_LE(sum, budget.bytes());
}

TEST(MemoryBudgetTest, IsHalfOfTheLeastBound) {
  EXPECT_EQ(AutomaticBudget({.cgroup = 800 * kMiB, .machine = 4096 * kMiB}), 400 * kMiB);
  EXPECT_EQ(AutomaticBudget({.machine = 4096 * kMiB, .address_space = 1000 * kMiB}), 500 * kMiB);
}

// A process of so many MiB, of which giving back returns some.
struct FakeProcess {
  std::uint64_t resident = 20;
  std::uint64_t returnable = 0;
  int asked = 0;
  MemoryReturn memory{{[this] { return resident * kMiB; },
                       [this] {
                         ++asked;
                         resident -= returnable;
                         returnable = 0;
                       }}};
};

TEST(MemoryReturnTest, GivesBackWhatAPeakLeft) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  FakeProcess process;
  EXPECT_EQ(process.memory.Look(0, 0), MemoryReturn::kNoHurry);
  process.resident = 1020;
  EXPECT_EQ(process.memory.Look(10 * kSecond, 1000 * kMiB), MemoryReturn::kNoHurry);
  EXPECT_EQ(process.asked, 0) << "it is in use";
  process.returnable = 990;
  EXPECT_LE(process.memory.Look(20 * kSecond, 0), kSecond);
  EXPECT_EQ(process.resident, 30u);
  EXPECT_EQ(process.memory.Look(21 * kSecond, 0), MemoryReturn::kNoHurry);
  EXPECT_EQ(process.asked, 1);
}

TEST(MemoryReturnTest, AsksLessOftenWhereItDoesNotHelp) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  FakeProcess process;
  process.memory.Look(0, 0);
  process.resident = 520;
  std::int64_t now = 10 * kSecond;
  const std::int64_t end = now + 600 * kSecond;
  while (now < end) now += process.memory.Look(now, 0);
  EXPECT_LT(process.asked, 20);
  EXPECT_GT(process.asked, 5);
}

TEST(MemoryReturnTest, AsksAtOnceWhenWhatIsUsedFell) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  FakeProcess process;
  process.memory.Look(0, 0);
  process.resident = 520;
  std::int64_t now = 10 * kSecond;
  while (now < 300 * kSecond) now += process.memory.Look(now, 200 * kMiB);
  const int asked = process.asked;
  process.memory.Look(now + kSecond, 200 * kMiB);
  EXPECT_LE(process.asked, asked + 1);
  process.returnable = 490;
  process.memory.Look(now + 2 * kSecond, 0);
  EXPECT_EQ(process.resident, 30u);
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
