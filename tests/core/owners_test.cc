// Pools whose owner is gone.
#include "fakes.h"

namespace poold::core::testing {
namespace {

constexpr ClientId kAnn{11};
constexpr ClientId kBob{12};

class Owners : public ::testing::Test {
 protected:
  void OpenAs(ClientId owner, OwnerLost then) {
    PoolSpec spec = SpecOf("p", 1);
    spec.on_owner_lost = then;
    story.core.OnOpenPool(story.now, story.NewCall(), spec, owner);
    story.StartAll();
  }
  Story story;
};

TEST_F(Owners, GoneForTheGraceTerminateTheirPool) {
  OpenAs(kAnn, OwnerLost::kTerminate);
  const HandleId task = story.Submit("p", "f");
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(9 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  story.Pass(kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kTerminating);
  EXPECT_EQ(story.StateOf(task), TaskState::kCancelled);
  EXPECT_EQ(story.OutcomeOf(task).detail->failure->message, "its pool's owner is gone");
}

TEST_F(Owners, GoneForTheGraceCloseTheirPoolWhichFinishesWhatItHas) {
  OpenAs(kAnn, OwnerLost::kClose);
  const HandleId task = story.Submit("p", "f");
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(10 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kClosing);
  story.RunAll();
  EXPECT_EQ(story.StateOf(task), TaskState::kSucceeded);
}

TEST_F(Owners, WhoComeBackInTimeKeepTheirPool) {
  OpenAs(kAnn, OwnerLost::kTerminate);
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(9 * kSecond);
  story.core.OnClientPresent(story.now, kAnn);
  story.Pass(60 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(10 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kTerminating);
}

TEST_F(Owners, OfSeveralTheLastOneCounts) {
  OpenAs(kAnn, OwnerLost::kTerminate);
  OpenAs(kBob, OwnerLost::kTerminate);
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(60 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
  story.core.OnClientAbsent(story.now, kBob);
  story.Pass(10 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kTerminating);
}

TEST_F(Owners, OtherClientsDoNotCount) {
  OpenAs(kAnn, OwnerLost::kTerminate);
  story.core.OnClientPresent(story.now, kBob);
  story.core.OnClientAbsent(story.now, kBob);
  story.Pass(60 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

TEST_F(Owners, WhoAskToKeepItLeaveItToEverybody) {
  OpenAs(kAnn, OwnerLost::kKeep);
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(60 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

TEST_F(Owners, APoolThatNobodyOwnsIsNeverLost) {
  OpenAs(ClientId{}, OwnerLost::kTerminate);
  OpenAs(kAnn, OwnerLost::kTerminate);
  story.core.OnClientAbsent(story.now, kAnn);
  story.Pass(60 * kSecond);
  EXPECT_EQ(story.Pool("p").state, PoolState::kRunning);
}

}  // namespace
}  // namespace poold::core::testing
