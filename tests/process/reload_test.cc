// Two generations of one pool, with a module that is exchanged on disk.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "poold/codec/codec.h"
#include "process/containment/child_registry.h"
#include "process/stage.h"

namespace poold::process {
namespace {

namespace fs = std::filesystem;

class ReloadTest : public testing::TestWithParam<ContainmentChoice> {
 protected:
  ReloadTest() : folder_(fs::path(testing::TempDir()) / ("poold-reload-" + std::to_string(getpid()))) {
    fs::create_directory(folder_);
    Install(1);
    spec_.name = "versions";
    spec_.workers = 2;
    spec_.modules = {"version"};
    spec_.module_paths = {folder_ / "version.so"};
    spec_.preload = {"prepare"};
  }
  ~ReloadTest() override { fs::remove_all(folder_); }
  void SetUp() override {
    Stage probe(WithPoolWorker(), GetParam());
    if (!probe.started.ok()) GTEST_SKIP() << probe.started;
  }

  // As an installer does it: the file is another one, and who has the old one keeps it.
  void Install(int version) {
    fs::copy_file(fs::path(VERSION_FOLDER) / ("version_" + std::to_string(version) + ".so"), folder_ / "new");
    fs::rename(folder_ / "new", folder_ / "version.so");
  }
  void Break() {
    std::ofstream(folder_ / "new") << "this is no module\n";
    fs::rename(folder_ / "new", folder_ / "version.so");
  }

  template <typename... Args>
  core::HandleId Call(Stage& stage, std::string_view function, const Args&... args) {
    return stage.Submit(function, codec::EncodeArguments(args...), core::Encoding::kMsgpack);
  }
  std::int64_t Answer(Stage& stage, core::HandleId task) {
    const core::OutcomePtr outcome = stage.clients.Outcome(task);
    EXPECT_EQ(outcome->state, core::TaskState::kSucceeded);
    const auto value = codec::Decode<std::int64_t>(outcome->result.data.view());
    return value.ok() ? *value : -1;
  }

  const fs::path folder_;
  core::PoolSpec spec_;
};

TEST_P(ReloadTest, ANewModuleTakesOverWhileTheOldOneFinishesItsTask) {
  Stage stage(WithPoolWorker(), GetParam());
  ASSERT_TRUE(stage.Open(spec_).ok());
  EXPECT_EQ(Answer(stage, Call(stage, "version")), 1);
  const core::HandleId old = Call(stage, "wait_for", (folder_ / "go").string());
  WaitUntil([&] { return stage.View().stats.running == 1; });
  Install(2);
  std::thread go([&] {
    // The task ends only after the first worker of the new generation is there.
    WaitUntil([&] {
      for (const core::WorkerView& worker : stage.View().workers) {
        if (worker.generation == 2 && worker.pid != 0) return true;
      }
      return false;
    });
    std::ofstream(folder_ / "go") << "x";
  });
  const auto reloaded = stage.Reload();
  go.join();
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_EQ(reloaded->generation, 2u);
  EXPECT_EQ(Answer(stage, old), 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Answer(stage, Call(stage, "version")), 2);
  EXPECT_EQ(Answer(stage, Call(stage, "prepared_by")), 2);
  // Of the old generation nothing is left: the zygote and the workers of the new one are all our children.
  WaitUntil([] { return ChildrenOf(getpid()).size() == 3; });
}

TEST_P(ReloadTest, AModuleThatCannotBeLoadedIsRolledBackAndNobodyDies) {
  Stage stage(WithPoolWorker(), GetParam());
  ASSERT_TRUE(stage.Open(spec_).ok());
  std::set<std::int64_t> before, after;
  for (const core::WorkerView& worker : stage.View().workers) before.insert(worker.pid);
  Break();
  const auto reloaded = stage.Reload();
  ASSERT_FALSE(reloaded.ok());
  EXPECT_NE(std::string(reloaded.status().message()).find("version.so"), std::string::npos) << reloaded.status();
  EXPECT_EQ(Answer(stage, Call(stage, "version")), 1);
  for (const core::WorkerView& worker : stage.View().workers) after.insert(worker.pid);
  EXPECT_EQ(before, after);
  EXPECT_EQ(stage.View().stats.rollbacks, 1u);
}

TEST_P(ReloadTest, StoppingAnOldZygoteWaitsForItsWorkers) {
  Stage stage(WithPoolWorker(), GetParam());
  spec_.workers = 1;
  ASSERT_TRUE(stage.Open(spec_).ok());
  const core::HandleId old = Call(stage, "wait_for", (folder_ / "go").string());
  const pid_t worker = stage.WorkerPid();
  WaitUntil([&] { return stage.View().stats.running == 1; });
  const auto zygote = [&] {
    for (const pid_t child : ChildrenOf(getpid())) {
      if (child != worker) return child;
    }
    return -1;
  }();
  // Not by the core, which stops it later: this is what the port promises.
  stage.gate.Enter([&](core::Core& core, core::Nanos) {
    stage.dispatcher.StopZygote(core::PoolId{1}, core.ViewPool("versions")->generation);
  });
  // What is asked for later is done later.
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  EXPECT_TRUE(IsAlive(zygote));
  std::ofstream(folder_ / "go") << "x";
  EXPECT_EQ(Answer(stage, old), 1);
  EXPECT_TRUE(IsAlive(worker));
  kill(worker, SIGKILL);
  WaitUntil([&] { return !IsAlive(zygote); });
}

INSTANTIATE_TEST_SUITE_P(Tiers, ReloadTest,
                         testing::Values(ContainmentChoice::kCgroup, ContainmentChoice::kPidNamespace,
                                         ContainmentChoice::kSubreaper),
                         [](const auto& info) { return std::string(ContainmentName(ContainmentTier(info.param))); });

}  // namespace
}  // namespace poold::process
