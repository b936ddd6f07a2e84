// The dispatcher with workers that speak the frames themselves, honestly or not.
#include <gtest/gtest.h>
#include <signal.h>

#include "process/containment/child_registry.h"
#include "process/stage.h"

namespace poold::process {
namespace {

using core::TaskState;

std::string FailureOf(const absl::StatusOr<core::PoolView>& opened) {
  return opened.ok() ? "(it opened)" : std::string(opened.status().message());
}

DispatcherOptions Impatient() {
  DispatcherOptions options;
  options.limits.start_timeout = 200 * core::kMillisecond;
  options.exit_timeout = 200 * core::kMillisecond;
  return options;
}

TEST(DispatcherTest, ATaskRunsInAnotherProcess) {
  Stage stage;
  ASSERT_TRUE(stage.started.ok()) << stage.started;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const core::OutcomePtr outcome = stage.Run("echo", "hello");
  EXPECT_EQ(outcome->state, TaskState::kSucceeded);
  EXPECT_EQ(outcome->result.data.view(), "hello");
  EXPECT_EQ(outcome->result.encoding, core::Encoding::kRaw);
}

TEST(DispatcherTest, ManyTasksComeBackEachOnce) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("", 2)).ok());
  std::vector<std::string> args;
  for (int i = 0; i < 20'000; ++i) args.push_back("task " + std::to_string(i));
  const auto ids = stage.SubmitMany("echo", args);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(stage.clients.Outcome(ids[i])->result.data.view(), args[i]);
}

TEST(DispatcherTest, MapItemsComeBackInTheirPlaces) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("", 2)).ok());
  std::vector<std::string> items;
  for (int i = 0; i < 50'000; ++i) items.push_back(std::to_string(i));
  const core::HandleId map = stage.Map("echo", items);
  EXPECT_EQ(stage.clients.MapEnd(map).done_items, items.size());
  const auto results = stage.clients.results(map);
  ASSERT_EQ(results.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) ASSERT_EQ(results.at(i), items[i]);
}

TEST(DispatcherTest, LargePayloadsPassBothWays) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const std::string large(40u << 20, 'L');
  EXPECT_EQ(stage.Run("echo", large)->result.data.view(), large);
}

TEST(DispatcherTest, ACrashCostsOnlyTheTaskThatRanThere) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers report crashes themselves";
#endif
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const auto before = stage.SubmitMany("echo", std::vector<std::string>(20, "before"));
  const core::HandleId crash = stage.Submit("crash");
  const auto after = stage.SubmitMany("echo", std::vector<std::string>(43, "after"));
  const core::OutcomePtr outcome = stage.clients.Outcome(crash);
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  ASSERT_TRUE(outcome->detail && outcome->detail->death);
  EXPECT_EQ(outcome->detail->death->signal, SIGSEGV);
  EXPECT_EQ(outcome->detail->death->killed_by, core::KilledBy::kItself);
  EXPECT_GT(outcome->detail->death->peak_rss_bytes, 0u);
  for (const auto& id : before) EXPECT_EQ(stage.clients.Outcome(id)->state, TaskState::kSucceeded);
  for (const auto& id : after) EXPECT_EQ(stage.clients.Outcome(id)->state, TaskState::kSucceeded);
}

TEST(DispatcherTest, AWorkerKilledFromOutsideIsReplaced) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const core::HandleId sleep = stage.Submit("sleep");
  const pid_t pid = stage.WorkerPid();
  stage.clients.WaitForOutput(sleep, "asleep");
  kill(pid, SIGKILL);
  const core::OutcomePtr outcome = stage.clients.Outcome(sleep);
  EXPECT_EQ(outcome->state, TaskState::kCrashed);
  EXPECT_EQ(outcome->detail->death->killed_by, core::KilledBy::kOutsider);
  EXPECT_EQ(outcome->detail->death->pid, pid);
  EXPECT_EQ(stage.Run("echo", "again")->state, TaskState::kSucceeded);
}

