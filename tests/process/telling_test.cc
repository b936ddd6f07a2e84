// What workers tell besides results: how far they are, and where they crashed.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "poold/codec/codec.h"
#include "process/stage.h"
#include "process/worker_results.h"

namespace poold::process {
namespace {

using core::TaskState;

template <typename... Args>
core::HandleId Call(Stage& stage, std::string_view function, const Args&... args) {
  return stage.Submit(function, codec::EncodeArguments(args...), core::Encoding::kMsgpack);
}

TEST(ProgressTest, ComesWhileTheTaskRuns) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = Call(stage, "progress", 1'000'000, 1);
  WaitUntil([&] { return stage.clients.progress(task).size() >= 3; });
  EXPECT_GT(stage.clients.progress(task).back().fraction, 0);
  EXPECT_NE(stage.clients.progress(task).back().text.find(" of 1000000"), std::string::npos);
}

TEST(ProgressTest, ALoudTaskIsToldSeldomAndItsLastWordIsNotLost) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::HandleId task = Call(stage, "progress", 100'000, 0);
  const core::OutcomePtr outcome = stage.clients.Outcome(task);
  const auto told = stage.clients.progress(task);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().fraction, 1);
  EXPECT_EQ(told.back().text, "step 100000 of 100000");
  // 20 a second, and the first and the last.
  const double seconds = static_cast<double>(outcome->ended_at - outcome->started_at) / core::kSecond;
  EXPECT_LE(static_cast<double>(told.size()), 3 + 20 * seconds);
}

TEST(ProgressTest, OfAWorkerWithoutAPageComesByFrames) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("no_page_tells")).ok());
  const core::HandleId task = stage.Submit("echo", "x");
  EXPECT_EQ(stage.clients.Outcome(task)->state, TaskState::kSucceeded);
  const auto told = stage.clients.progress(task);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told.front().fraction, 0.25);
  EXPECT_EQ(told.back().fraction, 1);  // it said 7
  EXPECT_EQ(told.back().text, "under way");
}

TEST(LatestProgressTest, TellsTheFirstAtOnceAndThenTheLatest) {
  LatestProgress progress;
  EXPECT_EQ(progress.due_at(), core::kNever);
  const core::Nanos start = core::kSecond;
  progress.Add({7, 0, {0.1, "first"}});
  EXPECT_EQ(progress.TakeDue(start)->note.text, "first");
  progress.Add({7, 0, {0.2, "second"}});
  EXPECT_FALSE(progress.TakeDue(start + core::kMillisecond));
  progress.Add({7, 0, {0.3, "third"}});
  EXPECT_EQ(progress.TakeDue(progress.due_at())->note.text, "third");
  EXPECT_EQ(progress.due_at(), core::kNever);
  // Another task has not said anything yet.
  progress.Add({8, 0, {0.1, "other"}});
  EXPECT_EQ(progress.TakeDue(start + 51 * core::kMillisecond)->note.text, "other");
  progress.Add({8, 0, {1, "last"}});
  EXPECT_FALSE(progress.TakeOf(7));
  EXPECT_EQ(progress.TakeOf(8)->note.text, "last");
}

TEST(CrashTest, AFaultIsShownWithItsFramesAndItsWorker) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers report crashes themselves";
#endif
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  stage.WorkerPid();
  const core::WorkerId worker = stage.View().workers.front().id;
  const core::OutcomePtr outcome = stage.clients.Outcome(Call(stage, "fault", "segv"));
  ASSERT_EQ(outcome->state, TaskState::kCrashed);
  const core::DeathCertificate& death = *outcome->detail->death;
  EXPECT_EQ(death.signal, SIGSEGV);
  EXPECT_NE(death.backtrace.find("testing.so+0x"), std::string::npos) << death.backtrace;
  EXPECT_EQ(death.worker, worker);
}

TEST(CrashTest, ADeathFromOutsideHasNoFrames) {
  Stage stage(WithPoolWorker());
  ASSERT_TRUE(stage.Open(TestingPool()).ok());
  const core::OutcomePtr outcome = stage.clients.Outcome(Call(stage, "crash", SIGKILL));
  EXPECT_EQ(outcome->detail->death->backtrace, "");
}

TEST(ChunkTest, AWorkerWithoutAPageAnswersItemByItem) {
  Stage stage;
  ASSERT_TRUE(stage.Open(OddPool("no_page_slow")).ok());
  std::vector<std::string> items;
  for (int i = 0; i < 1000; ++i) items.push_back(std::string(static_cast<std::size_t>(i % 7), 'a' + i % 26));
  const core::HandleId map = stage.Map("echo", items, 100);
  EXPECT_EQ(stage.clients.MapEnd(map).unsuccessful_items, 0u);
  const auto results = stage.clients.results(map);
  ASSERT_EQ(results.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(results.at(i), items[i]);
}

}  // namespace
}  // namespace poold::process
