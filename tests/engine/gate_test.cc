// One mutex around the core; outboxes are written when it is left.
#include "engine/gate.h"

#include <gtest/gtest.h>
#include <unistd.h>

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

#ifdef POOLD_QUIET_CALLS
TEST_F(GateTest, WhoMakesASystemCallUnderTheMutexDies) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(gate_.Enter([](core::Core&, core::Nanos) { close(-1); }), "under the core's mutex: close");
  outbox_.on_flush = [](core::Nanos) { close(-1); };
  gate_.Enter([](core::Core&, core::Nanos) {});
}
#endif

#ifndef NDEBUG
TEST_F(GateTest, WhoFreesAPayloadUnderTheMutexDies) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(gate_.Enter([](core::Core&, core::Nanos) { core::Bytes(std::string(100, 'x')); }),
               "under the core's mutex: the end of a payload");
}
#endif

TEST_F(GateTest, WhatTheCoreDropsGoesWhenTheMutexIsLeft) {
  story_.Open("p");
  story_.Submit("p", "f");  // the only worker is busy
  std::vector<bool> quiet;  // when each payload went
  const std::string text(100, 'x');
  core::HandleId task;
  gate_.Enter([&](core::Core& core, core::Nanos now) {
    const std::shared_ptr<const void> owner(&text, [&](const void*) { quiet.push_back(base::Quiet::Holds()); });
    core::NewTask fresh{core.NewHandle(), {core::Encoding::kRaw, nullptr, core::Bytes(owner, text)}};
    task = fresh.id;
    core::TaskGroup group;
    group.pool = "p";
    group.function = "f";
    std::vector<core::Refusal> refused;
    core.OnSubmit(now, group, {&fresh, 1}, &refused);
    EXPECT_TRUE(refused.empty());
    EXPECT_TRUE(base::Quiet::Holds());
  });
  EXPECT_TRUE(quiet.empty());
  gate_.Enter([&](core::Core& core, core::Nanos now) {
    EXPECT_TRUE(*core.OnCancel(now, task, /*running=*/false));
    EXPECT_TRUE(core.OnRelease(now, task));
    EXPECT_TRUE(quiet.empty());
  });
  EXPECT_EQ(quiet, std::vector<bool>{false});
}

}  // namespace
}  // namespace poold::engine
