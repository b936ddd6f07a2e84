// Whose outcomes take whose room.
#include <gmock/gmock.h>

#include "core_test_peer.h"
#include "fakes.h"

namespace poold::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kRoom = 64'000;  // a floor has 1000 bytes
constexpr ClientId kHoarder{1};
constexpr ClientId kOther{2};
constexpr ClientId kPlain{3};  // has no session

Limits Narrow() {
  Limits limits;
  limits.max_kept_outcome_bytes = kRoom;
  return limits;
}

// The hoarder is there, and never releases anything.
class Room : public ::testing::Test {
 protected:
  void SetUp() override {
    story_.Open("p", 2);
    story_.core.OnClientPresent(story_.now, kOther);
  }

  std::vector<HandleId> Submit(ClientId client, int tasks, const std::string& pool = "p") {
    story_.client = client;
    std::vector<HandleId> ids;
    for (int i = 0; i < tasks; ++i) ids.push_back(story_.Submit(pool, "f"));
    return ids;
  }
  std::vector<HandleId> Run(ClientId client, int tasks) {
    std::vector<HandleId> ids = Submit(client, tasks);
    story_.RunAll(1000);
    return ids;
  }
  std::size_t Ended(const std::vector<HandleId>& ids) {
    return std::count_if(ids.begin(), ids.end(),
                         [&](HandleId id) { return story_.StateOf(id) == TaskState::kSucceeded; });
  }
  std::size_t Known(const std::vector<HandleId>& ids) {
    return std::count_if(ids.begin(), ids.end(), [&](HandleId id) { return story_.core.ViewHandle(id).ok(); });
  }
  // One after the other, on this worker.
  std::vector<HandleId> RunOn(WorkerId worker, ClientId client, int tasks) {
    std::vector<HandleId> ids;
    for (int i = 0; i < tasks; ++i) {
      ids.push_back(Submit(client, 1).front());
      story_.RunOne(worker, true, 1000);
    }
    return ids;
  }
  // Of two workers, of which one has something, which it begins.
  std::pair<WorkerId, WorkerId> BusyAndOther() {
    WorkerId first = story_.processes.workers.begin()->first;
    WorkerId second = std::next(story_.processes.workers.begin())->first;
    if (story_.processes.workers.at(first).work.empty()) std::swap(first, second);
    story_.Begin(first);
    return {first, second};
  }
  std::uint64_t KeptBytes() { return CoreTestPeer(&story_.core).room().used(); }
  std::uint64_t AsideBytes() { return CoreTestPeer(&story_.core).aside_bytes(); }
  // Of a plain caller; it goes on.
  HandleId RunMap(std::uint64_t number, int items) {
    story_.client = kPlain;
    const HandleId map{8, number};
    EXPECT_TRUE(story_.Map(map, "p", "f", std::vector<std::string>(items, std::string(1000, 'L')), false).ok());
    story_.RunAll(1000);
    return map;
  }

  Story story_{Narrow()};
};

TEST_F(Room, WhoNeverReleasesIsHeldUpAndNobodyElse) {
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  EXPECT_GT(Ended(hoard), 150u);
  EXPECT_LT(Ended(hoard), 300u);
  const std::vector<HandleId> others = Run(kOther, 3);
  EXPECT_EQ(Ended(others), 3u);
  EXPECT_LE(KeptBytes(), kRoom);
  EXPECT_THAT(story_.clients.held_up_clients[kHoarder], ElementsAre(true));
  EXPECT_THAT(story_.clients.held_up_clients[kOther], IsEmpty());
}

TEST_F(Room, OnlyWhoIsShortIsTold) {
  Run(kHoarder, 400);
  Run(kOther, 2);
  EXPECT_THAT(story_.clients.room[kHoarder], ElementsAre(true));
  EXPECT_THAT(story_.clients.room[kOther], IsEmpty());
}

TEST_F(Room, WhoReleasesGoesOn) {
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  for (std::size_t next = 0; Ended(hoard) + next < hoard.size(); ++next) {
    ASSERT_EQ(story_.StateOf(hoard[next]), TaskState::kSucceeded) << next;
    story_.core.OnRelease(story_.now, hoard[next]);
    story_.RunAll(1000);
  }
  EXPECT_FALSE(story_.clients.held_up_clients[kHoarder].empty());
}

