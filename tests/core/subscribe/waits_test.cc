// Calls that wait: who is answered, with what, and when.
#include "core/subscribe/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"
#include "fake_clients.h"

namespace poold::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

HandleView ViewOf(const Handle* handle) {
  TaskView view;
  view.id = handle->id;
  return view;
}

PoolView ViewOfPool() {
  PoolView view;
  view.spec.name = "p";
  return view;
}

absl::Status Refusal() { return MakeError(reason::kPoolNotRunning, "no"); }

struct WaitsTest : ::testing::Test, WaitsListener {
  void NobodyWaits(Handle& handle) override { deserted.push_back(handle.id.low); }

  // Waits for these of `handles`.
  Wait* WaitFor(SubscriberId call, std::vector<std::size_t> places, WaitMode mode, Nanos timeout = kSecond) {
    std::vector<Waits::Asked> asked;
    for (const std::size_t place : places) asked.push_back({handles[place].id, ended[place], succeeded[place]});
    return waits.WaitFor(now, call, asked, mode, timeout, [&](std::size_t i) { return &lists[places[i]]; });
  }
  void End(std::size_t place, bool success = true) {
    ended[place] = true;
    succeeded[place] = success;
    waits.HandleEnded(lists[place], success, ViewOf);
  }
  void TimePasses(Nanos span) {
    now += span;
    DueTimer due;
    while (timers.PopDue(now, &due)) waits.Due(static_cast<Wait*>(due.owner), ViewOf);
  }
  void TearDown() override { EXPECT_EQ(waits.Check(), ""); }

  Nanos now = kSecond;
  testing::FakeClients clients;
  Timers timers;
  std::vector<std::uint64_t> deserted;
  Waits waits{&clients, &timers, /*max_wait=*/10 * kSecond, this};
  Handle handles[3] = {{{0, 0}}, {{0, 1}}, {{0, 2}}};
  HandleWaits lists[3] = {HandleWaits(&handles[0]), HandleWaits(&handles[1]), HandleWaits(&handles[2])};
  bool ended[3] = {};
  bool succeeded[3] = {};
  std::shared_ptr<PoolCalls> pool = std::make_shared<PoolCalls>();
};

TEST_F(WaitsTest, AGetIsAnsweredAtTheEndOfItsHandle) {
  waits.Get(now, kAnn, handles[1].id, &lists[1], kSecond);
  EXPECT_EQ(waits.Check(), "");
  End(0);
  EXPECT_THAT(clients.Said(), IsEmpty());
  End(1);
  EXPECT_THAT(clients.Said(), ElementsAre("1 got 1"));
  EXPECT_EQ(waits.size(), 0u);
  EXPECT_EQ(timers.size(), 0u);
}

TEST_F(WaitsTest, AGetThatIsOverTimeIsAnsweredWithWhatThereIs) {
  waits.Get(now, kAnn, handles[1].id, &lists[1], kSecond);
  TimePasses(kSecond);
  EXPECT_THAT(clients.Said(), ElementsAre("1 got 1"));
  EXPECT_THAT(deserted, ElementsAre(1));
}

TEST_F(WaitsTest, NoCallWaitsForLongerThanTheMost) {
  waits.Get(now, kAnn, handles[1].id, &lists[1], kNever);
  EXPECT_EQ(timers.Next(), now + 10 * kSecond);
}

TEST_F(WaitsTest, AWaitForAllNamesEveryIdInTheOrderAsked) {
  WaitFor(kAnn, {2, 0, 1}, WaitMode::kAllCompleted);
  End(0);
  End(1);
  EXPECT_THAT(clients.Said(), IsEmpty());
  EXPECT_EQ(waits.Check(), "");
  End(2);
  EXPECT_THAT(clients.Said(), ElementsAre("1 done 2 0 1 not done"));
  EXPECT_THAT(deserted, ElementsAre(0, 1));  // in the order asked, without the one that just ended
}

TEST_F(WaitsTest, AWaitForTheFirstEndsWithIt) {
  WaitFor(kAnn, {0, 1}, WaitMode::kFirstCompleted);
  End(1);
  EXPECT_THAT(clients.Said(), ElementsAre("1 first, done 1 not done 0"));
}

TEST_F(WaitsTest, AWaitForTheFirstExceptionPassesOverSuccess) {
  WaitFor(kAnn, {0, 1, 2}, WaitMode::kFirstException);
  End(1);
  EXPECT_THAT(clients.Said(), IsEmpty());
  End(0, /*success=*/false);
  EXPECT_THAT(clients.Said(), ElementsAre("1 first, done 0 1 not done 2"));
}

TEST_F(WaitsTest, WhatIsOverAlreadyIsAnsweredAtOnce) {
  End(0);
  EXPECT_EQ(WaitFor(kAnn, {0}, WaitMode::kAllCompleted), nullptr);
  EXPECT_EQ(WaitFor(kAnn, {0, 1}, WaitMode::kFirstCompleted), nullptr);
  EXPECT_EQ(WaitFor(kAnn, {1}, WaitMode::kAllCompleted, /*timeout=*/0), nullptr);
  EXPECT_THAT(clients.Said(), ElementsAre("1 done 0 not done", "1 first, done 0 not done 1", "1 done not done 1"));
  EXPECT_EQ(waits.size(), 0u);
}

