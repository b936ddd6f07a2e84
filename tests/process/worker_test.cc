// The dispatcher with our own pool-worker and the module of tasks that misbehave.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <map>
#include <set>

#include "poold/codec/codec.h"
#include "process/containment/child_registry.h"
#include "process/marked.h"
#include "process/stage.h"

namespace poold::process {
namespace {

using codec::EncodeArguments;
using core::Encoding;
using core::TaskState;

template <typename... Args>
core::HandleId Call(Stage& stage, std::string_view function, const Args&... args) {
  return stage.Submit(function, EncodeArguments(args...), Encoding::kMsgpack);
}

// A fresh file name, removed at the end.
class TestFile {
 public:
  TestFile() : path_(testing::TempDir() + "/poold-process-test-" + std::to_string(getpid())) { remove(path_.c_str()); }
  ~TestFile() { remove(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::multiset<std::string> lines() const {
    std::multiset<std::string> lines;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) lines.insert(line);
    return lines;
  }

 private:
  const std::string path_;
};

bool Ignores(pid_t pid, int signal) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigIgn:", 0) == 0) return std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1;
  }
  return false;
}

TEST(WorkerTest, ACrashAmongSentAheadTasksCostsOneAndRunsEachOfTheOthersOnce) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  for (const auto& id :
       stage.SubmitMany("noop", std::vector<std::string>(2000, EncodeArguments()), Encoding::kMsgpack)) {
    stage.clients.Outcome(id);
  }
  const TestFile file;
  std::vector<core::HandleId> ids;
  for (int i = 0; i < 64; ++i) {
    ids.push_back(i == 20 ? Call(stage, "crash", SIGSEGV) : Call(stage, "append", file.path(), std::to_string(i)));
  }
  std::multiset<std::string> wanted;
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(stage.clients.Outcome(ids[i])->state, i == 20 ? TaskState::kCrashed : TaskState::kSucceeded) << i;
    if (i != 20) wanted.insert(std::to_string(i));
  }
  EXPECT_EQ(file.lines(), wanted);
  const auto crash = stage.clients.Outcome(ids[20]);
  EXPECT_EQ(crash->detail->death->signal, SIGSEGV);
  EXPECT_NE(crash->detail->stderr_tail.find("crash: raising signal 11"), std::string::npos);
}

TEST(WorkerTest, ACrashInAChunkCostsOneItem) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  std::vector<std::string> items(64, EncodeArguments(0));
  items[20] = EncodeArguments(SIGKILL);
  const core::HandleId map = stage.Map("crash", items, 64, Encoding::kMsgpack);
  stage.clients.MapEnd(map);
  const auto others = stage.clients.others(map);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others.begin()->first, 20u);
  EXPECT_EQ(others.begin()->second->state, TaskState::kCrashed);
  EXPECT_EQ(stage.clients.results(map).size(), 63u);
}

TEST(WorkerTest, AnExitCodeIsInTheCertificate) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const auto outcome = stage.clients.Outcome(Call(stage, "exit", 42));
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(outcome->detail->death->exit_code, 42);
  EXPECT_EQ(outcome->detail->death->signal, 0);
  EXPECT_NE(outcome->detail->stderr_tail.find("exit: leaving with code 42"), std::string::npos);
}

TEST(WorkerTest, OutputOfSentAheadNeighboursIsTheirOwn) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  std::vector<core::HandleId> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(Call(stage, i % 2 ? "print" : "print_part", "line " + std::to_string(i)));
  for (int i = 0; i < 500; ++i) {
    stage.clients.Outcome(ids[i]);
    EXPECT_EQ(stage.clients.output(ids[i]), "line " + std::to_string(i) + (i % 2 ? "\n" : ""));
  }
}

TEST(WorkerTest, AFloodOfATaskIsAllDeliveredBeforeItsOutcome) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId flood = Call(stage, "flood", 20'000'000);
  stage.clients.Outcome(flood);
  EXPECT_EQ(stage.clients.output(flood).size(), 20'000'000u);
}