TEST_F(Room, ItIsSaidOnceThatAClientIsHeldUpAndOnceThatItGoesOn) {
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  for (std::size_t i = 0; i < 30; ++i) {
    story_.core.OnRelease(story_.now, hoard[i]);
    story_.RunAll(1000);
  }
  EXPECT_THAT(story_.clients.held_up_clients[kHoarder], ElementsAre(true));
  for (const HandleId id : hoard) story_.core.OnRelease(story_.now, id);
  EXPECT_THAT(story_.clients.held_up_clients[kHoarder], ElementsAre(true, false));
  EXPECT_THAT(story_.clients.room[kHoarder], ElementsAre(true, false));
}

TEST_F(Room, ExplainSaysWhoseRoomIsFullWithTheNumbers) {
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  const auto explanation = story_.core.Explain(story_.now, hoard.back());
  ASSERT_TRUE(explanation.ok());
  EXPECT_THAT(explanation->waits_for, HasSubstr("its client has no room for outcomes"));
  EXPECT_THAT(explanation->waits_for, HasSubstr("1000 are its own"));
  EXPECT_THAT(explanation->waits_for, HasSubstr("release outcomes"));
  EXPECT_EQ(story_.core.HeldUpClients().size(), 1u);
  EXPECT_EQ(story_.core.HeldUpClients().front().id, kHoarder);
}

TEST_F(Room, APlainCallerThatNeverReleasesIsNotHeldUpAndLosesTheOldest) {
  const std::vector<HandleId> ids = Run(kPlain, 1000);  // two workers: they end almost in this order
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 1000u);
  EXPECT_LE(KeptBytes(), kRoom);
  const std::size_t known = Known(ids);
  EXPECT_GT(known, 150u);
  EXPECT_EQ(story_.Pool("p").stats.dropped_outcomes, 1000 - known);
  EXPECT_EQ(Known({ids.begin() + 2, ids.begin() + 700}), 0u);
  EXPECT_EQ(Known({ids.end() - 150, ids.end()}), 150u);
  EXPECT_EQ(ReasonOf(story_.core.ViewHandle(ids[10]).status()), "HANDLE_RELEASED");
}

TEST_F(Room, APlainCallerIsNotHeldUpByAHoarder) {
  Run(kHoarder, 400);
  const std::vector<HandleId> ids = Run(kPlain, 100);
  EXPECT_EQ(story_.Pool("p").stats.running, 0u);
  EXPECT_GE(Known(ids), 12u);  // a part is theirs in any case
}

TEST_F(Room, WhatAClientKeepsDoesNotMakeWayForWhatOthersLeave) {
  const std::vector<HandleId> kept = Run(kOther, 100);
  Run(kPlain, 1000);
  EXPECT_EQ(Ended(kept), 100u);
}

TEST_F(Room, WhatWasLeftMakesWayForAClientThatIsThere) {
  Run(kPlain, 1000);
  const std::vector<HandleId> kept = Run(kOther, 100);
  EXPECT_EQ(Ended(kept), 100u);
  EXPECT_THAT(story_.clients.held_up_clients[kOther], IsEmpty());
}

TEST_F(Room, WhatSomebodyWaitsForIsPassedOver) {
  const std::vector<HandleId> first = Run(kPlain, 3);
  const HandleId late = Submit(kPlain, 1).front();  // a worker has it
  const auto [busy, other] = BusyAndOther();
  std::vector<HandleId> waited = first;
  waited.push_back(late);
  const SubscriberId call = story_.NewCall();
  story_.core.OnWait(story_.now, call, waited, WaitMode::kAllCompleted, 3600 * kSecond);
  for (int i = 0; i < 1000; ++i) {
    Submit(kPlain, 1);
    story_.RunOne(other, true, 1000);
  }
  EXPECT_GT(story_.Pool("p").stats.dropped_outcomes, 500u);
  EXPECT_FALSE(story_.clients.waits.contains(call));
  EXPECT_EQ(Ended(first), 3u);
  story_.RunAll(1000);
  EXPECT_TRUE(story_.clients.waits.contains(call));
  EXPECT_EQ(Ended(waited), 4u);  // and there is time to ask for them
  Run(kPlain, 1000);
  EXPECT_EQ(Known(waited), 0u);
}

TEST_F(Room, WaitsDoNotTakeMoreThanHalfOfWhatWasLeft) {
  std::vector<HandleId> waited = Run(kPlain, 200);
  waited.push_back(Submit(kPlain, 1).front());
  const auto [busy, other] = BusyAndOther();
  story_.core.OnWait(story_.now, story_.NewCall(), waited, WaitMode::kAllCompleted, 3600 * kSecond);
  for (int i = 0; i < 500; ++i) {
    Submit(kPlain, 1);
    story_.RunOne(other, true, 1000);
  }
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 700u);
  EXPECT_LE(KeptBytes(), kRoom);
  EXPECT_GT(Known(waited), 50u);
}

