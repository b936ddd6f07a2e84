// Names, owners, and what is still shown of pools that are gone.
#include "core/pool/pools.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace poold::core {
namespace {

constexpr std::uint32_t kMost = 3;
constexpr Nanos kGrace = 10 * kSecond;
constexpr ClientId kAnn{1};

class PoolsTest : public ::testing::Test {
 protected:
  ~PoolsTest() override { EXPECT_EQ(pools_.Check(), ""); }

  std::shared_ptr<Pool> Open(const std::string& name, OwnerLost on_owner_lost = OwnerLost::kKeep) {
    PoolSpec spec;
    spec.name = name;
    spec.on_owner_lost = on_owner_lost;
    EXPECT_TRUE(pools_.CheckOpen(spec, 0).ok());
    return pools_.Open(now_, spec, HandleId{}, /*max_prefetch=*/64);
  }
  // It ends, and no process is left.
  void End(Pool& pool) {
    pools_.Move(pool, PoolState::kClosing);
    pools_.Move(pool, PoolState::kClosed);
    pools_.IsGone(pool);
  }
  bool Knows(const std::string& name) { return pools_.Find(name).ok(); }

  Nanos now_ = kSecond;
  ShardInfo shard_{.index = 1, .count = 4};
  Timers timers_;
  Lives lives_;
  Pools pools_{shard_, kMost, kGrace, &timers_, &lives_};
};

TEST_F(PoolsTest, FindsThemByNameAndByTheirNumberAmongAllCores) {
  const std::shared_ptr<Pool> first = Open("a");
  const std::shared_ptr<Pool> second = Open("b");
  EXPECT_EQ(first->id, PoolId{2});
  EXPECT_EQ(second->id, PoolId{6});
  EXPECT_EQ(pools_.FindOrNull("b"), second);
  EXPECT_EQ(pools_.At(PoolId{2}), first);
  EXPECT_EQ(pools_.At(PoolId{3}), nullptr);
  EXPECT_TRUE(absl::IsNotFound(pools_.Find("c").status()));
}

TEST_F(PoolsTest, RefusesANameThatLivesAndMoreThanTheMost) {
  const std::shared_ptr<Pool> a = Open("a");
  Open("b");
  PoolSpec spec;
  spec.name = "a";
  EXPECT_TRUE(absl::IsAlreadyExists(pools_.CheckOpen(spec, 0)));
  spec.name = "c";
  EXPECT_TRUE(pools_.CheckOpen(spec, 0).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(pools_.CheckOpen(spec, /*elsewhere=*/1)));
  End(*a);
  EXPECT_TRUE(pools_.CheckOpen(spec, 1).ok());
}

TEST_F(PoolsTest, AResizedPoolIsTheSameAsItWasOpenedAndAsItIs) {
  const std::shared_ptr<Pool> pool = Open("a");
  PoolSpec spec = pool->spec;
  pool->spec.workers = 5;
  EXPECT_TRUE(Pools::SameSpec(*pool, spec));
  spec.workers = 5;
  EXPECT_TRUE(Pools::SameSpec(*pool, spec));
  spec.workers = 6;
  EXPECT_FALSE(Pools::SameSpec(*pool, spec));
}

TEST_F(PoolsTest, ShowsTheLastOnesThatAreGone) {
  for (const char* name : {"a", "b", "c", "d"}) End(*Open(name));
  EXPECT_FALSE(Knows("a"));
  EXPECT_TRUE(Knows("b"));
  EXPECT_TRUE(Knows("d"));
  EXPECT_TRUE(pools_.all_gone());
}

TEST_F(PoolsTest, ForgetsOneThatNobodyWantsToLookAt) {
  const std::shared_ptr<Pool> pool = Open("a");
  pool->forget = true;
  pools_.ForgetIfGone(*pool);
  EXPECT_TRUE(Knows("a")) << "it lives";
  End(*pool);
  EXPECT_FALSE(Knows("a"));
  EXPECT_EQ(pools_.At(pool->id), nullptr);
}

TEST_F(PoolsTest, ForgetsOneWhoseNameIsGivenAway) {
  const std::shared_ptr<Pool> before = Open("a");
  End(*before);
  const std::shared_ptr<Pool> after = Open("a");
  EXPECT_EQ(pools_.At(before->id), nullptr);
  EXPECT_EQ(pools_.FindOrNull("a"), after);
}

TEST_F(PoolsTest, KeepsOneWithProcessesUntilTheyAreGone) {
  const std::shared_ptr<Pool> before = Open("a");
  before->stopping_zygotes.push_back(1);
  pools_.Move(*before, PoolState::kFailed);
  const std::shared_ptr<Pool> after = Open("a");
  EXPECT_EQ(pools_.At(before->id), before);
  EXPECT_EQ(pools_.live(), 1u);
  before->stopping_zygotes.clear();
  pools_.IsGone(*before);
  EXPECT_EQ(pools_.At(before->id), nullptr);
  EXPECT_EQ(pools_.FindOrNull("a"), after);
}

TEST_F(PoolsTest, APoolIsLostWhenItsLastOwnerStaysAway) {
  const std::shared_ptr<Pool> pool = Open("a", OwnerLost::kClose);
  pools_.AddOwner(now_, *pool, kAnn);
  pools_.NotePresence(now_, kAnn, false);
  EXPECT_EQ(timers_.Next(), now_ + kGrace);
  pools_.NotePresence(now_, kAnn, true);
  EXPECT_EQ(timers_.Next(), kNever);
  pools_.NotePresence(now_, kAnn, false);
  End(*pool);
  EXPECT_EQ(timers_.Next(), kNever) << "it has ended by itself";
}

}  // namespace
}  // namespace poold::core