TEST(WorkerTest, LargeResultsComeInPieces) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const auto outcome = stage.clients.Outcome(Call(stage, "blob", 30'000'000));
  EXPECT_EQ(outcome->result.data.size(), 30'000'000u);
}

TEST(WorkerTest, FailuresBringTypeAndMessage) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const auto outcome = stage.clients.Outcome(Call(stage, "throw", "out of cheese"));
  EXPECT_EQ(outcome->state, TaskState::kFailed);
  EXPECT_EQ(outcome->detail->failure->type, "std::runtime_error");
  EXPECT_EQ(outcome->detail->failure->message, "out of cheese");
}

TEST(WorkerTest, AFailingInitializerFailsThePoolInItsOwnWords) {
  Stage stage(WithPoolWorker());
  core::PoolSpec spec = TestingPool();
  spec.initializer = "init_fail";
  spec.initializer_encoding = Encoding::kMsgpack;
  spec.initializer_args = EncodeArguments("no license");
  const auto opened = stage.Open(spec);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(std::string(opened.status().message()).find("no license"), std::string::npos) << opened.status();
}

TEST(WorkerTest, FreshProgramsWorkAsClonesDo) {
  Stage stage(WithPoolWorker());
  core::PoolSpec spec = TestingPool(2);
  spec.start_method = core::StartMethod::kSpawn;
  ASSERT_TRUE(stage.Open(spec).ok());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(stage.clients.Outcome(Call(stage, "identity", i))->state, TaskState::kSucceeded);
  }
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "crash", SIGKILL))->state, TaskState::kCrashed);
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "noop"))->state, TaskState::kSucceeded);
}

TEST(WorkerTest, RecycledWorkersLeaveNothingOpen) {
  Stage stage(WithPoolWorker());
  core::PoolSpec spec = TestingPool();
  spec.max_tasks_per_worker = 1;
  ASSERT_TRUE(stage.Open(spec).ok());
  const auto run = [&] { stage.clients.Outcome(Call(stage, "noop")); };
  const auto settled = [&] {
    const core::PoolView view = stage.View();
    return view.workers.size() == 1 && view.workers.front().state == core::WorkerState::kIdle;
  };
  for (int i = 0; i < 3; ++i) run();
  WaitUntil(settled);
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 100; ++i) run();
  WaitUntil(settled);
  EXPECT_GE(stage.View().stats.workers_started, 104u);
  // The last one that was replaced may not be buried yet, here and there.
  WaitUntil([&] { return OpenDescriptors() <= before; });
}

// What every means of containment promises.
class ContainmentTest : public testing::TestWithParam<ContainmentChoice> {
 protected:
  void SetUp() override {
    Stage probe(WithPoolWorker(), GetParam());
    if (!probe.started.ok()) GTEST_SKIP() << probe.started;
    spec_.environment["MARK"] = mark_;
  }

  const std::string mark_ = Mark();
  core::PoolSpec spec_ = TestingPool(2);
};

TEST_P(ContainmentTest, IsTheOneAskedFor) {
  Stage stage(WithPoolWorker(), GetParam());
  EXPECT_EQ(static_cast<int>((*stage.registry)->report.tier), static_cast<int>(GetParam()));
  ASSERT_TRUE(stage.Open(spec_).ok());
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "noop"))->state, TaskState::kSucceeded);
}

TEST_P(ContainmentTest, AGrandchildThatDaemonizedIsGoneWhenTerminateAnswers) {
  Stage stage(WithPoolWorker(), GetParam());
  ASSERT_TRUE(stage.Open(spec_).ok());
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "daemonize", 600'000, mark_))->state, TaskState::kSucceeded);
  WaitForSleeper(mark_);
  EXPECT_GE(AliveWith(mark_).size(), 4u);
  stage.Terminate();
  EXPECT_EQ(AliveWith(mark_), std::vector<pid_t>());
}

