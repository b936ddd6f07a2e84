// Messages and values of the core, there and back.
#include "rpc/convert.h"

#include <gtest/gtest.h>

#include "core/errors.h"
#include "google/rpc/error_details.pb.h"
#include "rpc/errors.h"
#include "rpc/uploads.h"

namespace poold::rpc {
namespace {

TEST(Convert, AnIdIsTwoBigEndianNumbers) {
  const core::HandleId id{0x0102030405060708, 0x1112131415161718};
  EXPECT_EQ(IdBytes(id), std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18", 16));
  EXPECT_EQ(ParseId(IdBytes(id)), id);
  EXPECT_FALSE(ParseId("short"));
}

TEST(Convert, DurationsAreCheckedAndCut) {
  google::protobuf::Duration duration;
  duration.set_seconds(1);
  duration.set_nanos(5);
  EXPECT_EQ(ReadDuration(duration, "f").value(), core::kSecond + 5);
  duration.set_seconds(315'576'000'000);
  EXPECT_EQ(ReadDuration(duration, "f").value(), core::kNever);
  duration.set_seconds(-1);
  EXPECT_EQ(core::DetailOf(ReadDuration(duration, "f").status()).subject, "f");
  duration.set_seconds(0);
  duration.set_nanos(1'000'000'000);
  EXPECT_FALSE(ReadDuration(duration, "f").ok());
}

TEST(Convert, OptionsHaveTheirDefaults) { EXPECT_EQ(ReadTaskOptions(v1::TaskOptions()).value(), core::TaskOptions()); }

TEST(Convert, RetriesAreReadAsAskedFor) {
  v1::TaskOptions options;
  options.set_max_attempts(3);
  options.add_retry_on(v1::TASK_STATE_FAILED);
  const core::TaskOptions read = ReadTaskOptions(options).value();
  EXPECT_EQ(read.max_attempts, 3u);
  EXPECT_EQ(read.retry_on, 1u << v1::TASK_STATE_FAILED);
  options.add_retry_on(v1::TASK_STATE_SUCCEEDED);
  EXPECT_EQ(core::DetailOf(ReadTaskOptions(options).status()).subject, "options.retry_on");
  options.clear_retry_on();
  options.set_max_attempts(0);
  EXPECT_EQ(core::DetailOf(ReadTaskOptions(options).status()).subject, "options.max_attempts");
}

TEST(Convert, ASpecComesBackAsItWasGiven) {
  v1::PoolSpec spec;
  spec.set_name("p-1.x_y");
  spec.set_workers(3);
  spec.add_modules("examples");
  spec.set_start_method(v1::START_METHOD_SPAWN);
  spec.add_preload("warm");
  spec.set_initializer("init");
  spec.mutable_initializer_args()->set_encoding(v1::ENCODING_RAW);
  spec.mutable_initializer_args()->set_data("x");
  spec.set_max_tasks_per_worker(7);
  spec.mutable_stop_grace()->set_seconds(0);
  (*spec.mutable_environment())["A"] = "b";
  spec.set_working_directory("/tmp");
  spec.set_nice(3);
  core::PoolView view;
  view.spec = ReadPoolSpec(spec, ServiceOptions()).value();
  v1::Pool back;
  struct FixedClock : base::Clock {
    std::int64_t Now() const override { return 0; }
    std::int64_t WallNow() const override { return 0; }
  } clock;
  WritePool(view, WallTime(clock), &back);
  spec.mutable_initializer_args()->set_size_bytes(1);
  EXPECT_EQ(back.spec().SerializeAsString(), spec.SerializeAsString());
}

TEST(Errors, EachKindCarriesItsDetails) {
  const google::rpc::Status full = ToProto(core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL", "full",
                                                           "max_queued_tasks", core::kSecond / 2));
  ASSERT_EQ(full.details_size(), 3);
  google::rpc::ErrorInfo info;
  google::rpc::QuotaFailure quota;
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(full.details(0).UnpackTo(&info));
  ASSERT_TRUE(full.details(1).UnpackTo(&quota));
  ASSERT_TRUE(full.details(2).UnpackTo(&retry));
  EXPECT_EQ(info.reason(), "QUEUE_FULL");
  EXPECT_EQ(info.domain(), "poold");
  EXPECT_EQ(quota.violations(0).subject(), "max_queued_tasks");
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(Errors, MessagesAreShortValidAndWithoutBacktraces) {
  const std::string words = "it threw: no\n  #0 thrower at a.cc:1\n  #1 main";
  EXPECT_EQ(ToProto(absl::InternalError(words)).message(), "it threw: no");
  EXPECT_LT(ToProto(absl::InternalError(std::string(100'000, 'x'))).message().size(), 1100u);
  EXPECT_EQ(ToUtf8("gr\xc3\xbc\xff\xc3"), "gr\xc3\xbc??");
  EXPECT_EQ(ToUtf8("\xed\xa0\x80"), "???");
}

TEST(Uploads, WaitForTheirTimeOnly) {
  UploadStore store(10, core::kSecond);
  ASSERT_TRUE(store.Reserve(8, 0).ok());
  store.Keep({1, 2}, "12345678", 0);
  EXPECT_FALSE(store.Reserve(8, core::kSecond / 2).ok());
  EXPECT_TRUE(store.Reserve(8, core::kSecond).ok());
  EXPECT_FALSE(store.Take(IdBytes({1, 2})).ok());
}

TEST(Uploads, WhatWasRefusedMayBeTakenAgain) {
  UploadStore store(10, core::kSecond);
  ASSERT_TRUE(store.Reserve(3, 0).ok());
  store.Keep({1, 2}, "abc", 0);
  core::Bytes bytes = store.Take(IdBytes({1, 2})).value();
  EXPECT_EQ(store.used_bytes(), 0u);
  store.GiveBack(IdBytes({1, 2}), std::move(bytes), 0);
  EXPECT_EQ(store.Take(IdBytes({1, 2})).value().view(), "abc");
}

}  // namespace
}  // namespace poold::rpc