TEST_F(Room, WhoComesBackHasAlsoWhatWasSetAside) {
  const std::vector<HandleId> ids = Run(kOther, 50);
  std::vector<HandleId> waited = ids;
  waited.push_back(Submit(kOther, 1).front());
  const auto [busy, other] = BusyAndOther();
  story_.core.OnWait(story_.now, story_.NewCall(), waited, WaitMode::kAllCompleted, 3600 * kSecond);
  story_.core.OnClientAbsent(story_.now, kOther);
  RunOn(other, kPlain, 500);
  EXPECT_GT(AsideBytes(), 0u);
  story_.core.OnClientPresent(story_.now, kOther);
  EXPECT_EQ(AsideBytes(), 0u);
  std::vector<HandleId> more = RunOn(other, kPlain, 180);
  more.push_back(waited.back());
  story_.core.OnWait(story_.now, story_.NewCall(), more, WaitMode::kAllCompleted, 3600 * kSecond);
  RunOn(other, kPlain, 500);
  EXPECT_LT(Known(more), more.size());  // that was too much
  EXPECT_EQ(Known(ids), 50u);
}

TEST_F(Room, AClientThatLeavesIsNotHeldUpAnyMore) {
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  story_.core.OnClientAbsent(story_.now, kHoarder);
  story_.RunAll(1000);
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 400u);
  EXPECT_EQ(story_.StateOf(hoard.back()), TaskState::kSucceeded);
}

TEST_F(Room, WhoComesBackHasWhatItLeft) {
  const std::vector<HandleId> ids = Run(kOther, 100);
  story_.core.OnClientAbsent(story_.now, kOther);
  story_.core.OnClientPresent(story_.now, kOther);
  Run(kPlain, 1000);
  EXPECT_EQ(Ended(ids), 100u);
}

TEST_F(Room, APoolThatClosesIsFinishedWithoutRoom) {
  const std::vector<HandleId> hoard = Run(kHoarder, 1000);
  ASSERT_TRUE(story_.Close("p").ok());
  story_.RunAll(1000);
  story_.EndAll();
  EXPECT_EQ(story_.Pool("p").state, PoolState::kClosed);
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 1000u);
  EXPECT_LE(KeptBytes(), kRoom);
  EXPECT_EQ(story_.StateOf(hoard.back()), TaskState::kSucceeded);
}

TEST_F(Room, OtherPoolsOfTheClientWaitWhileOneIsClosed) {
  story_.Open("q", 1);
  Run(kHoarder, 400);
  const HandleId waits = Submit(kHoarder, 1, "q").front();
  ASSERT_TRUE(story_.Close("p").ok());
  story_.Begin(story_.FirstWorker());
  EXPECT_EQ(story_.StateOf(waits), TaskState::kQueued);
}

TEST_F(Room, AShutdownEndsWithAFullRoomAndClientsThatAreHeldUpOrLeft) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const ClientId client{100 + i};
    story_.core.OnClientPresent(story_.now, client);
    Submit(client, 40);
    story_.core.OnClientAbsent(story_.now, client);
  }
  Run(kHoarder, 1000);
  EXPECT_GT(story_.Pool("p").stats.queued, 0u);
  story_.core.OnShutdown(story_.now);
  story_.RunAll(1000);
  story_.EndAll();
  EXPECT_EQ(story_.clients.all_gone, 1);
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 3000u);
  EXPECT_LE(KeptBytes(), kRoom);
}

