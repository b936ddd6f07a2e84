// A function that keeps killing its workers waits, and the pool goes on.
#include <gmock/gmock.h>

#include "fakes.h"

namespace poold::core::testing {
namespace {

using ::testing::HasSubstr;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  // The worker that has `function`, if any does.
  std::vector<WorkerId> Running(const std::string& function) {
    std::vector<WorkerId> running;
    for (const WorkerView& worker : story.Pool("p").workers) {
      if (worker.function == function) running.push_back(worker.id);
    }
    return running;
  }
  void CrashUnder(const std::string& function) {
    const WorkerId worker = Running(function).at(0);
    story.Begin(worker);
    story.Crash(worker);
    story.StartAll();
  }
  FunctionView Function(const std::string& name) {
    for (const FunctionView& function : story.Pool("p").function_states) {
      if (function.name == name) return function;
    }
    return {};
  }
  void Trip() {
    for (int i = 0; i < 5; ++i) {
      story.Submit("p", "f");
      CrashUnder("f");
    }
  }

  Story story;
};

TEST_F(CircuitBreakerTest, AfterFiveDeathsInARow) {
  story.Open("p");
  for (int i = 0; i < 4; ++i) {
    story.Submit("p", "f");
    CrashUnder("f");
  }
  EXPECT_EQ(Function("f").deaths_in_a_row, 4u);
  EXPECT_EQ(Function("f").breaker_open_for, 0);
  story.Submit("p", "f");
  CrashUnder("f");
  EXPECT_EQ(Function("f").breaker_open_for, kSecond);
  const HandleId task = story.Submit("p", "f");
  EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
  EXPECT_THAT(story.core.Explain(story.now, task)->waits_for, HasSubstr("'f' is open for 1.0 s: 5 workers in a row"));
}

TEST_F(CircuitBreakerTest, NotIfACallComesBackBetween) {
  story.Open("p");
  for (int i = 0; i < 20; ++i) {
    const HandleId task = story.Submit("p", "f");
    if (i % 4 == 3) {
      story.RunOne(story.FirstWorker(), false);  // that it failed does not matter
      EXPECT_EQ(story.StateOf(task), TaskState::kFailed);
    } else {
      CrashUnder("f");
    }
  }
  EXPECT_EQ(Function("f").breaker_open_for, 0);
  EXPECT_EQ(Function("f").calls, 5u);
}

TEST_F(CircuitBreakerTest, NotForWhatOutsidersKill) {
  story.Open("p");
  for (int i = 0; i < 20; ++i) {
    story.Submit("p", "f");
    const WorkerId worker = Running("f").at(0);
    story.Begin(worker);
    story.Crash(worker, 9);
    story.StartAll();
  }
  EXPECT_EQ(Function("f").breaker_open_for, 0);
}

TEST_F(CircuitBreakerTest, NoMoreAfterAReloadForTheNewCodeMayBeBetter) {
  story.Open("p");
  Trip();
  const HandleId task = story.Submit("p", "f");
  const HandleId gone = story.Submit("p", "f");
  ASSERT_EQ(Function("f").breaker_open_for, kSecond);
  story.core.OnReload(story.now, story.NewCall(), "p");
  story.StartAll();
  story.EndAll();
  EXPECT_EQ(Function("f").breaker_open_for, 0);
  EXPECT_EQ(Function("f").deaths_in_a_row, 0u);
  EXPECT_EQ(story.StateOf(task), TaskState::kRunning);
  // Where it is no more, nobody waits for it for ever.
  story.Begin(story.FirstWorker());
  story.Crash(story.FirstWorker());
  story.processes.functions = {"g"};
  story.core.OnReload(story.now, story.NewCall(), "p");
  story.StartAll();
  story.EndAll();
  EXPECT_EQ(story.StateOf(gone), TaskState::kFailed);
}

TEST_F(CircuitBreakerTest, LetsEverythingElseRun) {
  story.Open("p");
  Trip();
  std::vector<HandleId> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(story.Submit("p", "f"));
  const HandleId other = story.Submit("p", "g");
  EXPECT_EQ(story.StateOf(other), TaskState::kRunning);
  story.RunOne(story.FirstWorker());
  for (const HandleId task : waiting) EXPECT_EQ(story.StateOf(task), TaskState::kQueued);
}

TEST_F(CircuitBreakerTest, LetsOneTryAndFallsWhenItsCallComesBack) {
  story.Open("p", 3);
  Trip();
  std::vector<HandleId> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(story.Submit("p", "f"));
  EXPECT_TRUE(Running("f").empty());
  story.Pass(kSecond);
  EXPECT_EQ(Running("f").size(), 1u);
  EXPECT_EQ(story.StateOf(tasks[0]), TaskState::kRunning);
  EXPECT_EQ(story.StateOf(tasks[1]), TaskState::kQueued);
  EXPECT_GT(Function("f").breaker_open_for, 0);
  story.RunOne(Running("f").at(0));
  EXPECT_EQ(Function("f").breaker_open_for, 0);
  EXPECT_EQ(Running("f").size(), 3u);
  story.RunAll();
  for (const HandleId task : tasks) EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST_F(CircuitBreakerTest, StandsTwiceAsLongAfterEachFailedTry) {
  story.Open("p");
  Trip();
  for (int i = 0; i < 12; ++i) story.Submit("p", "f");
  Nanos expected = kSecond;
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(Function("f").breaker_open_for, expected);
    story.Pass(expected - 1);
    EXPECT_TRUE(Running("f").empty());
    story.Pass(1);
    CrashUnder("f");
    expected = std::min(2 * expected, 60 * kSecond);
  }
}

TEST_F(CircuitBreakerTest, LetsAnotherTryWhenTheFirstIsCancelled) {
  story.Open("p");
  Trip();
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.Pass(kSecond);
  story.Begin(Running("f").at(0));
  ASSERT_EQ(story.StateOf(first), TaskState::kRunning);
  ASSERT_TRUE(story.core.OnCancel(story.now, first, true).ok());
  story.EndAll();
  story.StartAll();
  EXPECT_EQ(Function("f").deaths_in_a_row, 5u);
  EXPECT_EQ(story.StateOf(second), TaskState::kRunning);
}

TEST_F(CircuitBreakerTest, LetsAnotherTryWhenTheOneThatIsNextGoesAway) {
  story.Open("p");
  Trip();
  const HandleId first = story.Submit("p", "f");
  const HandleId second = story.Submit("p", "f");
  story.Submit("p", "g");  // keeps the worker busy
  story.Pass(kSecond);
  ASSERT_TRUE(*story.core.OnCancel(story.now, first, false));
  story.RunOne(story.FirstWorker());
  EXPECT_EQ(story.StateOf(second), TaskState::kRunning);
}

TEST_F(CircuitBreakerTest, StartsAFreshWorkerForWhoeverTriesNextWhileAllOthersAreBusy) {
  story.Open("p");
  story.Submit("p", "f");
  story.Submit("p", "g");
  story.RunAll(1000);
  Trip();
  const HandleId first = story.Submit("p", "f");
  TaskOptions fresh;
  fresh.fresh = true;
  const HandleId second = story.Submit("p", "f", fresh);
  story.Pass(kSecond);
  ASSERT_EQ(story.StateOf(first), TaskState::kRunning);
  story.Submit("p", "g");
  FakeWorker& worker = story.processes.workers.at(story.FirstWorker());
  ASSERT_EQ(worker.work.size(), 2u);
  story.processes.Begin(worker);
  story.processes.End(worker, true, 1000);
  story.processes.Begin(worker);
  ASSERT_TRUE(*story.core.OnCancel(story.now, first, true));  // too late to end it, and its result is dropped
  story.processes.Deliver(story.now, worker.id);
  ASSERT_EQ(story.StateOf(first), TaskState::kCancelled);
  EXPECT_EQ(story.processes.workers.size(), 2u);
  story.RunAll();
  story.StartAll();
  EXPECT_EQ(story.StateOf(second), TaskState::kRunning);
}

TEST_F(CircuitBreakerTest, TimeOutsAndCancelAndTerminateReachWhatWaits) {
  story.Open("p");
  Trip();
  TaskOptions hurried;
  hurried.queue_timeout = 100 * kMillisecond;
  const HandleId late = story.Submit("p", "f", hurried);
  const HandleId unwanted = story.Submit("p", "f");
  const HandleId last = story.Submit("p", "f");
  story.map_options.queue_timeout = 100 * kMillisecond;
  ASSERT_TRUE(story.Map({9, 1}, "p", "f", {"a", "b"}).ok());
  story.Pass(200 * kMillisecond);
  EXPECT_EQ(story.StateOf(late), TaskState::kExpired);
  EXPECT_TRUE(story.MapOf({9, 1}).done);
  EXPECT_TRUE(*story.core.OnCancel(story.now, unwanted, false));
  EXPECT_EQ(story.StateOf(unwanted), TaskState::kCancelled);
  story.core.OnTerminate(story.now, story.NewCall(), "p");
  EXPECT_EQ(story.StateOf(last), TaskState::kCancelled);
}

TEST_F(CircuitBreakerTest, APoolThatClosesFinishesWhatWaits) {
  story.Open("p");
  Trip();
  const HandleId task = story.Submit("p", "f");
  ASSERT_TRUE(story.Close("p").ok());
  story.Pass(kSecond);
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
  story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
}

TEST_F(CircuitBreakerTest, TakesBackWhatWasSentAhead) {
  story.Open("p", 2);
  story.Submit("p", "f");
  story.RunAll(1000);
  for (int i = 0; i < 4; ++i) {
    story.Submit("p", "f");
    CrashUnder("f");
  }
  std::vector<HandleId> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(story.Submit("p", "f"));
  for (const WorkerId worker : Running("f")) story.Begin(worker);
  ASSERT_EQ(Running("f").size(), 2u);
  story.Crash(Running("f").at(0));
  std::uint64_t sent = 0;
  for (const auto& [id, worker] : story.processes.workers) sent += worker.work.size();
  EXPECT_EQ(sent, 1u);  // what runs on the other worker goes on
}

TEST_F(CircuitBreakerTest, TriesOneItemOfAMap) {
  story.Open("p", 2);
  Trip();
  story.chunk_size = 10;
  ASSERT_TRUE(story.Map({9, 1}, "p", "f", std::vector<std::string>(30, "x")).ok());
  EXPECT_EQ(story.MapOf({9, 1}).running_items, 0u);
  story.Pass(kSecond);
  EXPECT_EQ(story.MapOf({9, 1}).running_items, 1u);
  story.RunAll();
  EXPECT_EQ(story.MapOf({9, 1}).done_items, 30u);
  EXPECT_TRUE(story.MapOf({9, 1}).done);
}

TEST_F(CircuitBreakerTest, ClientsTakeTurnsToTry) {
  story.Open("p");
  Trip();
  const HandleId of_first = story.Submit("p", "f");
  story.Submit("p", "f");
  story.client = ClientId{2};
  const HandleId of_second = story.Submit("p", "f");
  story.Pass(kSecond);
  CrashUnder("f");
  story.Pass(2 * kSecond);
  CrashUnder("f");
  EXPECT_EQ(story.StateOf(of_first), TaskState::kCrashed);
  EXPECT_EQ(story.StateOf(of_second), TaskState::kCrashed);
}

TEST_F(CircuitBreakerTest, DeathsByTimeLimitDoNotCount) {
  story.Open("p");
  TaskOptions options;
  options.run_timeout = kMillisecond;
  for (int i = 0; i < 8; ++i) {
    story.Submit("p", "f", options);
    story.Begin(story.FirstWorker());
    story.Pass(2 * kMillisecond);
    story.EndAll();
    story.StartAll();
  }
  EXPECT_EQ(Function("f").deaths_in_a_row, 0u);
  EXPECT_EQ(Function("f").breaker_open_for, 0);
}

TEST_F(CircuitBreakerTest, AreCancelledByAPoolThatClosesAndCancels) {
  story.Open("p");
  Trip();
  const HandleId task = story.Submit("p", "f");
  const HandleId other = story.Submit("p", "f");
  ASSERT_EQ(story.StateOf(task), TaskState::kQueued);
  EXPECT_EQ(*story.Close("p", /*cancel_queued=*/true), 2u);
  EXPECT_EQ(story.StateOf(task), TaskState::kCancelled);
  EXPECT_EQ(story.StateOf(other), TaskState::kCancelled);
  story.EndAll();
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosed);
}

}  // namespace
}  // namespace poold::core::testing
