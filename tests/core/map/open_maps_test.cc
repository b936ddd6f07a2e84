// Which maps may get more items, and which of them lost their clients.
#include "core/map/open_maps.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

constexpr ClientId kAnn{1};
constexpr ClientId kBob{2};
constexpr Nanos kGrace = 10;

class OpenMapsTest : public ::testing::Test {
 protected:
  ~OpenMapsTest() override { EXPECT_EQ(open_.Check(), ""); }

  // A map is never looked into.
  static MapRun* Named(std::uintptr_t name) { return reinterpret_cast<MapRun*>(name); }
  // Whose timer is due; none: nobody's.
  ClientId Due(Nanos now) {
    DueTimer due;
    return timers_.PopDue(now, &due) ? static_cast<OpenMaps::Client*>(due.owner)->id : ClientId{};
  }

  Timers timers_;
  OpenMaps open_{kGrace, &timers_};
  OpenMap first_{Named(8)};
  OpenMap second_{Named(16)};
  OpenMap other_{Named(24)};
};

TEST_F(OpenMapsTest, MapsOfAClientThatStaysAwayAreLost) {
  open_.Add(kAnn, &first_);
  open_.Add(kBob, &other_);
  open_.NotePresence(100, kAnn, false);
  EXPECT_EQ(timers_.size(), 1u);
  open_.Add(kAnn, &second_);
  EXPECT_EQ(Due(109), ClientId{});
  EXPECT_EQ(Due(110), kAnn);
  EXPECT_EQ(open_.NextLost(kAnn), Named(8));
  open_.GoOnLater(110, kAnn);
  EXPECT_EQ(Due(110), kAnn);
  open_.Remove(kAnn, &first_);
  EXPECT_EQ(open_.NextLost(kAnn), nullptr) << "the second one was opened when it was away already";
}

TEST_F(OpenMapsTest, WhoComesBackLosesNothing) {
  open_.Add(kAnn, &first_);
  open_.NotePresence(100, kAnn, false);
  open_.NotePresence(105, kAnn, true);
  EXPECT_EQ(timers_.size(), 0u);
  open_.NotePresence(106, kAnn, false);
  open_.Remove(kAnn, &first_);
  open_.Remove(kAnn, &first_);
  EXPECT_EQ(timers_.size(), 0u);
  EXPECT_EQ(open_.NextLost(kAnn), nullptr);
}

}  // namespace
}  // namespace poold::core