TEST(DispatcherTest, AZygoteKilledFromOutsideIsReplacedAndItsWorkersLiveOn) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const pid_t worker = stage.WorkerPid();
  for (const pid_t child : ChildrenOf(getpid())) {
    if (child != worker) kill(child, SIGKILL);
  }
  EXPECT_EQ(stage.Run("echo", "still")->state, TaskState::kSucceeded);
  EXPECT_EQ(stage.WorkerPid(), worker);
  kill(worker, SIGKILL);
  EXPECT_EQ(stage.Run("echo", "again")->state, TaskState::kSucceeded);
}

TEST(DispatcherTest, OutputArrivesWhileTheTaskRuns) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  stage.clients.WaitForOutput(stage.Submit("sleep"), "asleep\n");
}

TEST(DispatcherTest, AWorkerWithoutAPageWorksByFrames) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("no_page")).ok());
  const auto ids = stage.SubmitMany("echo", {"one", "two", "three"});
  EXPECT_EQ(stage.clients.Outcome(ids[2])->result.data.view(), "three");
  EXPECT_EQ(stage.clients.output(ids[0]), "by frame");
  const core::HandleId map = stage.Map("echo", {"a", "b", "c", "d"}, 2);
  stage.clients.MapEnd(map);
  EXPECT_EQ(stage.clients.results(map).at(3), "d");
  EXPECT_EQ(stage.Run("crash")->state, TaskState::kCrashed);
}

// Also in a strict pool, which the death of a worker would break.
TEST(DispatcherTest, AResultAboveTheLimitFailsItsTaskAndNothingElse) {
  for (const char* odd : {"", "no_page"}) {
    DispatcherOptions options;
    options.limits.max_payload_bytes = 1u << 20;
    Stage stage(options);
    core::PoolSpec spec = OddPool(odd);
    spec.death_policy = core::DeathPolicy::kStrict;
    ASSERT_TRUE(stage.Open(spec).ok());
    const int worker = stage.WorkerPid();
    const auto ids = stage.SubmitMany("big", {"", ""});
    const core::HandleId map = stage.Map("big", {"a", "b"}, 2);
    const core::HandleId neighbour = stage.Submit("echo", "neighbour");
    for (const auto& id : ids) {
      const core::OutcomePtr outcome = stage.clients.Outcome(id);
      EXPECT_EQ(outcome->state, TaskState::kFailed);
      EXPECT_EQ(outcome->detail->failure->type, "poold.ResultError");
    }
    EXPECT_EQ(stage.clients.MapEnd(map).unsuccessful_items, 2u);
    EXPECT_EQ(stage.clients.Outcome(neighbour)->state, TaskState::kSucceeded);
    EXPECT_EQ(stage.WorkerPid(), worker);
  }
}

TEST(DispatcherTest, AWorkerThatExitsBeforeItIsReadyIsQuotedWithItsStderr) {
  Stage stage;
  const std::string why = FailureOf(stage.Open(OddPool("exit")));
  EXPECT_NE(why.find("exited with code 3 before it was ready"), std::string::npos) << why;
  EXPECT_NE(why.find("no such table"), std::string::npos) << why;
}

TEST(DispatcherTest, AFailingInitializerIsQuoted) {
  Stage stage;
  const std::string why = FailureOf(stage.Open(OddPool("start_failed")));
  EXPECT_NE(why.find("initializer failed: std::runtime_error: the license has expired"), std::string::npos) << why;
}

TEST(DispatcherTest, AZygoteThatExitsIsQuotedWithItsOutput) {
  Stage stage;
  const std::string why = FailureOf(stage.Open(OddPool("zygote_exits")));
  EXPECT_NE(why.find("zygote exited with code 4 before it was ready"), std::string::npos) << why;
  EXPECT_NE(why.find("no modules here"), std::string::npos) << why;
}

TEST(DispatcherTest, AProgramThatIsNotThereIsNamed) {
  Stage stage;
  core::PoolSpec spec = OddPool("");
  spec.program_path = "/no/such/program";
  const std::string why = FailureOf(stage.Open(spec));
  EXPECT_NE(why.find("/no/such/program"), std::string::npos) << why;
  EXPECT_NE(why.find("No such file"), std::string::npos) << why;
}