TEST_F(Room, AMapThatWasLeftRunsOnWhenItsOutcomesFillTheRoom) {
  story_.client = kPlain;
  const HandleId map{8, 1};
  ASSERT_TRUE(story_.Map(map, "p", "f", std::vector<std::string>(40, std::string(10'000, 'L'))).ok());
  story_.RunAll(1000);
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 40u);
  EXPECT_FALSE(story_.core.ViewHandle(map).ok());
  EXPECT_EQ(story_.clients.ends[story_.stream][map].size(), 1u);
  EXPECT_LE(KeptBytes(), kRoom);
}

TEST_F(Room, AMapThatSomebodyWaitsForGoesAfterTheOthers) {
  const HandleId waited = RunMap(1, 20);
  story_.core.OnGet(story_.now, story_.NewCall(), waited, 3600 * kSecond);
  const HandleId other = RunMap(2, 20);
  RunMap(3, 20);
  EXPECT_TRUE(story_.core.ViewHandle(waited).ok());
  EXPECT_FALSE(story_.core.ViewHandle(other).ok());
  EXPECT_LE(KeptBytes(), kRoom);
}

TEST_F(Room, AMapThatSomebodyWaitsForGoesWhenThereIsNothingElse) {
  const HandleId map = RunMap(1, 20);
  story_.core.OnGet(story_.now, story_.NewCall(), map, 3600 * kSecond);
  ASSERT_TRUE(story_.Map(map, "p", "f", std::vector<std::string>(60, std::string(1000, 'L')), true, 20).ok());
  story_.RunAll(1000);
  EXPECT_FALSE(story_.core.ViewHandle(map).ok());
  EXPECT_EQ(story_.Pool("p").stats.succeeded, 80u);
  EXPECT_LE(KeptBytes(), kRoom);
}

TEST_F(Room, AMapOfAClientThatIsThereWaitsUntilItsItemsAreTaken) {
  story_.client = kOther;
  const HandleId map{8, 1};
  ASSERT_TRUE(story_.Map(map, "p", "f", std::vector<std::string>(40, std::string(10'000, 'L'))).ok());
  story_.RunAll(1000);
  EXPECT_LT(story_.MapOf(map).done_items, 40u);
  for (int i = 0; i < 40 && !story_.MapOf(map).done; ++i) {
    story_.core.OnConsumed(story_.now, map, 0, story_.MapOf(map).done_items);
    story_.RunAll(1000);
  }
  EXPECT_TRUE(story_.MapOf(map).done);
}

TEST_F(Room, ArgumentsOfWhatFailedAreKeptThoughAnotherHasFilledTheRoom) {
  Run(kHoarder, 400);
  const HandleId failed = Submit(kOther, 1).front();
  story_.RunOne(BusyAndOther().first, false, 1000);
  ASSERT_EQ(story_.StateOf(failed), TaskState::kFailed);
  EXPECT_TRUE(story_.core.ViewArguments(failed, 0).ok());
}

TEST_F(Room, WhoHasRoomOnlyForAMomentIsNotSaidToGoOn) {
  story_.Open("q", 1);
  story_.client = kHoarder;
  story_.Submit("p", "f", {}, std::string(40'000, 'L'));
  const std::vector<HandleId> hoard = Run(kHoarder, 400);
  const HandleId waits = Submit(kHoarder, 1, "q").front();
  ASSERT_TRUE(story_.Close("p", /*cancel_queued=*/true).ok());  // the large one goes first
  ASSERT_EQ(story_.StateOf(waits), TaskState::kQueued);
  EXPECT_THAT(story_.clients.held_up_clients[kHoarder], ElementsAre(true));
  for (const HandleId id : hoard) story_.core.OnRelease(story_.now, id);
  EXPECT_EQ(story_.StateOf(waits), TaskState::kRunning);
  EXPECT_THAT(story_.clients.held_up_clients[kHoarder], ElementsAre(true, false));
}

// Of a function whose breaker is open: whose turn it is to try waits for a worker of its own, and has no room when that
// comes.
TEST_F(Room, AnotherTriesAtOnceWhenTheOneWhoseTurnItIsIsHeldUp) {
  story_.Open("q", 1);
  const auto worker_of_q = [&] { return story_.Pool("q").workers.front().id; };
  for (int i = 0; i < 5; ++i) {
    const HandleId crashed = Submit(kOther, 1, "q").front();
    story_.Begin(worker_of_q());
    story_.Crash(worker_of_q());
    story_.core.OnRelease(story_.now, crashed);
    story_.StartAll();
  }
  story_.Submit("q", "g");
  story_.RunOne(worker_of_q());
  TaskOptions fresh;
  fresh.fresh = true;
  story_.client = kHoarder;
  const HandleId held_up = story_.Submit("q", "f", fresh);
  const HandleId other = Submit(kOther, 1, "q").front();
  story_.Pass(kSecond);
  Run(kHoarder, 400);
  ASSERT_EQ(story_.StateOf(other), TaskState::kQueued);
  story_.StartAll();
  EXPECT_EQ(story_.StateOf(held_up), TaskState::kQueued);
  EXPECT_EQ(story_.StateOf(other), TaskState::kRunning);
}

}  // namespace
}  // namespace poold::core::testing
