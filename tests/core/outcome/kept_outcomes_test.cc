// What is kept, for how long, and what makes way. The owner of the handles is the test.
#include "core/outcome/kept_outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "silent_clients.h"

namespace poold::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kRoom =
    64'000;  // a floor has 1000 bytes, what was left 4000; 56'000 less the floors are common
constexpr Nanos kTtl = 10 * kSecond;
constexpr ClientId kAnn{1};
constexpr ClientId kBob{2};

struct Ended : Node {
  Ended(int n, Nanos at, std::uint64_t b, ClientQuota* of)
      : Node(NodeKind::kTask), number(n), ended_at(at), bytes(b), client(of) {}
  int number;
  Nanos ended_at;
  std::uint64_t bytes;
  ClientQuota* client;
  bool awaited = false;
  bool aside = false;
  std::unique_ptr<KeepsAndRuns> runs;  // it has not ended
};

// Of all that clients are told, what this room says.
class Clients : public testing::SilentClients {
 public:
  void RoomIsShort(ClientId client, bool is_short) override { Say(client, is_short ? "short" : "not short"); }
  void ClientIsHeldUp(const ClientView& view, bool held_up) override { Say(view.id, held_up ? "held up" : "goes on"); }

  std::vector<std::string> Said() { return std::exchange(said_, {}); }

 private:
  void Say(ClientId client, const std::string& what) {
    said_.push_back(std::to_string(static_cast<std::uint64_t>(client)) + " " + what);
  }
  std::vector<std::string> said_;
};

struct KeptOutcomesTest : ::testing::Test, OutcomesListener {
  Nanos EndedAt(const Node& node) const override { return static_cast<const Ended&>(node).ended_at; }
  std::uint64_t KeptBytes(const Node& node) const override { return static_cast<const Ended&>(node).bytes; }
  bool IsAwaited(const Node& node) const override { return static_cast<const Ended&>(node).awaited; }
  void WasSetAside(Node& node) override { static_cast<Ended&>(node).aside = true; }
  void Drop(Node& node) override {
    dropped.push_back(static_cast<Ended&>(node).number);
    KeptOutcomes::NoteDropped(pool);
    Forget(static_cast<Ended&>(node));
  }
  void Expire(Node& node) override {
    expired.push_back(static_cast<Ended&>(node).number);
    Forget(static_cast<Ended&>(node));
  }

  void Forget(Ended& handle) {
    kept.Uncount(pool, *handle.client, handle.bytes, 1, handle.aside);
    if (handle.runs != nullptr) return kept.RunsNoMore(*handle.client, handle.runs.get());
    kept.Remove(*handle.client, &handle, std::exchange(handle.aside, false));
  }
  // One more handle of this client has ended.
  Ended& End(ClientQuota* client, std::uint64_t bytes, bool drains = false) {
    handles.push_back(std::make_unique<Ended>(static_cast<int>(handles.size()), now, bytes, client));
    kept.Count(pool, *client, bytes, 1);
    kept.MakeWay(*client, bytes, drains);
    kept.Keep(now, *client, handles.back().get());
    ++now;
    return *handles.back();
  }
  ClientQuota* Present(ClientId id) {
    kept.Comes(id, {});
    return kept.Enter(id, {});
  }
  // As the core does it.
  std::vector<ClientId> Wake(bool lines_go_on = true) {
    std::vector<ClientId> woken;
    while (ClientQuota* client = kept.NextToWake()) {
      woken.push_back(client->id);
      for (const HeldLine& line : kept.TakeLines(*client)) {
        if (!lines_go_on) kept.HoldOn(*client, line);
      }
      kept.Woken(*client);
    }
    return woken;
  }
  void TearDown() override { EXPECT_EQ(kept.Check(), ""); }

  Nanos now = kSecond;
  Clients clients;
  Timers timers;
  KeptOutcomes kept{kRoom, kTtl, &clients, &timers, this};
  KeptCounts pool;
  std::vector<std::unique_ptr<Ended>> handles;
  std::vector<int> dropped;
  std::vector<int> expired;
};

