#include "core/scheduler/worker_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "core/worker.h"

namespace poold::core {
namespace {

constexpr std::size_t kPlace = 2;

std::vector<std::unique_ptr<Worker>> Workers(std::uint64_t count) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint64_t id = 1; id <= count; ++id) {
    workers.push_back(std::make_unique<Worker>());
    workers.back()->id = WorkerId{id};
  }
  return workers;
}

TEST(WorkerOrder, TheLeastIsFirstAndAmongEqualsTheOneThatWasStartedFirst) {
  const auto workers = Workers(3);
  WorkerOrder order(kPlace);
  EXPECT_EQ(order.First(), nullptr);
  order.Put(*workers[2], 5);
  order.Put(*workers[1], 5);
  order.Put(*workers[0], 7);
  EXPECT_EQ(order.First(), workers[1].get());
  order.Put(*workers[0], 4);
  EXPECT_EQ(order.First(), workers[0].get());
  EXPECT_EQ(order.FirstNumber(), 4);
  order.TakeOut(*workers[0]);
  order.TakeOut(*workers[0]);  // it need not be there
  EXPECT_FALSE(order.Holds(*workers[0]));
  EXPECT_EQ(order.Below(8), (std::vector{workers[1].get(), workers[2].get()}));
}

TEST(WorkerOrder, IsWhatASortedSetWouldBe) {
  const auto workers = Workers(200);
  WorkerOrder order(kPlace);
  std::set<std::pair<std::int64_t, WorkerId>> model;
  std::vector<std::int64_t> numbers(workers.size(), -1);
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t which = random() % workers.size();
    Worker& worker = *workers[which];
    if (numbers[which] >= 0) model.erase({numbers[which], worker.id});
    numbers[which] = random() % 3 == 0 ? -1 : static_cast<std::int64_t>(random() % 50);
    if (numbers[which] < 0) {
      order.TakeOut(worker);
    } else {
      order.Put(worker, numbers[which]);
      model.insert({numbers[which], worker.id});
    }
    ASSERT_TRUE(order.Check());
    ASSERT_EQ(order.size(), model.size());
    const std::int64_t limit = static_cast<std::int64_t>(random() % 50);
    std::set<WorkerId> below;
    for (const auto& [number, id] : model) {
      if (number < limit) below.insert(id);
    }
    const std::vector<Worker*> found = order.Below(limit);
    ASSERT_TRUE(std::equal(found.begin(), found.end(), below.begin(), below.end(),
                           [](const Worker* worker, WorkerId id) { return worker->id == id; }));
    if (model.empty()) continue;
    ASSERT_EQ(order.First()->id, model.begin()->second);
    ASSERT_EQ(order.FirstNumber(), model.begin()->first);
  }
}

}  // namespace
}  // namespace poold::core
