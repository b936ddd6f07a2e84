// Two dispatchers in one process: each with its core, its gate and its process thread, and one registry for both.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "poold/codec/codec.h"
#include "process/containment/child_registry.h"
#include "process/marked.h"
#include "process/stage.h"

namespace poold::process {
namespace {

using core::TaskState;

template <typename... Args>
core::HandleId Call(Stage& stage, std::string_view function, const Args&... args) {
  return stage.Submit(function, codec::EncodeArguments(args...), core::Encoding::kMsgpack);
}

std::set<pid_t> WorkersOf(Stage& stage) {
  std::set<pid_t> pids;
  for (const auto& worker : stage.View().workers) pids.insert(static_cast<pid_t>(worker.pid));
  return pids;
}

class ProcessRegistryTest : public testing::TestWithParam<ContainmentChoice> {
 protected:
  void SetUp() override {
    if (!registry_.ok()) GTEST_SKIP() << registry_.status();
    spec_.environment["MARK"] = mark_;
  }

  void OpenBoth(const core::PoolSpec& theirs) {
    ASSERT_TRUE(ours_.Open(spec_).ok());
    ASSERT_TRUE(theirs_.Open(theirs).ok());
  }
  // In ours: a worker that has left a sleeper in another session dies.
  void LeaveAnOrphan() {
    EXPECT_EQ(ours_.clients.Outcome(Call(ours_, "daemonize", 600'000, mark_))->state, TaskState::kSucceeded);
    WaitForSleeper(mark_);
    EXPECT_EQ(ours_.clients.Outcome(Call(ours_, "crash", SIGSEGV))->detail->death->signal, SIGSEGV);
  }

  const std::string mark_ = Mark();
  core::PoolSpec spec_ = TestingPool(1);
  const absl::StatusOr<std::shared_ptr<ProcessRegistry>> registry_ = MakeProcessRegistry(GetParam());
  Stage ours_{WithPoolWorker(), registry_, {.index = 0, .count = 2}};
  Stage theirs_{WithPoolWorker(), registry_, {.index = 1, .count = 2}};
};

TEST_P(ProcessRegistryTest, AnOrphanOfOneDispatcherDiesAndTheOthersChildrenLiveOn) {
  OpenBoth(TestingPool(2));
  const std::set<pid_t> workers = WorkersOf(theirs_);
  const std::size_t children = AliveWith(mark_).size();
  for (int round = 0; round < 3; ++round) {
    LeaveAnOrphan();
    EXPECT_EQ(ours_.clients.Outcome(Call(ours_, "noop"))->state, TaskState::kSucceeded);
    EXPECT_EQ(AliveWith(mark_).size(), children);
    EXPECT_EQ(theirs_.clients.Outcome(Call(theirs_, "noop"))->state, TaskState::kSucceeded);
  }
  EXPECT_EQ(WorkersOf(theirs_), workers);
  EXPECT_EQ(theirs_.View().stats.workers_lost, 0u);
  // Their zygote lives, too, and their deaths are told to them.
  const pid_t killed = theirs_.WorkerPid();
  kill(killed, SIGKILL);
  WaitUntil([&] { return !WorkersOf(theirs_).contains(killed) && WorkersOf(theirs_).size() == 2; });
  EXPECT_EQ(theirs_.clients.Outcome(Call(theirs_, "crash", SIGABRT))->detail->death->signal, SIGABRT);
  EXPECT_EQ(theirs_.clients.Outcome(Call(theirs_, "noop"))->state, TaskState::kSucceeded);
}

TEST_P(ProcessRegistryTest, OrphansDieAlsoWhereBothMakeWorkersAllTheTime) {
  core::PoolSpec busy = TestingPool(2);
  busy.max_tasks_per_worker = 1;
  spec_.workers = 2;
  spec_.max_tasks_per_worker = 1;
  OpenBoth(busy);
  for (int round = 0; round < 5; ++round) {
    std::vector<core::HandleId> tasks, orphans, crashes;
    for (int i = 0; i < 40; ++i) tasks.push_back(Call(theirs_, "noop"));
    for (int i = 0; i < 5; ++i) {
      orphans.push_back(Call(ours_, "daemonize", 600'000, mark_));
      orphans.push_back(Call(ours_, "noop"));
      crashes.push_back(Call(theirs_, "crash", SIGABRT));
      tasks.push_back(Call(theirs_, "crash", 0));  // comes back, so that no breaker trips
    }
    for (const auto& id : orphans) EXPECT_EQ(ours_.clients.Outcome(id)->state, TaskState::kSucceeded);
    for (const auto& id : tasks) EXPECT_EQ(theirs_.clients.Outcome(id)->state, TaskState::kSucceeded);
    for (const auto& id : crashes) EXPECT_EQ(theirs_.clients.Outcome(id)->detail->death->signal, SIGABRT);
  }
  ours_.Terminate();
  EXPECT_EQ(AliveWith(mark_), std::vector<pid_t>());
  EXPECT_EQ(theirs_.clients.Outcome(Call(theirs_, "noop"))->state, TaskState::kSucceeded);
}

// One has ended with all that it had; the other goes on.
TEST_P(ProcessRegistryTest, StopOfOneLeavesTheOther) {
  OpenBoth(TestingPool(2));
  const std::set<pid_t> workers = WorkersOf(theirs_);
  EXPECT_EQ(ours_.clients.Outcome(Call(ours_, "daemonize", 600'000, mark_))->state, TaskState::kSucceeded);
  WaitForSleeper(mark_);
  ours_.dispatcher.Stop();
  EXPECT_EQ(AliveWith(mark_), std::vector<pid_t>());
  EXPECT_EQ(theirs_.clients.Outcome(Call(theirs_, "noop"))->state, TaskState::kSucceeded);
  EXPECT_EQ(WorkersOf(theirs_), workers);
}

INSTANTIATE_TEST_SUITE_P(Tiers, ProcessRegistryTest,
                         testing::Values(ContainmentChoice::kCgroup, ContainmentChoice::kPidNamespace,
                                         ContainmentChoice::kSubreaper),
                         [](const auto& info) { return std::string(ContainmentName(ContainmentTier(info.param))); });

}  // namespace
}  // namespace poold::process
