// What a pool's workers may use, who looks, and whom a death is blamed on.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "poold/codec/codec.h"
#include "process/containment/cgroup.h"
#include "process/death.h"
#include "process/stage.h"

namespace poold::process {
namespace {

using core::KilledBy;
using core::ResourceKind;
using core::TaskState;

constexpr std::uint64_t kMegabyte = 1 << 20;

template <typename... Args>
core::OutcomePtr Call(Stage& stage, std::string_view function, const Args&... args) {
  return stage.clients.Outcome(stage.Submit(function, codec::EncodeArguments(args...), core::Encoding::kMsgpack));
}

core::PoolSpec Limited(ResourceKind kind, std::uint64_t value) {
  core::PoolSpec spec = TestingPool();
  spec.resource_limits[kind] = value;
  return spec;
}

TEST(ResourceLimitTest, AWorkerOfLimitedAddressSpaceCannotAllocateMore) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers reserve address space";
#endif
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Limited(ResourceKind::kAddressSpaceBytes, 512 * kMegabyte)).ok());
  const core::OutcomePtr outcome = Call(stage, "alloc", std::uint64_t{600 * kMegabyte});
  EXPECT_EQ(outcome->state, TaskState::kFailed);
  EXPECT_EQ(outcome->detail->failure->type, "std::bad_alloc");
  EXPECT_EQ(Call(stage, "alloc", std::uint64_t{10 * kMegabyte})->state, TaskState::kSucceeded);
}

TEST(ResourceLimitTest, AWorkerOfLimitedFilesCannotOpenMore) {
  Stage stage(WithPoolWorker());
  // Its own descriptors are below; a program with two pipes is above.
  ASSERT_TRUE(stage.Open(Limited(ResourceKind::kOpenFiles, 3)).ok());
  EXPECT_EQ(Call(stage, "noop")->state, TaskState::kSucceeded);
  EXPECT_EQ(Call(stage, "child_fds")->state, TaskState::kFailed);
}

TEST(ResourceLimitTest, AWorkerThatUsedItsProcessorTimeIsEndedByTheKernel) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Limited(ResourceKind::kCpuSeconds, 1)).ok());
  const core::OutcomePtr outcome = Call(stage, "spin", 3'600'000);
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(outcome->detail->death->signal, SIGXCPU);
  EXPECT_EQ(outcome->detail->death->killed_by, KilledBy::kKernel);
  EXPECT_EQ(Call(stage, "noop")->state, TaskState::kSucceeded);
}

TEST(ResourceLimitTest, AWorkerThatWritesALargerFileIsEndedByTheKernel) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Limited(ResourceKind::kFileSizeBytes, 1000)).ok());
  const std::string path = testing::TempDir() + "/poold-limits-" + std::to_string(getpid());
  // The kernel cuts the write that crosses the limit, and ends the process at the next one.
  EXPECT_EQ(Call(stage, "append", path, std::string(2000, 'x'))->state, TaskState::kFailed);
  const core::OutcomePtr outcome = Call(stage, "append", path, "one more");
  std::filesystem::remove(path);
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(outcome->detail->death->signal, SIGXFSZ);
  EXPECT_EQ(outcome->detail->death->killed_by, KilledBy::kKernel);
}

TEST(ResourceLimitTest, LimitsHoldForClonesAndForFreshPrograms) {
  for (const auto method : {core::StartMethod::kFork, core::StartMethod::kSpawn}) {
    Stage stage(WithPoolWorker());
    core::PoolSpec spec = Limited(ResourceKind::kCoreBytes, 0);
    spec.resource_limits[ResourceKind::kStackBytes] = 4 * kMegabyte;
    spec.start_method = method;
    ASSERT_TRUE(stage.Open(spec).ok());
    rlimit core{1, 1}, stack{};
    ASSERT_EQ(prlimit(stage.WorkerPid(), RLIMIT_CORE, nullptr, &core), 0);
    ASSERT_EQ(prlimit(stage.WorkerPid(), RLIMIT_STACK, nullptr, &stack), 0);
    EXPECT_EQ(core.rlim_max, 0u);
    EXPECT_EQ(stack.rlim_cur, 4 * kMegabyte);
  }
}