TEST_P(ContainmentTest, AGrandchildDiesWithItsWorkerAndNoOther) {
  Stage stage(WithPoolWorker(), GetParam());
  spec_.workers = 1;
  ASSERT_TRUE(stage.Open(spec_).ok());
  stage.clients.Outcome(Call(stage, "daemonize", 600'000, mark_));
  WaitForSleeper(mark_);
  const std::size_t with_grandchild = AliveWith(mark_).size();
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "crash", SIGSEGV))->state, TaskState::kCrashed);
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "noop"))->state, TaskState::kSucceeded);
  EXPECT_EQ(AliveWith(mark_).size(), with_grandchild - 1);
}

TEST_P(ContainmentTest, DeathsAreReadRight) {
  Stage stage(WithPoolWorker(), GetParam());
  ASSERT_TRUE(stage.Open(spec_).ok());
  for (const int signal : {SIGKILL, SIGSEGV, SIGABRT}) {
    EXPECT_EQ(stage.clients.Outcome(Call(stage, "crash", signal))->detail->death->signal, signal);
  }
}

TEST_P(ContainmentTest, AKilledDaemonLeavesNothingAlive) {
  // Subreapers cannot promise it for grandchildren that left their session.
  const bool grandchildren = GetParam() != ContainmentChoice::kSubreaper;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t daemon = fork();
  if (daemon == 0) {
    Stage stage(WithPoolWorker(), GetParam());
    if (!stage.Open(spec_).ok()) _exit(1);
    if (grandchildren) stage.clients.Outcome(Call(stage, "daemonize", 600'000, mark_));
    if (write(ready[1], "x", 1) < 0) _exit(1);
    while (true) pause();
  }
  char byte;
  close(ready[1]);
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_GE(AliveWith(mark_).size(), 3u);
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
  WaitUntil([&] { return AliveWith(mark_).empty(); });
}

TEST_P(ContainmentTest, StopLeavesNothing) {
  {
    Stage stage(WithPoolWorker(), GetParam());
    ASSERT_TRUE(stage.Open(spec_).ok());
    stage.clients.Outcome(Call(stage, "daemonize", 600'000, mark_));
    WaitForSleeper(mark_);
  }
  EXPECT_EQ(AliveWith(mark_), std::vector<pid_t>());
}

TEST_P(ContainmentTest, AWorkerThatIgnoresSigtermIsKilledAfterItsGrace) {
  Stage stage(WithPoolWorker(), GetParam());
  spec_.workers = 1;
  ASSERT_TRUE(stage.Open(spec_).ok());
  const core::HandleId stubborn = Call(stage, "ignore_term", 600'000);
  const pid_t pid = stage.WorkerPid();
  WaitUntil([&] { return Ignores(pid, SIGTERM); });
  stage.gate.Enter([&](core::Core& core, core::Nanos now) {
    stage.dispatcher.KillWorker(core.ViewPool("testing")->workers.front().id, 20 * core::kMillisecond);
  });
  EXPECT_EQ(stage.clients.Outcome(stubborn)->detail->death->signal, SIGKILL);
  EXPECT_EQ(stage.clients.Outcome(Call(stage, "noop"))->state, TaskState::kSucceeded);
}

INSTANTIATE_TEST_SUITE_P(Tiers, ContainmentTest,
                         testing::Values(ContainmentChoice::kCgroup, ContainmentChoice::kPidNamespace,
                                         ContainmentChoice::kSubreaper),
                         [](const auto& info) {
                           switch (info.param) {
                             case ContainmentChoice::kCgroup:
                               return "cgroup";
                             case ContainmentChoice::kPidNamespace:
                               return "pid_namespace";
                             default:
                               return "subreaper";
                           }
                         });

}  // namespace
}  // namespace poold::process
