// How well a map is cut, in virtual time: the automatic size beside the two that Python's users choose between.
//
// The model: a chunk costs its worker kChunkCost (what it takes to come and go), whoever cut it. The others are as
// Python's pools run them: a chunk goes to the worker that is free first, and stays there.
#include <random>

#include "fakes.h"

namespace poold::core::testing {
namespace {

constexpr std::uint32_t kWorkers = 2;
constexpr Nanos kMicrosecond = 1000;
// Of multiprocessing.Pool on a small machine; ours is less.
constexpr Nanos kChunkCost = 10 * kMicrosecond;
// How often the daemon takes what busy workers have finished, of all of them.
constexpr Nanos kEventBatch = 2 * kMillisecond;

using Costs = std::vector<Nanos>;  // of each item

// Until the last item is done.
Nanos FixedChunks(const Costs& costs, std::size_t chunk) {
  Nanos free_at[kWorkers] = {};
  for (std::size_t begin = 0; begin < costs.size(); begin += chunk) {
    Nanos& worker = *std::min_element(free_at, free_at + kWorkers);
    worker += kChunkCost;
    for (std::size_t i = begin; i < std::min(begin + chunk, costs.size()); ++i) worker += costs[i];
  }
  return *std::max_element(free_at, free_at + kWorkers);
}

Nanos Formula(const Costs& costs) { return FixedChunks(costs, (costs.size() + 4 * kWorkers - 1) / (4 * kWorkers)); }

// The core's own cut, with workers that live in virtual time.
class AutomaticChunks {
 public:
  explicit AutomaticChunks(const Costs& costs) : costs_(costs) {}

  Nanos Run() {
    story_.Open("p", kWorkers);
    std::vector<std::string> items;
    for (std::size_t i = 0; i < costs_.size(); ++i) items.push_back(std::to_string(i));
    EXPECT_TRUE(story_.Map(kMap, "p", "f", items).ok());
    const Nanos begin = story_.now;
    while (!story_.MapOf(kMap).done) Step();
    return story_.now - begin;
  }

 private:
  struct Pace {
    Nanos ends_at = kNever;  // of the item that runs
    Nanos began_at = 0;
    AttemptToken chunk{};
  };

  void Step() {
    for (auto& [id, worker] : story_.processes.workers) Begin(worker);
    FakeWorker* next = nullptr;
    for (auto& [id, worker] : story_.processes.workers) {
      if (next == nullptr || paces_[id].ends_at < paces_[next->id].ends_at) next = &worker;
    }
    Pace& pace = paces_[next->id];
    ASSERT_NE(pace.ends_at, kNever) << "nobody runs, and the map is not done";
    story_.Pass(std::max<Nanos>(0, pace.ends_at - story_.now));
    if (pace.ends_at > story_.now) return;
    pace.ends_at = kNever;
    story_.processes.End(*next, true, story_.now - pace.began_at);
    if (!next->work.empty() && story_.now - harvested_at_ < kEventBatch) return;
    harvested_at_ = story_.now;
    for (auto& [id, worker] : story_.processes.workers) story_.processes.Deliver(story_.now, id);
  }
  void Begin(FakeWorker& worker) {
    if (!story_.processes.Begin(worker)) return;
    Pace& pace = paces_[worker.id];
    const FakeWork& work = worker.work.front();
    const Nanos cost = costs_[std::stoull(std::string(work.Item(work.finished)))];
    const bool first = std::exchange(pace.chunk, work.what.token) != work.what.token;
    pace.began_at = story_.now + (first ? kChunkCost : 0);
    pace.ends_at = pace.began_at + cost;
  }

  const Costs& costs_;
  Story story_;
  std::map<WorkerId, Pace> paces_;
  Nanos harvested_at_ = 0;
};

double TimesAsFast(Nanos ours, Nanos theirs) { return static_cast<double>(theirs) / static_cast<double>(ours); }

// Never far behind the better of the two.
void ExpectGood(const Costs& costs) {
  const Nanos automatic = AutomaticChunks(costs).Run();
  EXPECT_GE(TimesAsFast(automatic, Formula(costs)), 0.95);
  EXPECT_GE(TimesAsFast(automatic, FixedChunks(costs, 1)), 0.95);
}

// Ahead of both.
void ExpectBetter(const Costs& costs) {
  const Nanos automatic = AutomaticChunks(costs).Run();
  EXPECT_GE(TimesAsFast(automatic, Formula(costs)), 1.05);
  EXPECT_GE(TimesAsFast(automatic, FixedChunks(costs, 1)), 1.05);
}

TEST(AutomaticChunks, AreGoodForManyTinyItems) { ExpectGood(Costs(50'000, kMicrosecond)); }

TEST(AutomaticChunks, AreGoodForItemsOfATenthOfAMillisecond) { ExpectGood(Costs(5'000, 100 * kMicrosecond)); }

TEST(AutomaticChunks, AreGoodForLongItems) { ExpectGood(Costs(100, 20 * kMillisecond)); }

TEST(AutomaticChunks, AreGoodForFewItems) { ExpectGood(Costs(5, kMillisecond)); }

TEST(AutomaticChunks, AreBetterWhenTheLongItemsComeLast) {
  Costs costs(20'000, 10 * kMicrosecond);
  costs.insert(costs.end(), 400, 2 * kMillisecond);
  ExpectBetter(costs);
}

TEST(AutomaticChunks, AreBetterWhenTheLongItemsComeFirst) {
  Costs costs(400, 2 * kMillisecond);
  costs.insert(costs.end(), 20'000, 10 * kMicrosecond);
  ExpectBetter(costs);
}

// Mostly tiny ones and a few long ones, anywhere.
Costs Mixed(std::uint32_t seed) {
  std::mt19937 random(seed);
  Costs costs;
  for (int i = 0; i < 9'000; ++i) costs.push_back((random() % 1000 < 997 ? 20 : 25'000) * kMicrosecond);
  return costs;
}

TEST(AutomaticChunks, AreBetterForMixedItems) {
  Nanos automatic = 0, formula = 0, one = 0;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    const Costs costs = Mixed(seed);
    automatic += AutomaticChunks(costs).Run();
    formula += Formula(costs);
    one += FixedChunks(costs, 1);
  }
  EXPECT_GE(TimesAsFast(automatic, formula), 1.05);
  EXPECT_GE(TimesAsFast(automatic, one), 1.05);
}

}  // namespace
}  // namespace poold::core::testing