TEST_F(WaitsTest, AHandleThatIsGoneIsStillNamed) {
  WaitFor(kAnn, {0, 1}, WaitMode::kAllCompleted);
  End(0);
  waits.HandleGone(lists[0]);
  EXPECT_EQ(waits.Check(), "");
  End(1);
  EXPECT_THAT(clients.Said(), ElementsAre("1 done 0 1 not done"));
}

TEST_F(WaitsTest, SeveralWaitForOneHandle) {
  WaitFor(kAnn, {0}, WaitMode::kAllCompleted);
  WaitFor(kBob, {0, 1}, WaitMode::kAllCompleted);
  waits.Get(now, kBob, handles[0].id, &lists[0], kSecond);
  End(0);
  EXPECT_THAT(clients.Said(), ElementsAre("1 done 0 not done", "2 got 0"));
  EXPECT_FALSE(lists[0].empty());  // Bob will ask for it
  TimePasses(kSecond);
  EXPECT_THAT(clients.Said(), ElementsAre("2 done 0 not done 1"));
}

TEST_F(WaitsTest, ACallerThatIsGoneHearsNothing) {
  WaitFor(kAnn, {0, 1}, WaitMode::kAllCompleted);
  waits.Get(now, kAnn, handles[0].id, &lists[0], kSecond);
  waits.CallerGone(kAnn);
  End(0);
  End(1);
  TimePasses(kSecond);
  EXPECT_THAT(clients.Said(), IsEmpty());
  EXPECT_THAT(deserted, ElementsAre(0, 1));
}

TEST_F(WaitsTest, AWaitOfATaskIsKnownUntilItIsRefused) {
  Wait* wait = WaitFor(kAnn, {0}, WaitMode::kAllCompleted);
  waits.ComesFrom(wait, WorkerId{7}, AttemptToken{8});
  EXPECT_THAT(waits.of_tasks(), ElementsAre(wait));
  EXPECT_EQ(waits.Check(), "");
  waits.Refuse(wait, Refusal());
  EXPECT_THAT(clients.Said(), ElementsAre("1 refused POOL_NOT_RUNNING"));
  EXPECT_THAT(waits.of_tasks(), IsEmpty());
}

TEST_F(WaitsTest, CallsThatOpenAPoolAreAnsweredTogether) {
  waits.Open(pool, kAnn, /*created=*/true);
  waits.Open(pool, kBob, /*created=*/false);
  EXPECT_EQ(waits.Check(), "");
  waits.AnswerOpens(*pool, absl::OkStatus(), ViewOfPool);
  EXPECT_THAT(clients.Said(), ElementsAre("2 shares p", "1 made p"));
  waits.Open(pool, kAnn, /*created=*/true);
  waits.AnswerOpens(*pool, Refusal(), ViewOfPool);
  EXPECT_THAT(clients.Said(), ElementsAre("1 refused POOL_NOT_RUNNING"));
}

TEST_F(WaitsTest, AReloadAnswersThoseThatCameBeforeItBegan) {
  waits.Reload(pool, kAnn);
  waits.ReloadBegins(*pool);
  waits.Reload(pool, kBob);
  waits.AnswerReloads(*pool, absl::OkStatus(), ViewOfPool);
  EXPECT_THAT(clients.Said(), ElementsAre("1 reloaded p"));
  waits.RefuseReloads(*pool, Refusal());
  EXPECT_THAT(clients.Said(), ElementsAre("2 refused POOL_NOT_RUNNING"));
}

TEST_F(WaitsTest, JoinsAndTerminatesAreAnsweredWhenThePoolIsGone) {
  waits.Terminate(pool, kAnn);
  waits.NoteCancelled(*pool, 5);
  waits.Join(now, pool, kBob, kSecond);
  waits.PoolGone(*pool);
  EXPECT_THAT(clients.Said(), ElementsAre("2 joined", "1 terminated 5"));
  EXPECT_EQ(waits.size(), 0u);
}

TEST_F(WaitsTest, ACloseIsAnsweredWithWhatItCancelledItself) {
  waits.Close(pool, kAnn, /*before=*/0);
  waits.Close(pool, kBob, /*before=*/3);
  waits.AnswerCloses(*pool, 5);
  EXPECT_THAT(clients.Said(), ElementsAre("2 closed 2", "1 closed 5"));
  EXPECT_EQ(waits.size(), 0u);
}

TEST_F(WaitsTest, AJoinThatIsOverTimeSaysSo) {
  waits.Join(now, pool, kBob, kSecond);
  TimePasses(kSecond);
  EXPECT_THAT(clients.Said(), ElementsAre("2 not joined"));
}

TEST_F(WaitsTest, ACallKeepsThePool) {
  std::weak_ptr<PoolCalls> kept = pool;
  waits.Terminate(std::move(pool), kAnn);
  EXPECT_FALSE(kept.expired());
  waits.CallerGone(kAnn);
  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace poold::core
