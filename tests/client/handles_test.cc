// What a Future and an AsyncResult can do, and waiting for many of them.
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "daemon_fixture.h"
#include "gmock/gmock.h"
#include "wire/handle_shard.h"

namespace poold::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class HandlesTest : public DaemonTest {};

TEST_F(HandlesTest, SuccessfulBeforeTheEndIsAnErrorAndAfterItTellsWhich) {
  const Pool pool = OpenPool(Connect());
  const auto slow = pool.Submit<void>("sleep", 200);
  EXPECT_EQ(ReasonOf(slow.Successful().status()), "NOT_READY");
  ASSERT_TRUE(slow.Wait());
  EXPECT_TRUE(slow.Successful().value());
  const auto bad = pool.Submit<void>("throw", "no");
  ASSERT_TRUE(bad.Wait());
  EXPECT_FALSE(bad.Successful().value());
}

// So a daemon with several shards looks for none of them. (A wrong shard would be refused.)
TEST_F(HandlesTest, IdsCarryTheShardOfTheirPool) {
  const bool sharded = std::getenv("POOLD_TEST_SHARDS") != nullptr;
  const Client client = Connect();
  for (const char* name : {"one", "two", "three", "four"}) {
    const Pool pool = OpenPool(client, name);
    const auto task = pool.Submit<int>("identity", 1);
    const auto map = pool.Map<int>("identity", std::vector<int>{1, 2});
    for (const HandleId& id : {task.id(), map.id()}) EXPECT_EQ(wire::ShardOfId(id.high, id.low) != 0, sharded);
    EXPECT_EQ(task.Get().value(), 1);
    EXPECT_EQ(map.Get().value(), (std::vector<int>{1, 2}));
  }
}

TEST_F(HandlesTest, ATaskIsRunningBetweenItsStartAndItsEnd) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  const auto first = pool.Submit<void>("sleep", 60'000);
  const auto second = pool.Submit<void>("sleep", 60'000);
  while (!first.Running().value()) continue;
  EXPECT_FALSE(second.Running().value());
  first.CancelSoon(/*running=*/true);
  second.CancelSoon(/*running=*/true);
  EXPECT_EQ(ReasonOf(first.Get()), "TASK_CANCELLED");
  EXPECT_EQ(ReasonOf(second.Get()), "TASK_CANCELLED");
  EXPECT_TRUE(first.cancelled());
  EXPECT_FALSE(first.Running().value());
}

// A task that has begun: what a worker has and has not begun can still be taken back.
TaskHandle<void> Begun(const Pool& pool, unsigned steps, unsigned ms) {
  const auto begun = std::make_shared<absl::Notification>();
  const auto tell = [begun](const Progress&) {
    if (!begun->HasBeenNotified()) begun->Notify();
  };
  auto handle = pool.SubmitWith<void>({.on_progress = tell}, "progress", steps, ms);
  begun->WaitForNotification();
  return handle;
}

TEST_F(HandlesTest, CancelIsTrueOnlyWhileATaskWaits) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  const auto running = Begun(pool, 600, 100);
  EXPECT_FALSE(running.Cancel().value());
  EXPECT_TRUE(running.Cancel(/*running=*/true).value());
  const auto done = pool.Submit<int>("identity", 1);
  ASSERT_TRUE(done.Wait());
  EXPECT_FALSE(done.Cancel(/*running=*/true).value());
}