TEST_F(KeptOutcomesTest, WhatIsKeptIsCountedAndWhatIsReleasedIsNot) {
  ClientQuota* ann = Present(kAnn);
  Ended& first = End(ann, 300);
  End(ann, 400);
  EXPECT_EQ(pool.bytes, 700u);
  EXPECT_EQ(pool.outcomes, 2u);
  EXPECT_EQ(kept.View(kAnn).kept_bytes, 700u);
  EXPECT_EQ(kept.Check(), "");
  Forget(first);
  EXPECT_EQ(pool.bytes, 400u);
  EXPECT_EQ(kept.room().used(), 400u);
}

TEST_F(KeptOutcomesTest, AnOutcomeExpires) {
  ClientQuota* ann = Present(kAnn);
  End(ann, 300);
  now += kSecond;
  End(ann, 300);
  DueTimer due;
  ASSERT_TRUE(timers.PopDue(kSecond + kTtl, &due));
  EXPECT_EQ(due.kind, TimerKind::kOutcomes);
  Steps steps(100);
  kept.Due(kSecond + kTtl, *static_cast<ClientQuota*>(due.owner), &steps);
  EXPECT_THAT(expired, ElementsAre(0));
  EXPECT_EQ(timers.size(), 1u);
}

TEST_F(KeptOutcomesTest, WhatRunsMakesWayWhenNothingElseIsLeft) {
  ClientQuota* bob = kept.Enter(kBob, {});
  const auto run = [&](std::uint64_t bytes, bool awaited) {
    handles.push_back(std::make_unique<Ended>(static_cast<int>(handles.size()), now, bytes, bob));
    Ended& map = *handles.back();
    map.awaited = awaited;
    map.runs = std::make_unique<KeepsAndRuns>(&map);
    kept.Runs(*bob, map.runs.get());
    kept.Count(pool, *bob, bytes, 1);
  };
  run(40'000, /*awaited=*/true);
  run(40'000, /*awaited=*/false);
  kept.MakeWay(*bob, 40'000, /*drains=*/false);
  EXPECT_THAT(dropped, ElementsAre(1)) << "somebody waits for the other one";
  EXPECT_EQ(kept.Check(), "");
  run(40'000, /*awaited=*/true);
  kept.MakeWay(*bob, 40'000, /*drains=*/false);
  EXPECT_THAT(dropped, ElementsAre(1, 0));
  kept.RunsNoMore(*bob, handles[2]->runs.get());
  EXPECT_EQ(kept.Check(), "");
}

TEST_F(KeptOutcomesTest, TheOldestOfWhatWasLeftMakesWay) {
  ClientQuota* plain = kept.Enter(kBob, {});
  for (int i = 0; i < 4; ++i) End(plain, 20'000);
  EXPECT_THAT(dropped, ElementsAre(0));
  EXPECT_EQ(pool.dropped, 1u);
  EXPECT_LE(kept.room().used(), kRoom);
}

TEST_F(KeptOutcomesTest, WhatSomebodyWaitsForIsSetAside) {
  ClientQuota* plain = kept.Enter(kBob, {});
  Ended& awaited = End(plain, 20'000);
  awaited.awaited = true;
  for (int i = 0; i < 3; ++i) End(plain, 20'000);
  EXPECT_THAT(dropped, ElementsAre(1));
  EXPECT_EQ(kept.aside_bytes(), 20'000u);
  EXPECT_EQ(kept.Check(), "");
  awaited.awaited = awaited.aside = false;
  kept.ReturnAside(now, *plain, &awaited);
  EXPECT_EQ(kept.aside_bytes(), 0u);
}

TEST_F(KeptOutcomesTest, MoreThanHalfIsNotSetAside) {
  ClientQuota* plain = kept.Enter(kBob, {});
  for (int i = 0; i < 4; ++i) End(plain, 20'000).awaited = true;
  EXPECT_THAT(dropped, ElementsAre(0));
}

TEST_F(KeptOutcomesTest, AClientThatIsPresentLosesNothing) {
  ClientQuota* ann = Present(kAnn);
  for (int i = 0; i < 10; ++i) End(ann, 20'000);
  EXPECT_THAT(dropped, IsEmpty());
  EXPECT_FALSE(kept.room().HasRoom(*ann));
  EXPECT_THAT(clients.Said(), ElementsAre("1 short"));
}

TEST_F(KeptOutcomesTest, APoolThatDrainsDropsTheOldestOfTheSameClient) {
  ClientQuota* ann = Present(kAnn);
  for (int i = 0; i < 3; ++i) End(ann, 20'000, /*drains=*/true);
  EXPECT_THAT(dropped, ElementsAre(0));
}

TEST_F(KeptOutcomesTest, WhoIsHeldUpIsWokenWhenThereIsRoom) {
  ClientQuota* ann = Present(kAnn);
  for (int i = 0; i < 3; ++i) End(ann, 20'000);
  kept.HoldUp(*ann, {});
  EXPECT_THAT(clients.Said(), ElementsAre("1 short", "1 held up"));
  EXPECT_EQ(kept.ViewHeldUp().size(), 1u);
  EXPECT_EQ(kept.Check(), "");
  Forget(*handles[0]);
  EXPECT_TRUE(kept.some_wake());
  EXPECT_THAT(Wake(), ElementsAre(kAnn));
  Forget(*handles[1]);
  EXPECT_THAT(clients.Said(), ElementsAre("1 not short", "1 goes on"));
}

TEST_F(KeptOutcomesTest, ALineThatHasNoRoomYetStaysHeldUp) {
  ClientQuota* ann = Present(kAnn);
  for (int i = 0; i < 3; ++i) End(ann, 20'000);
  kept.HoldUp(*ann, {});
  kept.WakeAll();
  EXPECT_THAT(Wake(/*lines_go_on=*/false), ElementsAre(kAnn));
  EXPECT_EQ(kept.held_up(), 1u);
  EXPECT_FALSE(kept.some_wake());
}

TEST_F(KeptOutcomesTest, ALineThatEndsIsHeldUpNoMore) {
  ClientQuota* ann = Present(kAnn);
  auto* const queue = reinterpret_cast<ClientQueue*>(&pool);  // never looked into
  kept.HoldUp(*ann, {nullptr, nullptr, queue});
  EXPECT_EQ(kept.EndLine(*ann, queue).queue, queue);
  EXPECT_EQ(kept.held_up(), 0u);
  EXPECT_THAT(clients.Said(), ElementsAre("1 held up", "1 goes on"));
}

TEST_F(KeptOutcomesTest, WhatAClientLeavesMayHaveToMakeWay) {
  ClientQuota* ann = Present(kAnn);
  for (int i = 0; i < 3; ++i) End(ann, 20'000);
  ClientQuota* gone = kept.Goes(kAnn);
  ASSERT_EQ(gone, ann);
  kept.Leave(*gone);
  EXPECT_EQ(kept.room().left(), 60'000u);
  EXPECT_EQ(kept.Check(), "");
  End(Present(kBob), 900);
  EXPECT_THAT(dropped, ElementsAre(0));
  EXPECT_EQ(kept.Goes(kAnn), nullptr);
}

TEST_F(KeptOutcomesTest, TheLatestClientOfNoUseIsKnownAgain) {
  kept.Leave(*kept.Enter(kAnn, {}));
  EXPECT_EQ(kept.unused(), 1u);
  ClientQuota* ann = kept.Enter(kAnn, {});
  EXPECT_EQ(kept.unused(), 0u);
  EXPECT_EQ(ann->number, 1u);
  kept.Leave(*ann);
  kept.Leave(*kept.Enter(kBob, {}));
  EXPECT_EQ(kept.View(kAnn).id, ClientId{});
}

}  // namespace
}  // namespace poold::core