TEST(DispatcherTest, AWorkerThatNeverBecomesReadyIsGivenUp) {
  Stage stage(Impatient());
  const std::string why = FailureOf(stage.Open(OddPool("silent")));
  EXPECT_NE(why.find("did not become ready"), std::string::npos) << why;
}

TEST(DispatcherTest, AZygoteThatDoesNotAnswerIsKilled) {
  DispatcherOptions options = Impatient();
  options.limits.start_timeout = core::kSecond;  // in which the zygote itself must start, also on a busy machine
  Stage stage(options);
  const std::string why = FailureOf(stage.Open(OddPool("zygote_hangs_cloning")));
  EXPECT_NE(why.find("zygote does not answer"), std::string::npos) << why;
}

TEST(DispatcherTest, AZygoteThatDiesCloningFailsItsWorker) {
  Stage stage;
  const std::string why = FailureOf(stage.Open(OddPool("zygote_dies_cloning")));
  EXPECT_NE(why.find("its zygote is gone"), std::string::npos) << why;
}

TEST(DispatcherTest, AZygoteCannotNameAProcessThatIsNotItsOwn) {
  Stage stage;
  const std::string why = FailureOf(stage.Open(OddPool("zygote_lies")));
  EXPECT_NE(why.find("no child of the daemon"), std::string::npos) << why;
}

// Whatever a worker writes, the pool either fails with words or goes on; the daemon stays whole.
class HostileWorkerTest : public testing::TestWithParam<const char*> {};

TEST_P(HostileWorkerTest, IsKilledAndTheDaemonStaysWhole) {
  Stage stage(Impatient());
  if (stage.Open(OddPool(GetParam())).ok()) {
    stage.Submit("echo", "x");
    WaitUntil([&] { return stage.View().stats.workers_lost >= 1; });
  }
  stage.Terminate();
}

INSTANTIATE_TEST_SUITE_P(Odd, HostileWorkerTest,
                         testing::Values("bad_frame", "hang_up", "flood_channel", "bad_ring", "out_of_order",
                                         "bad_progress"),
                         [](const auto& info) { return std::string(info.param); });

TEST(DispatcherTest, ResultsThatNobodyAskedForAreDropped) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("unknown_ticket")).ok());
  EXPECT_EQ(stage.Run("echo", "mine")->result.data.view(), "mine");
  EXPECT_EQ(stage.Run("echo", "too")->result.data.view(), "too");
}

TEST(DispatcherTest, ItemsBehindTheEndOfTheirChunkAreDropped) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("too_many_items")).ok());
  const std::vector<std::string> items(100, "mine");
  const core::HandleId map = stage.Map("echo", items, 25);
  EXPECT_EQ(stage.clients.MapEnd(map).unsuccessful_items, 0u);
  const auto results = stage.clients.results(map);
  ASSERT_EQ(results.size(), items.size());
  for (const auto& [index, result] : results) EXPECT_EQ(result, "mine") << index;
}

TEST(DispatcherTest, AFloodOfOutputStarvesNobody) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("flood_output")).ok());
  Stage other({}, stage.registry, {.index = 1, .count = 2});
  ASSERT_TRUE(other.Open(OddPool("")).ok());
  EXPECT_EQ(other.Run("echo", "alive")->state, TaskState::kSucceeded);
  stage.Terminate();
}

TEST(DispatcherTest, TerminateEndsAWorkerThatIsBusyForEver) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const core::HandleId sleep = stage.Submit("sleep");
  const pid_t pid = stage.WorkerPid();
  stage.Terminate();
  EXPECT_EQ(stage.clients.Outcome(sleep)->state, TaskState::kCancelled);
  EXPECT_FALSE(IsAlive(pid));
}

TEST(DispatcherTest, NothingIsLeftOpenAfterAHundredWorkers) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("")).ok());
  const auto replace_worker = [&stage] {
    const pid_t pid = stage.WorkerPid();
    kill(pid, SIGKILL);
    WaitUntil([&] { return stage.WorkerPid() != pid; });
    stage.Run("echo");  // one that worked is replaced without a pause
  };
  replace_worker();
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 100; ++i) replace_worker();
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace poold::process
