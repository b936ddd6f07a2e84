// One task and many, against a real daemon.
#include <atomic>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "daemon_fixture.h"
#include "gmock/gmock.h"

namespace poold::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class TasksTest : public DaemonTest {};

TEST_F(TasksTest, ApplyBringsTheValue) {
  const Pool pool = OpenPool(Connect());
  EXPECT_EQ(pool.Apply<int>("identity", 7).value(), 7);
}

TEST_F(TasksTest, AWaitThatPassesLosesNothing) {
  const Pool pool = OpenPool(Connect());
  const auto handle = pool.Submit<void>("sleep", 300);
  EXPECT_EQ(ReasonOf(handle.Get(milliseconds(1))), "WAIT_TIMEOUT");
  EXPECT_FALSE(handle.done());
  EXPECT_TRUE(handle.Get().ok());
  EXPECT_TRUE(handle.Get().ok());
}

TEST_F(TasksTest, AThrowComesBackWithTypeMessageAndBacktrace) {
  const Pool pool = OpenPool(Connect());
  const auto handle = pool.Submit<void>("throw", "not today");
  const absl::Status status = handle.Get();
  EXPECT_EQ(ReasonOf(status), "TASK_FAILED");
  EXPECT_EQ(status.message(), "throw failed: std::runtime_error: not today");
  EXPECT_THAT(handle.outcome()->failure->backtrace, HasSubstr("throw_text"));
}

TEST_F(TasksTest, ACrashCostsItsTaskAndTellsTheSignal) {
  const Pool pool = OpenPool(Connect());
  const auto crash = pool.Submit<void>("crash", 11);
  const auto other = pool.Submit<int>("identity", 1);
  EXPECT_EQ(ReasonOf(crash.Get()), "TASK_CRASHED");
  EXPECT_EQ(crash.outcome()->death->signal, 11);
  EXPECT_EQ(other.Get().value(), 1);
}

TEST_F(TasksTest, AnUnknownFunctionAndAnUnknownPoolAreRefusedThroughTheHandle) {
  const Client client = Connect();
  EXPECT_EQ(ReasonOf(OpenPool(client).Apply<int>("no_such").status()), "FUNCTION_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Pool(client.connection(), "no_pool").Apply<int>("f").status()), "POOL_NOT_FOUND");
  EXPECT_EQ(ReasonOf(client.GetPool("no_pool").status()), "POOL_NOT_FOUND");
}

TEST_F(TasksTest, CallbacksComeInTheOrderOfTheEndsAndOneThatThrowsHarmsNobody) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  absl::Mutex mu;
  std::vector<int> seen;
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 100; ++i) {
    handles.push_back(pool.Submit<int>("identity", i));
    handles.back().OnDone([&](const TaskHandle<int>& handle) {
      absl::MutexLock lock(&mu);
      seen.push_back(handle.Get().value());
      if (seen.back() == 3) throw std::runtime_error("a callback of the test");
    });
  }
  absl::MutexLock lock(&mu);
  auto all = [&] { return seen.size() == 100; };
  ASSERT_TRUE(mu.AwaitWithTimeout(absl::Condition(&all), absl::Seconds(30)));
  std::vector<int> wanted(100);
  std::iota(wanted.begin(), wanted.end(), 0);
  EXPECT_EQ(seen, wanted);
}

TEST_F(TasksTest, ACallbackIsCalledAlsoWhenNobodyKeptTheHandle) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  absl::Notification called;
  pool.Submit<void>("sleep", 20).OnDone([&](const TaskHandle<void>& handle) {
    EXPECT_TRUE(handle.Get().ok());
    called.Notify();
  });
  EXPECT_TRUE(called.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

TEST_F(TasksTest, ACallbackMayWaitForOtherHandles) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  absl::Notification called;
  pool.Submit<int>("identity", 1).OnDone([&](const TaskHandle<int>& handle) {
    EXPECT_EQ(pool.Apply<int>("identity", 2).value(), 2);
    called.Notify();
  });
  EXPECT_TRUE(called.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

// The handle goes while the outcome comes.
TEST_F(TasksTest, CallbacksOfHandlesThatNobodyKeepsAreCalledOnceEach) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  for (int i = 0; i < 2000; ++i) {
    absl::Notification called;
    pool.Submit<int>("identity", i).OnDone([&](const TaskHandle<int>& handle) {
      EXPECT_EQ(handle.Get().value(), i);
      called.Notify();
    });
    ASSERT_TRUE(called.WaitForNotificationWithTimeout(absl::Seconds(30)));
  }
}

TEST_F(TasksTest, OutputComesBeforeTheOutcomeAndBelongsToItsTask) {
  const Pool pool = OpenPool(Connect());
  std::map<HandleId, std::string> texts;
  const Pool loud =
      pool.With({.on_output = [&](const Output& output) { texts[output.id] += std::string(output.text); }});
  std::vector<TaskHandle<void>> handles;
  for (int i = 0; i < 50; ++i) handles.push_back(loud.Submit<void>("print", "line " + std::to_string(i)));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(handles[i].Get().ok());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(texts[handles[i].id()], "line " + std::to_string(i) + "\n");
}

TEST_F(TasksTest, CancelEndsWhatWaits) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  const auto running = pool.Submit<void>("sleep", 2000);
  const auto waiting = pool.Submit<int>("identity", 1);
  EXPECT_TRUE(waiting.Cancel().value());
  EXPECT_EQ(ReasonOf(waiting.Get().status()), "TASK_CANCELLED");
  EXPECT_EQ(waiting.state(), TaskState::kCancelled);
  EXPECT_TRUE(running.Cancel(/*running=*/true).value());
  EXPECT_EQ(ReasonOf(running.Get()), "TASK_CANCELLED");
}

