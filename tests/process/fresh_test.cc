// Workers that run one task each, cloned from a zygote with much prepared state.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "poold/codec/codec.h"
#include "process/stage.h"

namespace poold::process {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;

core::PoolSpec Prepared(int megabytes) {
  core::PoolSpec spec = TestingPool(2);
  spec.start_method = core::StartMethod::kFresh;
  spec.max_tasks_per_worker = 1;
  spec.preload = {"preload_memory"};
  spec.environment["TESTING_PRELOAD_MB"] = std::to_string(megabytes);
  return spec;
}

std::vector<core::HandleId> CallMany(Stage& stage, std::string_view function, std::size_t count) {
  return stage.SubmitMany(function, std::vector<std::string>(count, codec::EncodeArguments()),
                          core::Encoding::kMsgpack);
}

// Bytes of one line of a process's memory map, all mappings together.
std::uint64_t MapBytes(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) == 0) return std::stoull(line.substr(name.size())) * 1024;
  }
  return 0;
}

bool HasHugePages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  return std::getline(file, text) && text.find("[never]") == std::string::npos;
}

TEST(FreshTest, EveryTaskHasAProcessOfItsOwnWithTheWholePreparedState) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Prepared(20)).ok());
  for (const auto& id : CallMany(stage, "preloaded_bytes", 200)) {
    const auto bytes = codec::Decode<std::uint64_t>(stage.clients.Outcome(id)->result.data.view());
    EXPECT_EQ(*bytes, 20 * kMegabyte);
  }
  EXPECT_GE(stage.View().stats.workers_started, 200u);
}

TEST(FreshTest, PreparedStateLiesInHugePagesSoThatACloneIsCheap) {
  if (!HasHugePages()) GTEST_SKIP() << "this machine has no huge pages";
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Prepared(64)).ok());
  EXPECT_GE(MapBytes(stage.WorkerPid(), "AnonHugePages:"), 56 * kMegabyte);
}

// The daemon names pool-worker as the program of a pool that names none.
TEST(FreshTest, NamesAreBoundInTheZygoteSoThatClonesNeedNot) {
  Stage stage(WithPoolWorker());
  core::PoolSpec spec = Prepared(0);
  spec.program_path = PoolWorkerPath();
  ASSERT_TRUE(stage.Open(spec).ok());
  std::ifstream file("/proc/" + std::to_string(stage.WorkerPid()) + "/environ");
  const std::string started_with{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(started_with.find("LD_BIND_NOW=1"), std::string::npos);
  const auto here = codec::Decode<std::map<std::string, std::string>>(
      stage.clients.Outcome(CallMany(stage, "env", 1).front())->result.data.view());
  ASSERT_TRUE(here.ok());
  EXPECT_FALSE(here->contains("LD_BIND_NOW"));
}

TEST(FreshTest, ASmallPreparedStateStaysSmall) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(Prepared(0)).ok());
  EXPECT_EQ(MapBytes(stage.WorkerPid(), "AnonHugePages:"), 0u);
}

}  // namespace
}  // namespace poold::process
