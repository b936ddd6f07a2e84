#include "cli/live/top_view.h"

#include <gtest/gtest.h>

#include "cli/live/terminal.h"

namespace poold::cli {
namespace {

TopLook LookAt(double at, uint64_t succeeded) {
  TopLook look{.at = at, .now = 1000 + at};
  v1::Pool& pool = *look.pools.add_pools();
  pool.mutable_spec()->set_name("demo");
  pool.set_state(v1::POOL_STATE_RUNNING);
  pool.set_generation(2);
  pool.mutable_stats()->set_succeeded(succeeded);
  pool.mutable_stats()->set_queued(3);
  v1::Worker& worker = *pool.add_workers();
  worker.set_id(7);
  worker.set_generation(2);
  worker.set_pid(4711);
  worker.set_state(v1::WORKER_STATE_BUSY);
  worker.set_function("square");
  worker.set_rss_bytes(64 << 20);
  worker.mutable_started_at()->set_seconds(1000);
  return look;
}

void AddTask(TopLook& look, const std::string& function, int64_t started) {
  v1::Task& task = *look.tasks.add_entries()->mutable_task();
  task.set_id(std::string(16, 'x'));
  task.set_function(function);
  task.mutable_started_at()->set_seconds(started);
}

bool Has(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

TEST(TopView, ARateIsTheDifferenceOfTwoLooks) {
  const std::string text = TopText(LookAt(10, 100), LookAt(12, 300));
  EXPECT_TRUE(Has(text, "PER SECOND")) << text;
  EXPECT_TRUE(Has(text, "demo  running    2        1       3        0         100")) << text;
}

TEST(TopView, TheFirstLookHasNoRate) {
  const std::string text = TopText(TopLook(), LookAt(12, 300));
  EXPECT_TRUE(Has(text, "demo  running    2        1       3        0           -")) << text;
}

TEST(TopView, AWorkerShowsWhatItRunsAndWhatItHolds) {
  const std::string text = TopText(TopLook(), LookAt(12, 300));
  EXPECT_TRUE(Has(text, "     7  demo  4711  busy     2  12 s  64 MiB      0  square")) << text;
}

TEST(TopView, TheSlowestTaskComesFirst) {
  TopLook look = LookAt(60, 0);
  AddTask(look, "quick", 1055);
  AddTask(look, "slow", 1010);
  const std::string text = TopText(TopLook(), look);
  ASSERT_TRUE(Has(text, "slow") && Has(text, "quick")) << text;
  EXPECT_LT(text.find("slow "), text.find("quick")) << text;
  EXPECT_TRUE(Has(text, "50 s")) << text;
}

TEST(Screen, WhatDoesNotFitIsCut) {
  EXPECT_EQ(Cut("abc\ndefgh\nijk\n", 2, 4), "abc\ndefg\n");
  EXPECT_EQ(Cut("Grüße", 5, 3), "Grü\n");
}

}  // namespace
}  // namespace poold::cli
