// Messages and values of the core, there and back.
#include "api/convert.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "api/errors.h"
#include "api/uploads.h"
#include "core/errors.h"
#include "core/option_fields.h"
#include "google/rpc/error_details.pb.h"
#include "wire/readable.h"

namespace poold::api {
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

struct FixedClock final : base::Clock {
  std::int64_t Now() const override { return 0; }
  std::int64_t WallNow() const override { return 100 * core::kSecond; }
};

// Every field set, none to its default.
v1::PoolSpec WholeSpec() {
  v1::PoolSpec spec;
  spec.set_name("p-1.x_y");
  spec.set_workers(3);
  spec.add_modules("examples");
  spec.set_program("odd_worker");
  spec.set_start_method(v1::START_METHOD_FRESH);
  spec.add_preload("warm");
  spec.set_initializer("init");
  spec.mutable_initializer_args()->set_encoding(v1::ENCODING_RAW);
  spec.mutable_initializer_args()->set_data("x");
  spec.mutable_initializer_args()->set_size_bytes(1);
  spec.set_max_tasks_per_worker(7);
  spec.set_max_queued_tasks(8);
  spec.set_max_queued_bytes(9);
  spec.mutable_stop_grace()->set_seconds(0);
  (*spec.mutable_environment())["A"] = "b";
  spec.set_working_directory("/tmp");
  spec.set_nice(3);
  spec.set_max_worker_rss_bytes(10);
  spec.mutable_max_worker_age()->set_seconds(11);
  spec.set_memory_limit_bytes(12);
  for (const auto kind : {v1::RESOURCE_KIND_OPEN_FILES, v1::RESOURCE_KIND_CORE_BYTES}) {
    v1::ResourceLimit* limit = spec.add_resource_limits();
    limit->set_kind(kind);
    limit->set_value(kind == v1::RESOURCE_KIND_CORE_BYTES ? 0 : 64);
  }
  spec.set_on_owner_lost(v1::OWNER_LOST_CLOSE);
  spec.set_death_policy(v1::DEATH_POLICY_STRICT);
  spec.set_spares(0);
  spec.set_allow_exec(true);
  spec.mutable_start_timeout()->set_seconds(90);
  return spec;
}

ServiceOptions WithExec() {
  ServiceOptions options;
  options.allow_exec = true;
  return options;
}

TEST(Convert, ASpecComesBackAsItWasGiven) {
  const v1::PoolSpec spec = WholeSpec();
  const google::protobuf::Reflection& fields = *spec.GetReflection();
  for (int i = 0; i < spec.GetDescriptor()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = spec.GetDescriptor()->field(i);
    EXPECT_TRUE(field->is_repeated() ? fields.FieldSize(spec, field) > 0 : fields.HasField(spec, field))
        << field->name() << " is not looked at";
  }
  v1::PoolSpec back;
  WritePoolSpec(ReadPoolSpec(spec, WithExec()).value(), &back);
  EXPECT_EQ(back.SerializeAsString(), spec.SerializeAsString());
}

TEST(Convert, WhatASpecDoesNotSayHasItsDefault) {
  v1::PoolSpec spec;
  spec.set_name("p");
  spec.set_workers(3);
  core::PoolSpec read = ReadPoolSpec(spec, ServiceOptions()).value();
  EXPECT_EQ(read.spares, 0u);
  EXPECT_EQ(read.max_worker_age, core::kNever);
  EXPECT_EQ(read.death_policy, core::DeathPolicy::kResilient);
  EXPECT_EQ(read.on_owner_lost, core::OwnerLost::kKeep);
  spec.set_start_method(v1::START_METHOD_FRESH);
  EXPECT_EQ(ReadPoolSpec(spec, ServiceOptions())->spares, 3u);
  v1::PoolSpec back;
  WritePoolSpec(read, &back);
  EXPECT_FALSE(back.has_max_worker_rss_bytes() || back.has_max_worker_age() || back.has_memory_limit_bytes());
  EXPECT_FALSE(back.has_spares());
}

TEST(Convert, ASpecThatCannotBeIsRefusedByFieldWithWhatIsPossible) {
  struct Case {
    std::string field;
    std::string advice;
    std::function<void(v1::PoolSpec*)> spoil;
  };
  const auto limit = [](int kind, std::uint64_t value) {
    return [kind, value](v1::PoolSpec* spec) {
      spec->add_resource_limits()->set_kind(static_cast<v1::ResourceKind>(kind));
      spec->mutable_resource_limits(spec->resource_limits_size() - 1)->set_value(value);
    };
  };
  const std::vector<Case> cases = {
      {"spec.max_worker_rss_bytes", "at least 1", [](v1::PoolSpec* spec) { spec->set_max_worker_rss_bytes(0); }},
      {"spec.memory_limit_bytes", "at least 1", [](v1::PoolSpec* spec) { spec->set_memory_limit_bytes(0); }},
      {"spec.max_worker_age", "longer than zero",
       [](v1::PoolSpec* spec) { spec->mutable_max_worker_age()->set_seconds(0); }},
      {"spec.max_worker_age", "negative", [](v1::PoolSpec* spec) { spec->mutable_max_worker_age()->set_seconds(-1); }},
      {"spec.resource_limits[2].kind", "1 to 7", limit(0, 1)},
      {"spec.resource_limits[2].kind", "1 to 7", limit(8, 1)},
      {"spec.resource_limits[2].kind", "give one", limit(v1::RESOURCE_KIND_OPEN_FILES, 5)},
      {"spec.resource_limits[2].value", "between 1 and", limit(v1::RESOURCE_KIND_CPU_SECONDS, 0)},
      {"spec.resource_limits[2].value", "between 1 and", limit(v1::RESOURCE_KIND_CPU_SECONDS, 1ull << 63)},
      {"spec.start_method", "0 to 3",
       [](v1::PoolSpec* spec) { spec->set_start_method(static_cast<v1::StartMethod>(4)); }},
      {"spec.on_owner_lost", "0 to 3",
       [](v1::PoolSpec* spec) { spec->set_on_owner_lost(static_cast<v1::OwnerLost>(9)); }},
      {"spec.death_policy", "0 to 2",
       [](v1::PoolSpec* spec) { spec->set_death_policy(static_cast<v1::DeathPolicy>(-1)); }},
      {"spec.spares", "between 0 and 4096", [](v1::PoolSpec* spec) { spec->set_spares(4097); }},
      {"spec.spares", "START_METHOD_FRESH",
       [](v1::PoolSpec* spec) {
         spec->set_start_method(v1::START_METHOD_FORK);
         spec->set_spares(1);
       }},
  };
  for (const Case& one : cases) {
    v1::PoolSpec spec = WholeSpec();
    one.spoil(&spec);
    const absl::Status status = ReadPoolSpec(spec, WithExec()).status();
    EXPECT_EQ(core::DetailOf(status).subject, one.field);
    EXPECT_EQ(core::DetailOf(status).reason, "INVALID_FIELD");
    EXPECT_NE(std::string(status.message()).find(one.advice), std::string::npos) << status.message();
  }
}

TEST(Convert, ExecIsRefusedWithTheKeyThatWouldAllowIt) {
  const absl::Status status = ReadPoolSpec(WholeSpec(), ServiceOptions()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(core::DetailOf(status).reason, "EXEC_NOT_ALLOWED");
  EXPECT_NE(std::string(status.message()).find("allow_exec = true"), std::string::npos);
}

template <typename Owner>
void ExpectEachOnce(std::span<const option::Option> rows, std::span<const core::OptionField<Owner>> fields) {
  for (const option::Option& row : rows) {
    EXPECT_EQ(std::count_if(fields.begin(), fields.end(), [&row](const auto& field) { return field.option == &row; }),
              1)
        << row.name;
  }
}

TEST(Convert, EachOptionHasAMemberOfTheCore) {
  ExpectEachOnce<core::TaskOptions>(option::kTaskOptions, core::TaskFields());
  ExpectEachOnce<core::PoolSpec>(option::kPoolOptions, core::PoolFields());
}

// Every option, none with its default.
v1::TaskOptions WholeTaskOptions() {
  v1::TaskOptions options;
  const google::protobuf::Reflection& fields = *options.GetReflection();
  for (const option::Option& row : option::kTaskOptions) {
    const auto* field = options.GetDescriptor()->FindFieldByName(std::string(row.name));
    switch (row.kind) {
      case option::Kind::kFlag:
        fields.SetBool(&options, field, true);
        break;
      case option::Kind::kDuration:
        static_cast<google::protobuf::Duration*>(fields.MutableMessage(&options, field))->set_seconds(field->number());
        break;
      case option::Kind::kChoices:
        for (const int word : {0, 2}) fields.AddEnumValue(&options, field, row.first_number + word);
        break;
      case option::Kind::kNumber:
        if (row.min < 0) fields.SetInt32(&options, field, static_cast<int>(row.min));
        if (row.min >= 0) fields.SetUInt32(&options, field, static_cast<std::uint32_t>(row.min + 1));
        break;
      case option::Kind::kText:
        fields.SetString(&options, field, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");  // any check's
        break;
      default:
        ADD_FAILURE() << row.name << " is of a kind that this test does not know";
    }
  }
  return options;
}

TEST(Convert, OptionsComeBackAsTheyWereGiven) {
  const v1::TaskOptions options = WholeTaskOptions();
  const core::TaskOptions read = ReadTaskOptions(options).value();
  v1::TaskOptions back;
  WriteTaskOptions(read, &back);
  EXPECT_EQ(back.SerializeAsString(), options.SerializeAsString());
  EXPECT_EQ(read.queue_timeout, core::kSecond);
  EXPECT_EQ(read.priority, -100);
  EXPECT_EQ(read.max_attempts, 2u);
  EXPECT_EQ(read.retry_on, 1u << v1::TASK_STATE_FAILED | 1u << v1::TASK_STATE_TIMED_OUT);
}

TEST(Convert, ATaskTellsWhereItIsAndHowFar) {
  engine::ClientNames names;
  names.Learn(core::ClientId{7}, "nightly");
  core::TaskView view;
  view.id = {1, 2};
  view.state = core::TaskState::kRunning;
  view.progress = core::ProgressView{.index = 0, .fraction = 0.5, .text = "half \xff"};
  view.client = core::ClientId{7};
  view.submitted_at = core::kSecond;
  view.started_at = 2 * core::kSecond;
  view.worker = core::WorkerId{11};
  view.attempt = 3;
  view.priority = -4;
  v1::Task task;
  WriteTask(view, {WallTime(FixedClock()), names}, 0, &task);
  EXPECT_EQ(task.progress().id(), IdBytes({1, 2}));
  EXPECT_EQ(task.progress().fraction(), 0.5);
  EXPECT_EQ(task.progress().text(), "half ?");
  EXPECT_EQ(task.client(), "nightly");
  EXPECT_EQ(task.submitted_at().seconds(), 101);
  EXPECT_EQ(task.started_at().seconds(), 102);
  EXPECT_EQ(task.worker_id(), 11u);
  EXPECT_EQ(task.attempt(), 3u);
  EXPECT_EQ(task.priority(), -4);
  core::MapView map;
  map.client = core::ClientId{0xab};
  map.submitted_at = core::kSecond;
  map.priority = 5;
  map.running_items = 6;
  v1::MapProgress progress;
  WriteMap(map, {WallTime(FixedClock()), names}, &progress);
  EXPECT_EQ(progress.client(), "00000000000000ab");
  EXPECT_EQ(progress.submitted_at().seconds(), 101);
  EXPECT_EQ(progress.priority(), 5);
  EXPECT_EQ(progress.running_items(), 6u);
}

TEST(Convert, ADeathIsToldWhole) {
  core::Outcome outcome;
  outcome.state = core::TaskState::kCrashed;
  outcome.detail = std::make_unique<core::OutcomeDetail>();
  for (const auto killed_by : {core::KilledBy::kMemoryLimit, core::KilledBy::kKernel}) {
    outcome.detail->death = core::DeathCertificate();
    outcome.detail->death->killed_by = killed_by;
    outcome.detail->death->backtrace = "#0 f\n#1 main";
    outcome.detail->death->worker = core::WorkerId{9};
    v1::Outcome out;
    WriteOutcome(outcome, WallTime(FixedClock()), 0, &out);
    EXPECT_EQ(out.death().killed_by(),
              killed_by == core::KilledBy::kKernel ? v1::KILLED_BY_KERNEL : v1::KILLED_BY_MEMORY_LIMIT);
    EXPECT_EQ(out.death().backtrace(), "#0 f\n#1 main");
    EXPECT_EQ(out.death().worker_id(), 9u);
  }
}

TEST(Convert, APoolTellsOfItsWorkersFunctionsAndReloads) {
  core::PoolView view;
  view.workers.emplace_back();
  view.workers[0].running = {3, 4};
  view.workers[0].rss_bytes = 5;
  view.stats.recycled = 6;
  view.stats.reloads = 7;
  view.stats.rollbacks = 8;
  view.generation = 9;
  view.reloading = true;
  view.reload_failure = "no such symbol";
  view.function_states.push_back({"f", 10, core::kSecond, 11, 12 * core::kSecond});
  v1::Pool pool;
  WritePool(view, WallTime(FixedClock()), &pool);
  EXPECT_EQ(pool.workers(0).running(), IdBytes({3, 4}));
  EXPECT_EQ(pool.workers(0).rss_bytes(), 5u);
  EXPECT_EQ(pool.stats().recycled(), 6u);
  EXPECT_EQ(pool.stats().reloads(), 7u);
  EXPECT_EQ(pool.stats().rollbacks(), 8u);
  EXPECT_EQ(pool.generation(), 9u);
  EXPECT_TRUE(pool.reloading());
  EXPECT_EQ(pool.reload_failure(), "no such symbol");
  ASSERT_EQ(pool.function_states_size(), 1);
  EXPECT_EQ(pool.function_states(0).calls(), 10u);
  EXPECT_EQ(pool.function_states(0).average_time().seconds(), 1);
  EXPECT_EQ(pool.function_states(0).deaths_in_a_row(), 11u);
  EXPECT_EQ(pool.function_states(0).breaker_open_for().seconds(), 12);
}

TEST(Convert, AClientSeesAllFunctionsOfAPool) {
  core::PoolView view;
  for (int i = 0; i < 400; ++i) {
    view.functions.push_back("some::name_space::of_a_program::function_" + std::to_string(1000 + i));
    view.function_states.push_back({view.functions.back(), 1, 1, 0, 0});
  }
  v1::Pool pool;
  WritePool(view, WallTime(FixedClock()), &pool);
  EXPECT_EQ(pool.functions_size(), 400);
  EXPECT_EQ(pool.function_states_size(), 400);
  EXPECT_EQ(pool.function_count(), 400u);
  v1::Pool listed;
  WritePool(view, WallTime(FixedClock()), {.list_bytes = 1000, .text_bytes = 100}, &listed);
  EXPECT_LT(listed.functions_size(), 30);
  EXPECT_EQ(listed.function_count(), 400u) << "it says that some are missing";
}

TEST(Convert, APoolSaysWhyItsWorkersAreMissing) {
  core::PoolView view;
  view.start_failure = "Too many open files";
  v1::Pool pool;
  WritePool(view, WallTime(FixedClock()), &pool);
  EXPECT_EQ(pool.start_failure(), "Too many open files");
}

TEST(Convert, AnEnvironmentIsCodeUnlessTheConfigurationAllowsItByName) {
  v1::PoolSpec spec;
  spec.set_name("p");
  (*spec.mutable_environment())["LANG"] = "C";
  (*spec.mutable_environment())["POOLD_ADDRESS"] = "unix:/other";
  EXPECT_TRUE(ReadPoolSpec(spec, ServiceOptions()).ok());
  (*spec.mutable_environment())["LD_PRELOAD"] = "/tmp/mine.so";
  const absl::Status refused = ReadPoolSpec(spec, ServiceOptions()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(core::DetailOf(refused).reason, "ENVIRONMENT_NOT_ALLOWED");
  EXPECT_EQ(core::DetailOf(refused).subject, "LD_PRELOAD");
  EXPECT_NE(refused.message().find("allowed_environment = [\"LD_PRELOAD\"]"), absl::string_view::npos) << refused;
  ServiceOptions options;
  options.allowed_environment = {"PATH"};
  EXPECT_FALSE(ReadPoolSpec(spec, options).ok());
  options.allowed_environment = {"LD_PRELOAD"};
  EXPECT_TRUE(ReadPoolSpec(spec, options).ok());
}

TEST(Convert, AStartTimeoutIsKeptAndZeroIsNone) {
  v1::PoolSpec spec;
  spec.set_name("p");
  EXPECT_EQ(ReadPoolSpec(spec, ServiceOptions())->start_timeout, 0);
  spec.mutable_start_timeout()->set_seconds(7);
  EXPECT_EQ(ReadPoolSpec(spec, ServiceOptions())->start_timeout, 7 * core::kSecond);
  spec.mutable_start_timeout()->set_seconds(0);
  EXPECT_EQ(core::DetailOf(ReadPoolSpec(spec, ServiceOptions()).status()).subject, "spec.start_timeout");
}

TEST(Convert, AnExplanationTellsEveryAttempt) {
  engine::ClientNames names;
  core::TaskView task;
  task.id = {1, 2};
  auto outcome = std::make_shared<core::Outcome>();
  outcome->state = core::TaskState::kFailed;
  outcome->detail = std::make_unique<core::OutcomeDetail>();
  outcome->detail->failure = core::Failure{.type = "t", .message = "m", .backtrace = "#0 f"};
  outcome->detail->stdout_tail = "printed";
  task.outcome = outcome;
  core::Explanation why;
  why.handle = task;
  why.options = std::make_shared<const core::TaskOptions>(core::TaskOptions{.priority = 5});
  why.waits_for = "a worker";
  why.ahead = 6;
  why.attempts.push_back(
      {1, core::WorkerId{7}, 8, 9, core::kSecond, 2 * core::kSecond, core::TaskState::kCrashed, "died"});
  why.attempts.push_back({2, core::WorkerId{10}, 11, 12, 3 * core::kSecond, 0, core::TaskState::kRunning, ""});
  v1::ExplainResponse out;
  WriteExplanation(why, {WallTime(FixedClock()), names}, &out);
  EXPECT_EQ(out.entry().task().outcome().failure().backtrace(), "#0 f");
  EXPECT_TRUE(out.entry().task().outcome().stdout_tail().empty());
  EXPECT_EQ(out.options().priority(), 5);
  EXPECT_EQ(out.waits_for(), "a worker");
  EXPECT_EQ(out.ahead(), 6u);
  ASSERT_EQ(out.attempts_size(), 2);
  EXPECT_EQ(out.attempts(0).number(), 1u);
  EXPECT_EQ(out.attempts(0).worker_id(), 7u);
  EXPECT_EQ(out.attempts(0).worker_pid(), 8);
  EXPECT_EQ(out.attempts(0).generation(), 9u);
  EXPECT_EQ(out.attempts(0).ended_at().seconds(), 102);
  EXPECT_EQ(out.attempts(0).state(), v1::TASK_STATE_CRASHED);
  EXPECT_EQ(out.attempts(0).reason(), "died");
  EXPECT_FALSE(out.attempts(1).has_ended_at());
}

TEST(Convert, EntriesOfAListAreShort) {
  engine::ClientNames names;
  core::TaskView task;
  auto outcome = std::make_shared<core::Outcome>();
  outcome->detail = std::make_unique<core::OutcomeDetail>();
  outcome->detail->failure = core::Failure{
      .type = std::string(9000, 't'), .message = std::string(9000, 'm'), .backtrace = std::string(9000, 'b')};
  outcome->detail->death = core::DeathCertificate{.backtrace = std::string(9000, 'b')};
  outcome->detail->stderr_tail = std::string(4096, 'e');
  outcome->result.data = core::Bytes(std::string(9000, 'r'));
  outcome->state = core::TaskState::kSucceeded;
  task.outcome = outcome;
  task.progress = core::ProgressView{.text = std::string(9000, 'p')};
  v1::TaskEntry entry;
  WriteEntry(task, {WallTime(FixedClock()), names}, true, &entry);
  EXPECT_LT(entry.ByteSizeLong(), 1024u);
  EXPECT_NE(entry.task().outcome().failure().message(), "");
}

TEST(ClientNames, NamesAreShownAndFoundAgain) {
  engine::ClientNames names;
  names.Learn(core::ClientId{1}, "poolctl");
  names.Learn(core::ClientId{2}, "poolctl");
  names.Learn(core::ClientId{3}, std::string(200, 'x') + "\n");
  names.Learn(core::ClientId{4}, "");
  names.Learn(core::ClientId{5}, "a\nb\xff");
  EXPECT_EQ(names.Shown(core::ClientId{1}), "poolctl");
  EXPECT_EQ(names.Shown(core::ClientId{3}), std::string(64, 'x'));
  EXPECT_EQ(names.Shown(core::ClientId{4}), "0000000000000004");
  EXPECT_EQ(names.Shown(core::ClientId{5}), "a?b?");
  EXPECT_EQ(names.Shown(core::ClientId{}), "");
  EXPECT_EQ(names.WithName("poolctl").size(), 2u);
  EXPECT_EQ(names.WithName("0000000000000004"), std::vector<core::ClientId>{core::ClientId{4}});
  // Shown by its name, so not to be found by its number.
  EXPECT_TRUE(names.WithName("0000000000000001").empty());
  EXPECT_TRUE(names.WithName("4").empty());
}

TEST(ClientNames, TheOneHeardOfLongestAgoIsForgottenFirst) {
  engine::ClientNames names;
  for (std::uint64_t i = 1; i <= engine::ClientNames::kMaxNames; ++i) names.Learn(core::ClientId{i}, "n");
  names.Learn(core::ClientId{1}, "n");
  names.Learn(core::ClientId{1'000'000}, "n");
  EXPECT_EQ(names.Shown(core::ClientId{1}), "n");
  EXPECT_EQ(names.Shown(core::ClientId{2}), "0000000000000002");
  EXPECT_EQ(names.WithName("n").size(), engine::ClientNames::kMaxNames);
}

TEST(Errors, EachKindCarriesItsDetails) {
  const google::rpc::Status full =
      ToProto(core::MakeError(reason::kQueueFull, "full", "max_queued_tasks", core::kSecond / 2));
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

TEST(Errors, EveryReasonPassesThrough) {
  for (const reason::Reason* reason : reason::kAll) {
    const google::rpc::Status status = ToProto(core::MakeError(*reason, "words", "thing"));
    ASSERT_GE(status.details_size(), 1);
    google::rpc::ErrorInfo info;
    ASSERT_TRUE(status.details(0).UnpackTo(&info));
    EXPECT_EQ(info.reason(), reason->name);
    EXPECT_EQ(status.code(), static_cast<int>(reason->code));
    EXPECT_EQ(info.metadata().at("subject"), "thing");
  }
}

TEST(Errors, MessagesAreShortValidAndWithoutBacktraces) {
  const std::string words = "it threw: no\n  #0 thrower at a.cc:1\n  #1 main";
  EXPECT_EQ(ToProto(absl::InternalError(words)).message(), "it threw: no");
  EXPECT_LT(ToProto(absl::InternalError(std::string(100'000, 'x'))).message().size(), 1100u);
  EXPECT_EQ(wire::ToUtf8("gr\xc3\xbc\xff\xc3"), "gr\xc3\xbc??");
  EXPECT_EQ(wire::ToUtf8("\xed\xa0\x80"), "???");
}

TEST(Uploads, WaitForTheirTimeOnly) {
  UploadStore store(10, core::kSecond);
  ASSERT_TRUE(store.Reserve(8, 0).ok());
  ASSERT_TRUE(store.Keep({1, 2}, core::Bytes("12345678"), 0).ok());
  EXPECT_FALSE(store.Reserve(8, core::kSecond / 2).ok());
  EXPECT_TRUE(store.Reserve(8, core::kSecond).ok());
  EXPECT_FALSE(store.Take(IdBytes({1, 2})).ok());
}

TEST(Uploads, WhoSendsNothingIsCutOffWhenTheRoomIsWanted) {
  UploadStore store(10, core::kSecond);
  int cut = 0;
  const auto stalled = std::make_shared<UploadStore::UnderWay>();
  stalled->cut = [&] {
    ++cut;
    store.Abandon(8);
  };
  const auto busy = std::make_shared<UploadStore::UnderWay>();
  busy->cut = [] { FAIL() << "it sends"; };
  store.Begin(stalled);
  store.Begin(busy);
  ASSERT_TRUE(store.Reserve(8, 0).ok());
  busy->progress_at = 9 * core::kSecond;
  EXPECT_FALSE(store.Reserve(8, core::kSecond).ok());
  EXPECT_EQ(cut, 0) << "it may go on yet";
  EXPECT_FALSE(store.Reserve(8, 10 * core::kSecond).ok());
  EXPECT_EQ(cut, 1);
  EXPECT_TRUE(store.Reserve(8, 10 * core::kSecond).ok());
}

// A store with one upload of three bytes.
class RefusedUploads : public ::testing::Test {
 protected:
  RefusedUploads() {
    EXPECT_TRUE(store_.Reserve(3, 0).ok());
    EXPECT_TRUE(store_.Keep({1, 2}, core::Bytes("abc"), 0).ok());
  }
  void Refuse(const absl::Status& why) {
    core::Bytes bytes = store_.Take(id_).value();
    EXPECT_EQ(store_.used_bytes(), 0u);
    store_.GiveBack(id_, std::move(bytes), why, 0);
  }

  const std::string id_ = IdBytes({1, 2});
  UploadStore store_{10, core::kSecond};
};

TEST_F(RefusedUploads, WhatWasRefusedForNowMayBeTakenAgain) {
  Refuse(core::MakeError(reason::kQueueFull, "full", "", core::kSecond));
  EXPECT_EQ(store_.used_bytes(), 3u);
  EXPECT_EQ(store_.Take(id_).value().view(), "abc");
}

TEST_F(RefusedUploads, WhatWasRefusedForGoodIsDropped) {
  Refuse(core::MakeError(reason::kFunctionNotFound, "no"));
  EXPECT_EQ(store_.used_bytes(), 0u);
  EXPECT_FALSE(store_.Take(id_).ok());
  EXPECT_LE(store_.next_expiry(), 0);
  store_.DropExpired(0);
  EXPECT_EQ(store_.next_expiry(), core::kNever);
}

TEST_F(RefusedUploads, ADropMakesRoomAtOnce) {
  EXPECT_TRUE(store_.Drop({1, 2}));
  EXPECT_FALSE(store_.Drop({1, 2}));
  EXPECT_TRUE(store_.Reserve(10, 0).ok());
  EXPECT_FALSE(store_.Take(id_).ok());
}

}  // namespace
}  // namespace poold::api