TEST_F(HandlesTest, GetAfterTerminateReturnsAtOnce) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  const auto running = pool.Submit<void>("sleep", 60'000);
  const auto waiting = pool.Submit<void>("sleep", 60'000);
  ASSERT_TRUE(pool.Terminate().ok());
  EXPECT_EQ(ReasonOf(running.Get(Duration::zero())), "TASK_CANCELLED");
  EXPECT_EQ(ReasonOf(waiting.Get(Duration::zero())), "TASK_CANCELLED");
}

TEST_F(HandlesTest, AsCompletedYieldsDoneOnesFirst) {
  const Pool pool = OpenPool(Connect());
  const auto slow = pool.Submit<void>("sleep", 500);
  const auto done = pool.Submit<void>("sleep", 1);
  ASSERT_TRUE(done.Wait());
  std::vector<HandleId> order;
  for (const auto& handle : AsCompleted(std::vector{slow, done, done})) order.push_back(handle.id());
  EXPECT_THAT(order, ElementsAre(done.id(), slow.id()));
}

TEST_F(HandlesTest, AsCompletedTellsHowManyAreUnfinishedWhenItsTimePasses) {
  const Pool pool = OpenPool(Connect());
  const std::vector<TaskHandle<void>> handles{pool.Submit<void>("sleep", 1), pool.Submit<void>("sleep", 60'000)};
  auto completed = AsCompleted(handles, seconds(1));
  int yielded = 0;
  for (const auto& handle : completed) yielded += handle.done();
  EXPECT_EQ(yielded, 1);
  EXPECT_EQ(ReasonOf(completed.status()), "WAIT_TIMEOUT");
  EXPECT_EQ(completed.status().message(), "1 (of 2) handles unfinished");
}

TEST_F(HandlesTest, AsCompletedOverManyHandlesGivesEachOnce) {
  const Pool pool = OpenPool(Connect());
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 50'000; ++i) handles.push_back(pool.Submit<int>("identity", i));
  std::vector<bool> seen(handles.size());
  auto completed = AsCompleted(std::move(handles));
  for (const auto& handle : completed) {
    const int value = handle.Get().value();
    ASSERT_FALSE(seen[value]);
    seen[value] = true;
  }
  EXPECT_TRUE(completed.status().ok());
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 50'000);
}

TEST_F(HandlesTest, HandlesOfSeveralPoolsClientsAndTypesAreWaitedForTogether) {
  const Pool here = OpenPool(Connect(), "here");
  const Pool there = OpenPool(Connect(), "there");
  const auto number = here.Submit<int>("identity", 1);
  const auto nothing = there.Submit<void>("sleep", 100);
  const auto map = there.Map<int>("identity", std::vector<int>{1, 2, 3});
  const auto never = here.Submit<void>("sleep", 60'000);
  const std::vector<AnyHandle> all{number, nothing, map, never};
  EXPECT_EQ(Wait(all, WaitMode::kFirstCompleted).done.size() >= 1, true);
  const auto waited = Wait(std::vector<AnyHandle>{number, nothing, map, number});
  EXPECT_EQ(waited.done.size(), 3u);
  EXPECT_TRUE(waited.not_done.empty());
  EXPECT_EQ(Wait(all, WaitMode::kAllCompleted, milliseconds(50)).not_done.size(), 1u);
  const auto bad = there.Submit<void>("throw", "no");
  Wait(std::vector<AnyHandle>{never, bad}, WaitMode::kFirstException);
  EXPECT_TRUE(bad.done());
  std::size_t ended = 0;
  auto completed = AsCompleted(all, seconds(1));
  for (const auto& handle : completed) ended += handle.done();
  EXPECT_EQ(ended, 3u);
}

TEST_F(HandlesTest, CallbacksComeInTheOrderInWhichTheyWereAddedAndOnce) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  absl::Mutex mu;
  std::vector<int> seen;
  const auto handle = pool.Submit<void>("sleep", 100);
  const auto note = [&](int number) {
    return [&, number](const TaskHandle<void>&) {
      absl::MutexLock lock(&mu);
      seen.push_back(number);
    };
  };
  for (int i = 0; i < 5; ++i) handle.OnDone(note(i));
  ASSERT_TRUE(handle.Wait());
  for (int i = 5; i < 8; ++i) handle.OnDone(note(i));
  const auto all = [&] { return seen.size() == 8; };
  absl::MutexLock lock(&mu);
  ASSERT_TRUE(mu.AwaitWithTimeout(absl::Condition(&all), absl::Seconds(30)));
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(HandlesTest, ACallbackThatThrowsHarmsNobody) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  absl::Notification called;
  const auto handle = pool.Submit<int>("identity", 1);
  handle.OnDone([](const TaskHandle<int>&) { throw std::runtime_error("a callback of the test"); });
  handle.OnDone([](const TaskHandle<int>&) { throw 7; });
  handle.OnDone([&](const TaskHandle<int>&) { called.Notify(); });
  EXPECT_TRUE(called.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_EQ(pool.Apply<int>("identity", 2).value(), 2);
}

TEST_F(HandlesTest, TheErrorCallbackGetsTheErrorAndTheOtherTheValue) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  absl::Notification value;
  absl::Notification error;
  const auto good = pool.Submit<int>("identity", 4);
  good.OnError([](const absl::Status& status) { ADD_FAILURE() << status; });
  good.OnValue([&](int number) {
    EXPECT_EQ(number, 4);
    value.Notify();
  });
  const auto bad = pool.Submit<void>("throw", "no");
  bad.OnValue([] { ADD_FAILURE() << "it has no value"; });
  bad.OnError([&](const absl::Status& status) {
    EXPECT_EQ(ReasonOf(status), "TASK_FAILED");
    error.Notify();
  });
  EXPECT_TRUE(value.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_TRUE(error.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

TEST_F(HandlesTest, AThousandTasksWaitForAQueueOfTen) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 2, .modules = {"testing"}, .max_queued_tasks = 10});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const Pool patient = pool->With({.wait_when_full = true});
  std::vector<TaskHandle<int>> handles;
  for (int i = 0; i < 1000; ++i) handles.push_back(patient.Submit<int>("identity", i));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(handles[i].Get().value(), i);
}

// They go by upload: 700 KiB each.
TEST_F(HandlesTest, LargeArgumentsWaitForRoomToo) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 2});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const Pool patient = pool->With({.wait_when_full = true});
  std::vector<TaskHandle<Bytes>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(patient.Submit<Bytes>("echo", Bytes(std::string(700'000 + i, 'x'))));
  for (int i = 0; i < 20; ++i) {
    const auto echoed = handles[i].Get();
    ASSERT_TRUE(echoed.ok()) << echoed.status();
    EXPECT_EQ(echoed->data.size(), 700'000u + i);
  }
}

TEST_F(HandlesTest, WhatWaitsForRoomIsCancelledHere) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 1});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const Pool patient = pool->With({.wait_when_full = true});
  std::vector<TaskHandle<void>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(patient.Submit<void>("sleep", 60'000));
  for (auto at = handles.rbegin(); at != handles.rend(); ++at) at->CancelSoon(/*running=*/true);
  for (const auto& handle : handles) EXPECT_EQ(ReasonOf(handle.Get(seconds(60))), "TASK_CANCELLED");
}

TEST_F(HandlesTest, ACancelFindsATaskWhereverItWaitsForRoom) {
  const Client client = Connect();
  auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 1});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const Pool patient = pool->With({.wait_when_full = true});
  std::vector<TaskHandle<void>> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(patient.Submit<void>("sleep", 60'000));
  // From both ends: here, on its way, refused, in the daemon.
  for (std::size_t i = 0; i < 50; ++i) {
    for (const std::size_t at : {i, 99 - i}) {
      const auto cancelled = handles[at].Cancel(/*running=*/true);
      ASSERT_TRUE(cancelled.ok() && *cancelled) << cancelled.status();
    }
  }
  for (const auto& handle : handles) EXPECT_EQ(ReasonOf(handle.Get(seconds(60))), "TASK_CANCELLED");
}

TEST_F(HandlesTest, WhatIsHeldForAFullQueueIsBounded) {
  const Client client = Connect({.max_unsent_bytes = 20'000, .on_full = OnFull::kFail});
  auto pool = client.OpenPool({.name = "small", .workers = 1, .modules = {"testing"}, .max_queued_tasks = 1});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const Pool patient = pool->With({.wait_when_full = true});
  std::vector<TaskHandle<void>> handles;
  for (int i = 0; i < 200; ++i) handles.push_back(patient.Submit<void>("sleep", 60'000));
  // The daemon takes one or two meanwhile, and as many more find room here.
  const auto is_full = [](const TaskHandle<void>& handle) {
    return ReasonOf(handle.Get(Duration::zero())) == "CLIENT_FULL";
  };
  EXPECT_GE(std::ranges::count_if(handles, is_full), 150);
  EXPECT_TRUE(pool->Terminate().ok());
}

TEST_F(HandlesTest, AScopeClosesAndJoinsOrTerminates) {
  const Client client = Connect();
  TaskHandle<void> finished;
  TaskHandle<void> killed;
  {
    auto scope =
        PoolScope::Open(client, {.name = "closed", .workers = 1, .modules = {"testing"}}, AtScopeEnd::kCloseAndJoin);
    ASSERT_TRUE(scope.ok()) << scope.status();
    finished = (*scope)->Submit<void>("sleep", 50);
  }
  EXPECT_TRUE(finished.Get(Duration::zero()).ok());
  {
    auto scope = PoolScope::Open(client, {.name = "killed", .workers = 1, .modules = {"testing"}});
    ASSERT_TRUE(scope.ok()) << scope.status();
    killed = (*scope)->Submit<void>("sleep", 60'000);
  }
  EXPECT_EQ(ReasonOf(killed.Get(Duration::zero())), "TASK_CANCELLED");
}

TEST_F(HandlesTest, ShutdownMayCancelWhatWaitsAndTwiceIsFine) {
  const Pool pool = OpenPool(Connect(), "one", 1);
  const auto running = Begun(pool, 6, 50);
  const auto waiting = pool.Submit<void>("sleep", 60'000);
  ASSERT_TRUE(pool.Shutdown(/*wait=*/true, /*cancel_queued=*/true).ok());
  EXPECT_TRUE(running.Get(Duration::zero()).ok());
  EXPECT_EQ(ReasonOf(waiting.Get(Duration::zero())), "TASK_CANCELLED");
  EXPECT_TRUE(pool.Shutdown().ok());
}

TEST_F(HandlesTest, ProgressReachesTheHandleAndTheCallback) {
  const Client client = Connect();
  const Pool pool = OpenPool(client);
  std::vector<double> fractions;
  const auto handle = pool.SubmitWith<void>(
      {.on_progress = [&](const Progress& progress) { fractions.push_back(progress.fraction); }}, "progress", 5, 60);
  ASSERT_TRUE(handle.Get().ok()) << handle.Get();
  ASSERT_FALSE(fractions.empty());
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(handle.progress()->fraction, fractions.back());
}

}  // namespace
}  // namespace poold::client