TEST(ResourceLimitTest, LimitsAreInForceBeforeTheInitializerRuns) {
  for (const auto method : {core::StartMethod::kFork, core::StartMethod::kSpawn, core::StartMethod::kFresh}) {
    Stage stage(WithPoolWorker());
    core::PoolSpec spec = Limited(ResourceKind::kOpenFiles, 200);
    spec.start_method = method;
    spec.initializer = "init_open_files";
    ASSERT_TRUE(stage.Open(spec).ok());
    EXPECT_EQ(*codec::Decode<std::uint64_t>(Call(stage, "open_files_at_start")->result.data.view()), 200u);
  }
}

TEST(ResourceLimitTest, ATooSmallAddressSpaceIsToldAsWhatItIs) {
  for (const auto method : {core::StartMethod::kFork, core::StartMethod::kSpawn}) {
    Stage stage(WithPoolWorker());
    core::PoolSpec spec = Limited(ResourceKind::kAddressSpaceBytes, 8 * kMegabyte);
    spec.start_method = method;
    const auto opened = stage.Open(spec);
    ASSERT_FALSE(opened.ok());
    const std::string why(opened.status().message());
    EXPECT_NE(why.find("address_space_bytes"), std::string::npos) << why;
    EXPECT_NE(why.find("raise it"), std::string::npos) << why;
  }
}

TEST(ResourceLimitTest, ALimitAboveTheDaemonsOwnFailsThePoolInWords) {
  const std::uint64_t files = 40'000'000'000;  // no kernel lets anybody have so many
  Stage stage(WithPoolWorker());
  const auto opened = stage.Open(Limited(ResourceKind::kOpenFiles, files));
  ASSERT_FALSE(opened.ok());
  const std::string why(opened.status().message());
  EXPECT_NE(why.find("cannot be limited to 40000000000 open files"), std::string::npos) << why;
  EXPECT_NE(why.find("the daemon's own limit is"), std::string::npos) << why;
}

TEST(BlameTest, TellsTheKernelFromTheWorkerAndFromOthers) {
  const ResourceLimits none, seconds{{ResourceKind::kCpuSeconds, 2}}, bytes{{ResourceKind::kFileSizeBytes, 1}};
  const auto death = [](int signal, core::Nanos cpu_time = 0) {
    Death death;
    death.signal = signal;
    death.cpu_time = cpu_time;
    return death;
  };
  EXPECT_EQ(Blame(death(SIGXCPU), seconds, false), KilledBy::kKernel);
  EXPECT_EQ(Blame(death(SIGXCPU), none, false), KilledBy::kItself);
  EXPECT_EQ(Blame(death(SIGXFSZ), bytes, false), KilledBy::kKernel);
  EXPECT_EQ(Blame(death(SIGXFSZ), seconds, false), KilledBy::kItself);
  EXPECT_EQ(Blame(death(SIGKILL), none, false), KilledBy::kOutsider);
  EXPECT_EQ(Blame(death(SIGKILL), none, true), KilledBy::kKernel);
  // It ignored SIGXCPU.
  EXPECT_EQ(Blame(death(SIGKILL, 3 * core::kSecond), seconds, false), KilledBy::kKernel);
  EXPECT_EQ(Blame(death(SIGKILL, core::kSecond), seconds, false), KilledBy::kOutsider);
  EXPECT_EQ(Blame(death(SIGSEGV), seconds, false), KilledBy::kItself);
}

TEST(OutOfMemoryTest, IsReadFromTheEventsOfACgroup) {
  EXPECT_TRUE(TellsOfOutOfMemory("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n"));
  EXPECT_FALSE(TellsOfOutOfMemory("low 0\nhigh 0\nmax 7\noom 1\noom_kill 0\n"));
  EXPECT_FALSE(TellsOfOutOfMemory(""));
}

TEST(UsageTest, ResidentMemoryIsReadInBytes) {
  const std::uint64_t before = ReadResidentBytes(getpid(), 0);
  const std::vector<char> touched(64 * kMegabyte, 1);
  EXPECT_GE(ReadResidentBytes(getpid(), 0), before + 60 * kMegabyte);
  EXPECT_EQ(touched.back(), 1);
  EXPECT_EQ(ReadResidentBytes(-1, 0), 0u);
}

}  // namespace
}  // namespace poold::process
