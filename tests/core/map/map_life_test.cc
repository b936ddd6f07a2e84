// The states of maps and chunks follow each other as the tables say, and in no other way.
#include "core/map/map_life.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

TEST(MapLives, MakesEveryTransitionOfTheTablesAndNotesIt) {
  MapLives maps;
  for (const auto& [from, to] : kMapTransitions) {
    Life<MapLife> life(from);
    maps.Move(life, to);
    EXPECT_EQ(MapLife{life}, to);
  }
  EXPECT_EQ(maps.made(), (1u << std::size(kMapTransitions)) - 1);
  ChunkLives chunks;
  for (const auto& [from, to] : kChunkTransitions) {
    Life<ChunkLife> life(from);
    chunks.Move(life, to);
    EXPECT_EQ(ChunkLife{life}, to);
  }
  EXPECT_EQ(chunks.made(), (1u << std::size(kChunkTransitions)) - 1);
}

TEST(MapLives, AMapThatWasCutStaysCut) {
  MapLives lives;
  Life<MapLife> life(MapLife::kOpen);
  lives.Move(life, MapLife::kCut);
  EXPECT_TRUE(IsCut(life));
  EXPECT_FALSE(HasEnded(life));
  lives.Move(life, MapLife::kEndedCut);
  EXPECT_TRUE(IsCut(life));
  EXPECT_TRUE(HasEnded(life));
}

TEST(MapLivesDeathTest, AbortsOnWhatIsNotInATable) {
  MapLives maps;
  Life<MapLife> cut(MapLife::kCut);
  EXPECT_DEATH(maps.Move(cut, MapLife::kClosed), "does not follow");
  Life<MapLife> ended(MapLife::kEnded);
  EXPECT_DEATH(maps.Move(ended, MapLife::kCut), "went from state 3 to 2");
  ChunkLives chunks;
  Life<ChunkLife> cancelling(ChunkLife::kCancelling);
  EXPECT_DEATH(chunks.Move(cancelling, ChunkLife::kSent), "does not follow");
}

}  // namespace
}  // namespace poold::core
