// Where pools and handles lie when there are several cores.
#include "engine/shards.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../core/fakes.h"
#include "absl/strings/str_cat.h"
#include "wire/handle_shard.h"

namespace poold::engine {
namespace {

class FixedClock final : public base::Clock {
 public:
  std::int64_t Now() const override { return core::kSecond; }
  std::int64_t WallNow() const override { return core::kSecond; }
};

class ShardsTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kShards = 3;

  ShardsTest() {
    core::Limits limits;
    limits.max_pools = 8;
    std::vector<Gate*> gates;
    for (std::size_t i = 0; i < kShards; ++i) {
      stories_.push_back(std::make_unique<core::testing::Story>(limits));
      gates_.push_back(std::make_unique<Gate>(&stories_.back()->core, &clock_));
      gates.push_back(gates_.back().get());
    }
    shards_ = std::make_unique<Shards>(gates);
  }

  // Returns where.
  std::size_t Open(const std::string& name, std::uint32_t workers = 1) {
    return shards_->OpenPool(name, [&](core::Core& core, core::Nanos now, std::size_t shard, std::uint64_t elsewhere) {
      core.OnOpenPool(now, core::kNobody, core::testing::SpecOf(name, workers), {}, elsewhere);
      elsewhere_ = elsewhere;
      return shard;
    });
  }
  void Terminate(const std::string& name) {
    shards_->gate(shards_->OfPool(name)).Enter([&](core::Core& core, core::Nanos now) {
      core.OnTerminate(now, core::SubscriberId{1}, name);
    });
  }
  core::HandleId SubmitIn(std::size_t shard, const std::string& pool) {
    return shards_->gate(shard).Enter([&](core::Core& core, core::Nanos now) {
      core::NewTask task{{9, ++last_low_}, {}};
      const core::HandleId id = task.id;
      core::TaskGroup group{.pool = pool, .function = "f", .options = std::make_shared<core::TaskOptions>()};
      std::vector<core::Refusal> refused;
      core.OnSubmit(now, group, {&task, 1}, &refused);
      EXPECT_TRUE(refused.empty());
      return id;
    });
  }

  FixedClock clock_;
  std::vector<std::unique_ptr<core::testing::Story>> stories_;
  std::vector<std::unique_ptr<Gate>> gates_;
  std::unique_ptr<Shards> shards_;
  std::uint64_t elsewhere_ = 0;
  std::uint64_t last_low_ = 0;
};

TEST_F(ShardsTest, ANewPoolGoesWhereTheFewestWorkersAreWanted) {
  const std::size_t large = Open("large", 8);
  const std::size_t small = Open("small", 2);
  const std::size_t third = Open("third", 4);
  EXPECT_EQ((std::set<std::size_t>{large, small, third}).size(), kShards);
  EXPECT_EQ(elsewhere_, 2u);
  EXPECT_EQ(Open("next", 1), small);
  EXPECT_EQ(elsewhere_, 2u);
  EXPECT_EQ(Open("another", 4), small);
  EXPECT_EQ(Open("last", 1), third);
}

TEST_F(ShardsTest, ANameStaysWhereItIsAsLongAsItIsKnown) {
  const std::size_t first = Open("p", 4);
  EXPECT_EQ(Open("p", 4), first);
  Terminate("p");
  EXPECT_EQ(Open("p", 1), first);  // there its end is remembered
  EXPECT_EQ(shards_->OfPool("p"), first);
}

TEST_F(ShardsTest, NamesOfPoolsThatNobodyShowsAnyMoreAreForgotten) {
  Open("kept");
  const std::size_t kept = shards_->OfPool("kept");
  for (int i = 0; i < 2000; ++i) {
    const std::string name = absl::StrCat("passing-", i);
    Open(name);
    Terminate(name);
  }
  EXPECT_EQ(shards_->OfPool("kept"), kept);
  EXPECT_LT(shards_->names(), 600u);
}

TEST_F(ShardsTest, AHandleIsFoundWhereverItLies) {
  std::vector<core::HandleId> ids;
  std::vector<std::size_t> where;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::string pool = absl::StrCat("pool-", i);
    where.push_back(Open(pool));
    ids.push_back(SubmitIn(where.back(), pool));
  }
  EXPECT_EQ(shards_->OfHandles(ids), where);
  // Released while it was queued: remembered there.
  shards_->gate(where[1]).Enter([&](core::Core& core, core::Nanos now) {
    EXPECT_TRUE(core.OnCancel(now, ids[1], true).ok());
    EXPECT_TRUE(core.OnRelease(now, ids[1]));
    EXPECT_EQ(core.Knows(ids[1]), core::Known::kReleased);
  });
  EXPECT_EQ(shards_->OfHandles(ids), where);
  EXPECT_LT(shards_->OfHandle({4, 711}), kShards);
}

