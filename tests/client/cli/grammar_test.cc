#include "cli/grammar/grammar.h"

#include <gtest/gtest.h>

#include "cli/arguments.h"
#include "cli/grammar/declare.h"
#include "cli/grammar/option_flags.h"
#include "cli/grammar/resource_limits.h"
#include "poold/client/proto.h"
#include "poold/v1/task.pb.h"
#include "wire/spelling.h"

namespace poold::cli {
namespace {

// REQUIRES: the words make sense, and name this command.
template <typename Options>
Options Parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "poolctl");
  auto parsed = ParseCommandLine(static_cast<int>(words.size()), words.data());
  return std::get<Options>(std::get<CommandLine>(parsed).command);
}

// What it says on stderr of words that make none.
std::string Complaint(std::vector<const char*> words) {
  words.insert(words.begin(), "poolctl");
  ::testing::internal::CaptureStderr();
  auto parsed = ParseCommandLine(static_cast<int>(words.size()), words.data());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::get<ExitStatus>(parsed), ExitStatus::kUsage);
  return text;
}

TEST(Grammar, EverythingThatCanBeAskedOfATaskCanBeSaid) {
  const auto options = Parsed<SubmitOptions>(
      {"submit",        "f",   "--run-timeout",     "1s", "--queue-timeout", "2s",     "--total-timeout", "3s",
       "--start-delay", "4s",  "--attempts",        "5",  "--retry-on",      "failed", "--retry-on",      "TIMED_OUT",
       "--retry-delay", "6ms", "--max-retry-delay", "7s", "--priority",      "-8",     "--fresh"});
  const client::TaskOptions task = client::FromProto(options.task);
  EXPECT_EQ(task.run_timeout, std::chrono::seconds(1));
  EXPECT_EQ(task.queue_timeout, std::chrono::seconds(2));
  EXPECT_EQ(task.total_timeout, std::chrono::seconds(3));
  EXPECT_EQ(task.start_delay, std::chrono::seconds(4));
  EXPECT_EQ(task.max_attempts, 5u);
  EXPECT_EQ(task.retry_on, (std::vector{client::TaskState::kFailed, client::TaskState::kTimedOut}));
  EXPECT_EQ(task.retry_delay, std::chrono::milliseconds(6));
  EXPECT_EQ(task.max_retry_delay, std::chrono::seconds(7));
  EXPECT_EQ(task.priority, -8);
  EXPECT_TRUE(task.fresh);
}

TEST(Grammar, EachOptionOfTheContractHasItsFlag) {
  const Grammar grammar;
  const auto check = [&grammar](const char* command, std::span<const option::Option> rows) {
    for (const option::Option& row : rows) {
      const std::string flags(row.flag);
      if (flags.empty()) continue;
      const CLI::Option* const flag = grammar.Find(command)->get_option_no_throw(flags.substr(flags.rfind("--")));
      ASSERT_NE(flag, nullptr) << command << " " << flags;
      EXPECT_TRUE(flag->get_description().starts_with(std::string(row.help))) << flags;
    }
  };
  check("submit", option::kTaskOptions);
  check("map", option::kTaskOptions);
  check("map", option::kMapOptions);
  check("open", option::kPoolOptions);
}

TEST(Grammar, TheTraceComesFromTheEnvironmentIfItMakesSense) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  setenv("TRACEPARENT", trace.c_str(), 1);
  EXPECT_EQ(Parsed<SubmitOptions>({"submit", "f"}).task.traceparent(), trace);
  EXPECT_EQ(Parsed<MapOptions>({"map", "f", "--traceparent", other.c_str()}).task.traceparent(), other);
  setenv("TRACEPARENT", "nonsense", 1);
  EXPECT_EQ(Parsed<SubmitOptions>({"submit", "f"}).task.traceparent(), "");
  unsetenv("TRACEPARENT");
  EXPECT_NE(Complaint({"submit", "f", "--traceparent", "nonsense"}).find("W3C Trace Context"), std::string::npos);
}

TEST(Grammar, WhatWasAskedIsToldInWords) {
  const auto told = [](std::vector<const char*> words) {
    return ToldOptions(option::kTaskOptions, Parsed<SubmitOptions>(std::move(words)).task);
  };
  EXPECT_EQ(told({"submit", "f", "--max-attempts", "1", "--retry-on", "failed"}), "");
  EXPECT_EQ(told({"submit", "f", "--max-attempts", "3", "--run-timeout", "2s", "--fresh"}),
            "run timeout 2 s, up to 3 attempts, in a fresh worker");
}

TEST(Grammar, ArgumentsMayBeTextsWhateverTheyLookLike) {
  EXPECT_TRUE(Parsed<SubmitOptions>({"submit", "f", "--strings", "7"}).strings);
  EXPECT_EQ(*ArgumentsFromWords({"7", "[1]", "null"}, /*strings=*/true),
            "\x93\xa1"
            "7\xa3[1]\xa4null");
  EXPECT_EQ(*ArgumentsFromWords({"7"}), "\x91\x07");
}

