// Objects in numbered slots: memory goes when they go.
#include "core/slab.h"

#include <gtest/gtest.h>

#include <vector>

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

}  // namespace
}  // namespace poold::core
