// Objects in numbered slots, vectors that grow in steps: memory goes when they go, and nothing moves.
#include "core/slab.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/stepped_vector.h"

namespace poold::core {
namespace {

struct Thing {
  std::uint32_t slot = 0;
};

constexpr std::size_t kThings = 10'000;

std::vector<Thing*> Fill(Slab<Thing>* slab) {
  std::vector<Thing*> things;
  for (std::size_t i = 0; i < kThings; ++i) things.push_back(slab->New());
  return things;
}

TEST(Slab, GivesItsMemoryBackInWhateverOrderThingsGo) {
  for (const bool backwards : {false, true}) {
    Slab<Thing> slab;
    std::vector<Thing*> things = Fill(&slab);
    const std::size_t full = slab.blocks();
    EXPECT_GT(full, 10u);
    if (backwards) std::reverse(things.begin(), things.end());
    for (Thing* thing : things) slab.Delete(thing);
    EXPECT_EQ(slab.size(), 0u);
    EXPECT_LE(slab.blocks(), 2u) << (backwards ? "backwards" : "in their order");
    Fill(&slab);
    EXPECT_EQ(slab.blocks(), full);
  }
}

TEST(Slab, FindsByNumberWhatLivesThere) {
  Slab<Thing> slab;
  std::vector<Thing*> things = Fill(&slab);
  for (std::size_t i = 0; i < kThings; i += 2) slab.Delete(things[i]);
  for (std::size_t i = 1; i < kThings; i += 2) ASSERT_EQ(slab.Find(things[i]->slot), things[i]);
  EXPECT_EQ(slab.Find(1u << 30), nullptr);
}

TEST(SteppedVector, MovesNoElementWhenItGrows) {
  SteppedVector<std::size_t> numbers;
  std::vector<const std::size_t*> places;
  for (std::size_t i = 0; i < kThings; ++i) {
    numbers.push_back(i);
    places.push_back(&numbers.back());
  }
  for (std::size_t i = 0; i < kThings; ++i) {
    ASSERT_EQ(&numbers[i], places[i]);
    ASSERT_EQ(numbers[i], i);
  }
  while (!numbers.empty()) {
    ASSERT_EQ(numbers.back(), numbers.size() - 1);
    numbers.pop_back();
  }
}

}  // namespace
}  // namespace poold::core
