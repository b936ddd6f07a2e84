#include "core/scheduler/chunk_size.h"

#include <gtest/gtest.h>

namespace poold::core {
namespace {

constexpr std::uint64_t kRoom = 1'000'000;

TEST(ChunkSize, IsSmallUntilSomethingWasMeasured) {
  EXPECT_EQ(UnmeasuredChunk(1, 2), 1u);
  EXPECT_EQ(UnmeasuredChunk(40, 2), 5u);
  EXPECT_EQ(UnmeasuredChunk(1'000'000, 2), 8u);
}

TEST(ChunkSize, IsTheItemsOfItsTime) {
  EXPECT_EQ(MeasuredChunk(1'000'000, 2, 1000, kRoom), static_cast<std::uint64_t>(kChunkTime / 1000));
  EXPECT_EQ(MeasuredChunk(1'000'000, 2, 10.0 * kSecond, kRoom), 1u);
  EXPECT_EQ(MeasuredChunk(100'000'000, 1, 0.001, kRoom * kRoom), kMostItems);
}

TEST(ChunkSize, ShrinksTowardsTheEndButNotBelowItsLeastTime) {
  EXPECT_EQ(MeasuredChunk(400, 4, 1000, kRoom), 50u);
  EXPECT_EQ(MeasuredChunk(8, 4, 1000, kRoom), static_cast<std::uint64_t>(kLeastChunkTime / 1000));
}

TEST(ChunkSize, KeepsToTheRoomForOutcomes) {
  EXPECT_EQ(MeasuredChunk(1'000'000, 2, 1000, 7), 7u);
  EXPECT_EQ(MeasuredChunk(1'000'000, 2, 1000, 0), 1u);
}

}  // namespace
}  // namespace poold::core
