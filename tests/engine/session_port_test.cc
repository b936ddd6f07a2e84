// Large batches of a session are cut: others get in between, and what follows in the batch comes after it.
#include "engine/session_port.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "../core/fakes.h"
#include "engine/engine.h"

namespace poold::engine {
namespace {

class SecondClock final : public base::Clock {
 public:
  std::int64_t Now() const override { return core::kSecond; }
  std::int64_t WallNow() const override { return core::kSecond; }
};

class CancelledTasks final : public Subscriber {
 public:
  void OnOutcome(core::HandleId task, core::OutcomePtr outcome) override {
    if (outcome->state == core::TaskState::kCancelled) ids.insert(task);
  }
  void Flush() override {}
  std::set<core::HandleId> ids;
};

class SessionPortTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kTasks = 10'000;
  static constexpr std::uint64_t kSlices = (kTasks + core::kSlice - 1) / core::kSlice;

  SessionPortTest() {
    processes_.core = &core_;
    engine_.Attach({&gate_});
    gate_.AddOutbox(&engine_.shard(0));
    gate_.Enter(
        [](core::Core& core, core::Nanos now) { core.OnOpenPool(now, core::kNobody, core::testing::SpecOf("p", 1)); });
    port_.Enter(session_, {});
    port_.Greet(core::ClientId{1});
    Apply();
  }

  static core::HandleId IdOf(std::size_t i) { return {7, i}; }
  void AddTasks() {
    batch_.tasks.resize(kTasks);
    for (std::size_t i = 0; i < kTasks; ++i) batch_.tasks[i].id = IdOf(i);
    Batch::Tasks tasks{.begin = 0, .count = kTasks};
    tasks.group.client = core::ClientId{1};
    tasks.group.pool = "p";
    tasks.group.function = "f";
    tasks.group.options = std::make_shared<core::TaskOptions>();
    batch_.groups.push_back(tasks);
  }
  void AddRequest(Batch::HandleRequest::What what) {
    batch_.handle_requests.push_back({.what = what, .first = IdOf(0), .count = kTasks});
  }
  // Returns how often the core was entered for it.
  std::uint64_t Apply() {
    const std::uint64_t before = gate_.entries();
    port_.Apply(session_, &batch_, [this] { return ++done_, false; });
    return gate_.entries() - before;
  }

  SecondClock clock_;
  Engine engine_{1, &clock_};
  core::testing::FakeProcesses processes_;
  core::Core core_{{}, &processes_, &engine_.shard(0), 1};
  Gate gate_{&core_, &clock_};
  std::shared_ptr<CancelledTasks> session_ = std::make_shared<CancelledTasks>();
  SessionPort port_{&engine_, [](const core::HandleId&) { return false; }};
  Batch batch_;
  int done_ = 0;
};

TEST_F(SessionPortTest, ALargeSubmissionEntersSliceBySlice) {
  AddTasks();
  EXPECT_EQ(Apply(), kSlices);
  EXPECT_TRUE(batch_.refused.empty());
  EXPECT_EQ(core_.ViewPool("p")->stats.queued, kTasks);
}

TEST_F(SessionPortTest, WhatFollowsInTheBatchComesAfterAllOfIt) {
  AddTasks();
  AddRequest(Batch::HandleRequest::What::kCancel);
  AddRequest(Batch::HandleRequest::What::kRelease);
  done_ = 0;
  EXPECT_LE(Apply(), 3 * kSlices);
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(session_->ids.size(), kTasks);
  EXPECT_EQ(core_.Knows(IdOf(kTasks - 1)), core::Known::kReleased);
}

}  // namespace
}  // namespace poold::engine