TEST(Grammar, SizesHaveUnits) {
  EXPECT_EQ(SizeFromText("4096"), 4096u);
  EXPECT_EQ(SizeFromText("64K"), 64u << 10);
  EXPECT_EQ(SizeFromText("64MiB"), 64u << 20);
  EXPECT_EQ(SizeFromText("2g"), 2ull << 30);
  for (const char* text : {"", "M", "64X", "-1", "1.5G", "99999999999T"}) EXPECT_EQ(SizeFromText(text), std::nullopt);
  EXPECT_NE(Complaint({"open", "p", "--memory-limit", "lots"}).find("--memory-limit: wants bytes"), std::string::npos);
}

TEST(Grammar, CountsAreWholeNumbersThatFit) {
  EXPECT_EQ(Parsed<MapOptions>({"map", "f", "--chunk-size", "4294967295"}).map.chunk_size(), 4294967295u);
  EXPECT_EQ(Parsed<TasksOptions>({"tasks", "--limit", "18446744073709551615"}).limit, UINT64_MAX);
  EXPECT_EQ(Parsed<TasksOptions>({"tasks", "--limit", "010"}).limit, 10u);
  for (const char* text : {"-1", "4294967296", "4294967297", "18446744073709551615", "18446744073709551616", "1e9",
                           "0x10", "inf", "nan", "1.0", "+1", " 1", "", "0"}) {
    EXPECT_NE(Complaint({"map", "f", "--chunk-size", text}).find("wants a whole number from 1 to 4294967295; given: "),
              std::string::npos)
        << text;
  }
  for (const char* text : {"-1", "18446744073709551616", "0x10"}) {
    EXPECT_NE(Complaint({"tasks", "--limit", text}).find("--limit: wants a whole number"), std::string::npos) << text;
  }
  for (const char* text : {"-101", "101", "4294967296", "0x10", "1.0", "inf"}) {
    EXPECT_NE(Complaint({"submit", "f", "--priority", text}).find("--priority: wants"), std::string::npos) << text;
  }
  EXPECT_NE(Complaint({"resize", "p", "4294967296"}).find("WORKERS: wants"), std::string::npos);
}

TEST(Grammar, TimesAreBoundedAndNeverNegative) {
  const auto timeout = [](const char* text) {
    return client::FromProto(Parsed<SubmitOptions>({"submit", "f", "--run-timeout", text}).task).run_timeout;
  };
  EXPECT_EQ(timeout("0"), std::chrono::nanoseconds(0));
  EXPECT_EQ(timeout("2562047h"), std::chrono::hours(2562047));
  EXPECT_EQ(timeout("99999999999999h"), std::chrono::nanoseconds::max());
  EXPECT_EQ(timeout("inf"), std::chrono::nanoseconds::max());
  for (const char* text : {"-1s", "-inf", "nan", "1", "1e9s", ""}) {
    EXPECT_NE(Complaint({"submit", "f", "--run-timeout", text}).find("wants a time"), std::string::npos) << text;
  }
}

TEST(Grammar, LimitsHaveTheUnitOfTheirKind) {
  const auto open = Parsed<OpenOptions>(
      {"open", "p", "--limit", "open-files=64", "--limit", "address-space=2G", "--limit", "cpu=1500ms"});
  std::map<int, uint64_t> limits;
  for (const v1::ResourceLimit& limit : open.spec.resource_limits()) limits[limit.kind()] = limit.value();
  EXPECT_EQ(limits, (std::map<int, uint64_t>{{v1::RESOURCE_KIND_OPEN_FILES, 64},
                                             {v1::RESOURCE_KIND_ADDRESS_SPACE_BYTES, 2ull << 30},
                                             {v1::RESOURCE_KIND_CPU_SECONDS, 2}}));
  EXPECT_NE(Complaint({"open", "p", "--limit", "open-file=64"}).find("did you mean open-files?"), std::string::npos);
  EXPECT_NE(Complaint({"open", "p", "--limit", "open-files=2s"}).find("wants a number"), std::string::npos);
  // A kind that is new in the contract needs a name here.
  EXPECT_EQ(v1::ResourceKind_descriptor()->value_count(), 8);
}

TEST(Grammar, WordsThatLookLikeContainersStayAsTheyAre) {
  const auto map = Parsed<MapOptions>({"map", "exec", "--", "convert", "{}", "[1,2]", "-resize"});
  EXPECT_EQ(map.words, (std::vector<std::string>{"convert", "{}", "[1,2]", "-resize"}));
}

TEST(Grammar, APoolOfPoolctlHasNoOwner) {
  EXPECT_NE(Complaint({"open", "p", "--on-owner-lost", "close"}).find("poolctl leaves"), std::string::npos);
}

TEST(Grammar, ATypoGetsTheNearestCommand) {
  EXPECT_NE(Complaint({"expain"}).find("did you mean explain?"), std::string::npos);
  EXPECT_EQ(Complaint({"xyzzy"}).find("did you mean"), std::string::npos);
}

TEST(Spelling, TheNearestIsNear) {
  EXPECT_EQ(wire::Nearest("sqare", {"square", "share"}), "square");
  EXPECT_EQ(wire::Nearest("abc", {"xyz"}), "");
  EXPECT_EQ(wire::Nearest("ab", {"cd"}), "");
}

}  // namespace
}  // namespace poold::cli
