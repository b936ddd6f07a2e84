// One mutex around the core; outboxes are written when it is left.
#include "engine/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "../core/fakes.h"

namespace poold::engine {
namespace {

class StillClock final : public base::Clock {
 public:
  std::int64_t Now() const override { return now; }
  std::int64_t WallNow() const override { return now; }
  std::int64_t now = core::kSecond;
};

class CallingOutbox final : public Outbox {
 public:
  void Flush(core::Nanos next_timer) override { on_flush(next_timer); }
  std::function<void(core::Nanos)> on_flush = [](core::Nanos) {};
};

class GateTest : public ::testing::Test {
 protected:
  GateTest() { gate_.AddOutbox(&outbox_); }

  core::testing::Story story_;
  StillClock clock_;
  CallingOutbox outbox_;
  Gate gate_{&story_.core, &clock_};
};

TEST_F(GateTest, AnEventGetsTheCoreAndTheTimeAndItsAnswerComesBack) {
  const core::Nanos seen = gate_.Enter([this](core::Core& core, core::Nanos now) {
    EXPECT_EQ(&core, &story_.core);
    return now;
  });
  EXPECT_EQ(seen, core::kSecond);
}

TEST_F(GateTest, EntriesAreCounted) {
  for (int i = 0; i < 3; ++i) gate_.Enter([](core::Core&, core::Nanos) {});
  EXPECT_EQ(gate_.entries(), 3u);
}

TEST_F(GateTest, ThreadsEnterOneAtATime) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 2'000;
  int events = 0;  // guarded by nothing but the gate
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEvents; ++n) {
        gate_.Enter([&](core::Core& core, core::Nanos) {
          core.NewHandle();
          ++events;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(events, kThreads * kEvents);
}

TEST_F(GateTest, AnOutboxIsFlushedAfterTheMutexIsLeft) {
  std::vector<std::string> order;
  std::atomic<bool> first = true;
  outbox_.on_flush = [&](core::Nanos) {
    if (!first.exchange(false)) return;
    // It would never end if the mutex were still held.
    std::thread([&] { gate_.Enter([&](core::Core&, core::Nanos) { order.push_back("another thread"); }); }).join();
    order.push_back("flushed");
  };
  gate_.Enter([&](core::Core&, core::Nanos) { order.push_back("event"); });
  EXPECT_EQ(order, (std::vector<std::string>{"event", "another thread", "flushed"}));
}

TEST_F(GateTest, FlushIsToldWhenTheCoreIsDueNext) {
  std::vector<core::Nanos> timers;
  outbox_.on_flush = [&](core::Nanos next) { timers.push_back(next); };
  gate_.Enter([](core::Core&, core::Nanos) {});
  story_.Open("p");
  core::HandleId task;
  gate_.Enter([&](core::Core& core, core::Nanos now) {
    core::NewTask fresh{core.NewHandle(), {}};
    task = fresh.id;
    core::TaskGroup group;
    group.pool = "p";
    group.function = "f";
    auto options = std::make_shared<core::TaskOptions>();
    options->start_delay = core::kSecond;
    group.options = options;
    std::vector<core::Refusal> refused;
    core.OnSubmit(now, group, {&fresh, 1}, &refused);
    EXPECT_TRUE(refused.empty());
  });
  EXPECT_EQ(timers, (std::vector<core::Nanos>{core::kNever, 2 * core::kSecond}));
}

}  // namespace
}  // namespace poold::engine