TEST_F(TasksTest, TerminateEndsEveryHandleCancelled) {
  const Pool pool = OpenPool(Connect());
  std::vector<TaskHandle<void>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(pool.Submit<void>("sleep", 60000));
  EXPECT_EQ(pool.Terminate().value(), 20u);
  for (const auto& handle : handles) EXPECT_EQ(ReasonOf(handle.Get()), "TASK_CANCELLED");
  EXPECT_TRUE(pool.Join().ok());
}

TEST_F(TasksTest, CloseLetsTheQueueEndAndRefusesWhatComesAfter) {
  const Pool pool = OpenPool(Connect());
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 1000; ++i) handles.push_back(pool.Submit<int>("identity", i));
  EXPECT_EQ(ReasonOf(pool.Join(seconds(1))), "POOL_STILL_RUNNING");
  ASSERT_TRUE(pool.Close().ok());
  EXPECT_EQ(ReasonOf(pool.Apply<int>("identity", 0).status()), "POOL_NOT_RUNNING");
  ASSERT_TRUE(pool.Join().ok());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(handles[i].done());
    EXPECT_EQ(handles[i].Get().value(), i);
  }
}

TEST_F(TasksTest, AHundredThousandTasksEachEndOnceWithTheirOwnResult) {
  const Pool pool = OpenPool(Connect());
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 100'000; ++i) handles.push_back(pool.Submit<int>("identity", i));
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(handles[i].Get().value(), i);
  EXPECT_EQ(pool.Stats()->succeeded, 100'000u);
}

TEST_F(TasksTest, ManyThreadsShareOneClient) {
  const Pool pool = OpenPool(Connect());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) right += pool.Apply<int>("identity", t * 1000 + i).value() == t * 1000 + i;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 4000);
}

TEST_F(TasksTest, ArgumentsAndResultsOfAnySize) {
  const Pool pool = OpenPool(Connect());
  Bytes large{std::string(9'000'000, 'x')};
  large.data[5'000'000] = 'y';
  const auto handle = pool.Submit<Bytes>("echo", large);
  EXPECT_EQ(handle.Get().value(), large);
  EXPECT_EQ(handle.Get().value(), large);
}

TEST_F(TasksTest, WaitsForTheFirstForTheFirstFailureAndForAll) {
  const Pool pool = OpenPool(Connect(), "test", 3);
  std::vector<TaskHandle<void>> handles{pool.Submit<void>("sleep", 60000), pool.Submit<void>("sleep", 10),
                                        pool.Submit<void>("throw", "no")};
  EXPECT_GE(Wait(handles, WaitMode::kFirstCompleted).done.size(), 1u);
  const auto waited = Wait(handles, WaitMode::kFirstException);
  EXPECT_TRUE(handles[2].done());
  EXPECT_EQ(waited.not_done.front().id(), handles[0].id());
  EXPECT_TRUE(handles[1].Get().ok());
  EXPECT_EQ(Wait(handles, WaitMode::kAllCompleted, milliseconds(20)).not_done.size(), 1u);
  ASSERT_TRUE(pool.Terminate().ok());
  EXPECT_TRUE(Wait(handles).not_done.empty());
}

TEST_F(TasksTest, AsCompletedHandsOutEachHandleOnceQuickOnesFirst) {
  const Pool pool = OpenPool(Connect());
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(pool.Submit<int>("identity", i));
  std::set<int> seen;
  for (const auto& handle : AsCompleted(handles)) seen.insert(handle.Get().value());
  EXPECT_EQ(seen.size(), 20u);
}

TEST_F(TasksTest, AFullQueueIsWaitedForWhenAsked) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 10});
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::vector<TaskHandle<int>> refused;
  pool->Submit<void>("sleep", 200);
  for (int i = 0; i < 300; ++i) refused.push_back(pool->Submit<int>("identity", i));
  EXPECT_EQ(ReasonOf(refused.back().Get().status()), "QUEUE_FULL");
  std::vector<TaskHandle<int>> patient;
  for (int i = 0; i < 300; ++i) patient.push_back(pool->SubmitWith<int>({.wait_when_full = true}, "identity", i));
  for (int i = 0; i < 300; ++i) ASSERT_EQ(patient[i].Get().value(), i);
}

TEST_F(TasksTest, WhatNobodyHoldsAnyMoreIsReleasedInTheDaemon) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pool.Apply<int>("identity", i).ok());
  auto kept = [&] { return pool.Stats()->kept_outcomes; };
  for (int i = 0; i < 2000 && kept() != 0; ++i) (void)pool.Apply<int>("identity", i);
  EXPECT_LT(kept(), 300u);
}

TEST(ConnectTest, AWrongAddressIsToldAtOnce) {
  const auto client = Client::Connect({.address = "unix:/nowhere/poold.sock"});
  EXPECT_TRUE(absl::IsUnavailable(client.status()));
  EXPECT_EQ(ReasonOf(client.status()), "");
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("/nowhere/poold.sock (there is no such socket)"));
}

}  // namespace
}  // namespace poold::client