TEST_F(ShardsTest, AnIdThatCarriesItsShardIsLookedForNowhere) {
  const std::size_t there = Open("p");
  const core::HandleId id{wire::MarkHigh(9), wire::MarkLow(1, there + 1)};
  const std::uint64_t entries = shards_->entries();
  EXPECT_EQ(shards_->OfHandle(id), there);
  EXPECT_EQ(shards_->entries(), entries);
  EXPECT_TRUE(shards_->CheckTold(id, "p", "id").ok());
  const std::size_t elsewhere = Open("q");
  ASSERT_NE(elsewhere, there);
  EXPECT_TRUE(absl::IsInvalidArgument(shards_->CheckTold(id, "q", "id")));
  EXPECT_TRUE(shards_->CheckTold(id, "nowhere", "id").ok());
  // Of a daemon that had more shards.
  EXPECT_FALSE(shards_->Told({wire::MarkHigh(9), wire::MarkLow(1, kShards + 1)}));
}

TEST_F(ShardsTest, AnIdIsClaimedForOneShardAtATime) {
  const std::size_t here = Open("p");
  const std::size_t there = Open("q");
  ASSERT_NE(here, there);
  const core::HandleId id{5, 1};
  const core::HandleId used = SubmitIn(here, "p");
  std::vector<absl::Status> why;
  {
    const ClaimedIds first = shards_->Claim(std::vector<Shards::NewId>{{id, here}}, &why);
    EXPECT_TRUE(why[0].ok());
    const ClaimedIds again = shards_->Claim(std::vector<Shards::NewId>{{id, here}, {id, there}, {used, there}}, &why);
    EXPECT_TRUE(why[0].ok());
    EXPECT_TRUE(absl::IsAlreadyExists(why[1]));
    EXPECT_TRUE(absl::IsAlreadyExists(why[2]));
  }
  const ClaimedIds later = shards_->Claim(std::vector<Shards::NewId>{{id, there}, {used, here}}, &why);
  EXPECT_TRUE(why[0].ok());
  EXPECT_TRUE(why[1].ok());
}

TEST_F(ShardsTest, AnIdThatCarriesItsShardNeedsNoClaim) {
  const std::size_t there = Open("p");
  const std::uint64_t entries = shards_->entries();
  std::vector<absl::Status> why;
  const core::HandleId id{wire::MarkHigh(9), wire::MarkLow(1, there + 1)};
  const ClaimedIds claimed = shards_->Claim(std::vector<Shards::NewId>{{id, there}}, &why);
  EXPECT_TRUE(why[0].ok());
  EXPECT_EQ(shards_->entries(), entries);
}

TEST_F(ShardsTest, ThreadsOpenPoolsAndLookForThem) {
  constexpr int kThreads = 4;
  constexpr int kPools = 200;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kPools; ++i) {
        const std::string name = absl::StrCat("pool-", thread, "-", i);
        shards_->OpenPool(name, [&](core::Core& core, core::Nanos now, std::size_t, std::uint64_t) {
          core.OnOpenPool(now, core::kNobody, core::testing::SpecOf(name, 1));
        });
        const std::size_t shard = shards_->OfPool(name);
        shards_->gate(shard).Enter([&](core::Core& core, core::Nanos now) {
          // The bound of pools may have refused it; then nobody knows it.
          if (core.KnowsPool(name)) core.OnTerminate(now, core::SubscriberId{1}, name);
        });
        if (shards_->OfHandle({7, static_cast<std::uint64_t>(i)}) >= kShards) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LT(shards_->names(), 600u);
}

}  // namespace
}  // namespace poold::engine
