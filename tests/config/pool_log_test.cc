// What is logged when pools change between two looks.
#include "observe/pool_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace poold::observe {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

core::PoolView Pool(core::PoolState state, std::string failure = "") {
  core::PoolView pool;
  pool.spec.name = "images";
  pool.spec.workers = 2;
  pool.state = state;
  pool.failure = std::move(failure);
  return pool;
}

// The log goes to the real stderr, which the tests of one process share: capture around each look.
std::string LookAt(PoolLog* log, std::vector<core::PoolView> pools) {
  CaptureStderr();
  log->Look(pools);
  base::FlushLog();
  return GetCapturedStderr();
}

TEST(PoolLog, EachChangeIsOneLine) {
  PoolLog log;
  EXPECT_THAT(LookAt(&log, {Pool(core::PoolState::kStarting)}), HasSubstr("event=pool_starting pool=images workers=2"));
  EXPECT_TRUE(log.anything_moves());
  EXPECT_THAT(LookAt(&log, {Pool(core::PoolState::kRunning)}), HasSubstr("event=pool_running pool=images"));
  EXPECT_FALSE(log.anything_moves());
  EXPECT_EQ(LookAt(&log, {Pool(core::PoolState::kRunning)}), "");
}

TEST(PoolLog, MissingWorkersAreToldOnceAndAgainWhenTheyAreThere) {
  PoolLog log;
  core::PoolView pool = Pool(core::PoolState::kRunning);
  LookAt(&log, {pool});
  pool.start_failure = "Too many open files";
  EXPECT_THAT(LookAt(&log, {pool}),
              HasSubstr("event=pool_start_failed pool=images workers=2 why=\"Too many open files\""));
  pool.start_failure = "Too many open files, still";
  EXPECT_EQ(LookAt(&log, {pool}), "");
  pool.start_failure = "";
  EXPECT_THAT(LookAt(&log, {pool}), HasSubstr("event=pool_starts_again pool=images"));
}

TEST(PoolLog, AFailureIsLoggedWithItsReason) {
  PoolLog log;
  EXPECT_THAT(LookAt(&log, {Pool(core::PoolState::kFailed, "module 'x': no such file")}),
              HasSubstr("level=error event=pool_failed pool=images why=\"module 'x': no such file\""));
}

TEST(PoolLog, APoolThatIsOpenedAnewIsNew) {
  PoolLog log;
  LookAt(&log, {Pool(core::PoolState::kClosed)});
  EXPECT_EQ(LookAt(&log, {}), "");
  EXPECT_THAT(LookAt(&log, {Pool(core::PoolState::kRunning)}), HasSubstr("pool_running"));
}

}  // namespace
}  // namespace poold::observe
