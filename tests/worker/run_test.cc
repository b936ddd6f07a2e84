// A worker at work: claims, outcomes, failures, crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using wire::RecordKind;

class RunTest : public ::testing::Test {
 protected:
  template <typename... Args>
  static TestTask Task(const std::string& function, const Args&... args) {
    return {.function = function, .args = EncodeArguments(args...)};
  }
  std::unique_ptr<TestZygote> zygote_ = TestingZygote();
  std::unique_ptr<TestWorker> worker_ = zygote_->MakeWorker();
};

TEST_F(RunTest, ATaskReturnsItsResult) {
  const Heard outcome = worker_->Call(Task("repeat", "ab", 3));
  EXPECT_EQ(outcome.kind, RecordKind::kResult);
  EXPECT_EQ(outcome.encoding, internal::ENCODING_MSGPACK);
  EXPECT_EQ(*codec::Decode<std::string>(outcome.bytes), "ababab");
}

TEST_F(RunTest, RawBytesTravelAsTheyAre) {
  const std::string bytes("\0\xff\x91", 3);
  const Heard outcome = worker_->Call({.function = "echo", .args = bytes, .encoding = internal::ENCODING_RAW});
  EXPECT_EQ(outcome.bytes, bytes);
  EXPECT_EQ(outcome.encoding, internal::ENCODING_RAW);
  EXPECT_EQ(worker_->Call(Task("echo", Bytes{"abc"})).bytes, "abc");
}

TEST_F(RunTest, AnyValueComesBackAsItWent) {
  const std::string args = EncodeArguments(std::map<std::string, std::vector<double>>{{"a", {1.5, 2}}, {"b", {}}});
  EXPECT_EQ(worker_->Call({.function = "echo_value", .args = args}).bytes, args.substr(1));
}

TEST_F(RunTest, AChunkRunsItemByItem) {
  TestTask chunk{.function = "identity"};
  for (int i = 0; i < 1000; ++i) chunk.items.push_back(EncodeArguments(i));
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  worker_->WaitForOutcomes(1000);
  const std::vector<Heard> outcomes = worker_->OutcomesOf(ticket);
  ASSERT_EQ(outcomes.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(outcomes[i].item, static_cast<std::uint32_t>(i));
    EXPECT_EQ(*codec::Decode<int>(outcomes[i].bytes), i);
  }
}

TEST_F(RunTest, OneBadItemFailsAlone) {
  TestTask chunk{.function = "identity", .items = {EncodeArguments(1), EncodeArguments("x"), EncodeArguments(3)}};
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  worker_->WaitForOutcomes(3);
  const std::vector<Heard> outcomes = worker_->OutcomesOf(ticket);
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].kind, RecordKind::kResult);
  EXPECT_EQ(outcomes[1].kind, RecordKind::kFailure);
  EXPECT_EQ(outcomes[2].kind, RecordKind::kResult);
}

TEST_F(RunTest, WrongArgumentsAreNamedByFunctionPositionAndTypes) {
  internal::Failure failure = worker_->Failing(Task("repeat", "ab", "three"));
  EXPECT_EQ(failure.type(), "poold.ArgumentError");
  EXPECT_EQ(failure.message(), "repeat: argument 2: wanted uint32, given string");
  EXPECT_EQ(worker_->Failing(Task("repeat", "ab", -1)).message(),
            "repeat: argument 2: wanted uint32, given integer -1");
  EXPECT_EQ(worker_->Failing(Task("repeat", "ab")).message(), "repeat: wanted 2 arguments, given 1");
  EXPECT_EQ(worker_->Failing({.function = "repeat", .args = "\xdd\xff\xff\xff\xff"}).message(),
            "repeat: malformed MessagePack");
  EXPECT_EQ(worker_->Failing({.function = "repeat", .args = "\xc1"}).message(), "repeat: malformed MessagePack");
  EXPECT_EQ(worker_->Failing({.function = "noop", .args = "", .encoding = internal::ENCODING_RAW}).message(),
            "noop: wanted arguments encoded as msgpack, given raw");
}

TEST_F(RunTest, AnIntegralFloatCountsAsAnInteger) {
  const std::string half_and_seven[] = {std::string("\x91\xcb\x40\x1c\0\0\0\0\0\0", 10),
                                        std::string("\x91\xcb\x40\x1e\0\0\0\0\0\0", 10)};
  EXPECT_EQ(*codec::Decode<int>(worker_->Call({.function = "identity", .args = half_and_seven[0]}).bytes), 7);
  EXPECT_THAT(worker_->Failing({.function = "identity", .args = half_and_seven[1]}).message(),
              HasSubstr("wanted int64, given float 7.5"));
}

TEST_F(RunTest, AnExceptionBringsTypeMessageAndTheThrowersName) {
  const internal::Failure failure = worker_->Failing(Task("throw", "it broke"));
  EXPECT_EQ(failure.type(), "std::runtime_error");
  EXPECT_EQ(failure.message(), "it broke");
  EXPECT_THAT(failure.backtrace(), HasSubstr("throw_text"));
  EXPECT_THAT(failure.backtrace(), Not(HasSubstr("WorkerLoop")));
  const internal::Failure number = worker_->Failing(Task("throw_number", 5));
  EXPECT_EQ(number.type(), "long");
  EXPECT_THAT(number.backtrace(), HasSubstr("throw_number"));
}

TEST_F(RunTest, AReturnedStatusIsAFailureWithItsCode) {
  const internal::Failure failure = worker_->Failing(Task("divide", 1, 0));
  EXPECT_EQ(failure.type(), "absl::Status");
  EXPECT_EQ(failure.message(), "division by zero");
  EXPECT_EQ(failure.status_code(), 3);
  EXPECT_EQ(*codec::Decode<int>(worker_->Call(Task("divide", 6, 3)).bytes), 2);
}

TEST_F(RunTest, StructsTravelAsMapsAndAreReadFromArrays) {
  using Person = std::tuple<std::string, int, std::optional<std::string>, std::vector<std::string>>;
  const std::string result = worker_->Call(Task("birthday", Person{"Ada", 36, std::nullopt, {"math"}})).bytes;
  bool is_map = false;
  ASSERT_TRUE(codec::VisitValue(result, [&](const msgpack::object& value) {
                is_map = value.type == msgpack::type::MAP && value.via.map.size == 4;
              }).ok());
  EXPECT_TRUE(is_map);
  EXPECT_EQ(worker_->Failing(Task("birthday", Person{"Ada", 300, std::nullopt, {}})).message(),
            "birthday: argument 1: wanted uint8, given integer 300 at .age");
}

TEST_F(RunTest, TheAttemptNumberReachesTheFunction) {
  TestTask task = Task("flaky", 3);
  EXPECT_THAT(worker_->Failing(task).message(), HasSubstr("attempt 1"));
  task.attempt = 3;
  EXPECT_EQ(worker_->Call(task).kind, RecordKind::kResult);
}

TEST_F(RunTest, AnUnknownFunctionIsAFailure) {
  EXPECT_EQ(worker_->Failing({.function = "no such function"}).type(), "poold.UnknownFunction");
}

TEST_F(RunTest, ALargeResultComesInFragments) {
  const Heard outcome = worker_->Call(Task("blob", 3'000'000));
  EXPECT_EQ(outcome.bytes, std::string(3'000'000, 'x'));
}

TEST_F(RunTest, ACrashLeavesTheOutcomesBeforeItAndOneClaim) {
  std::vector<TestTask> tasks;
  for (int i = 0; i < 64; ++i) tasks.push_back(i == 20 ? Task("crash", SIGSEGV) : Task("identity", i));
  const std::vector<std::uint32_t> tickets = worker_->Run(tasks);
  EXPECT_EQ(WaitForExit(worker_->pid).signal, SIGSEGV);
  worker_->Drain();
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(worker_->OutcomesOf(tickets[i]).size(), i < 20 ? 1u : 0u) << i;
    EXPECT_EQ(wire::ReadClaim(worker_->page(), tickets[i]).cursor, i <= 20 ? 1u : 0u) << i;
  }
  worker_->pid = -1;
}

TEST_F(RunTest, TheGuiltyItemOfAChunkIsTheLastClaimed) {
  TestTask chunk{.function = "crash"};
  for (int i = 0; i < 10; ++i) chunk.items.push_back(EncodeArguments(i == 4 ? SIGKILL : 0));
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  EXPECT_EQ(WaitForExit(worker_->pid).signal, SIGKILL);
  worker_->Drain();
  EXPECT_EQ(worker_->OutcomesOf(ticket).size(), 4u);
  EXPECT_EQ(wire::ReadClaim(worker_->page(), ticket).cursor, 5u);
  worker_->pid = -1;
}

TEST_F(RunTest, ATaskThatCallsExitEndsTheWorkerWithThatCode) {
  const std::uint32_t ticket = worker_->Run({Task("exit", 41)})[0];
  EXPECT_EQ(WaitForExit(worker_->pid).code, 41);
  worker_->Drain();
  EXPECT_THAT(worker_->OutcomesOf(ticket), IsEmpty());
  worker_->pid = -1;
}

TEST_F(RunTest, WhatWasTakenBackDoesNotRun) {
  TestTask chunk{.function = "identity"};
  for (int i = 0; i < 10; ++i) chunk.items.push_back(EncodeArguments(i));
  const std::vector<std::uint32_t> tickets = worker_->Offer({Task("identity", 1), Task("identity", 2), chunk});
  EXPECT_EQ(wire::TakeBack(worker_->page(), tickets[0]), 1u);
  EXPECT_EQ(wire::TakeBack(worker_->page(), tickets[2], 3), 7u);
  worker_->Flush();
  worker_->WaitForOutcomes(4);
  EXPECT_EQ(worker_->OutcomesOf(tickets[0]).size(), 0u);
  EXPECT_EQ(worker_->OutcomesOf(tickets[1]).size(), 1u);
  EXPECT_EQ(worker_->OutcomesOf(tickets[2]).size(), 3u);
}

TEST_F(RunTest, StopEndsTheWorkerAfterWhatItHas) {
  const std::uint32_t ticket = worker_->Run({Task("sleep", 20)})[0];
  worker_->peer->Send(internal::FRAME_KIND_STOP, nullptr);
  EXPECT_EQ(WaitForExit(worker_->pid).code, 0);
  worker_->Drain();
  EXPECT_EQ(worker_->OutcomesOf(ticket).size(), 1u);
  worker_->pid = -1;
}

TEST_F(RunTest, ABellRingsWhenTheWorkerHasNothingMoreToDo) {
  worker_->Run({Task("noop")});
  EXPECT_EQ(worker_->peer->Receive().first, internal::FRAME_KIND_BELL);
}

TEST_F(RunTest, ABellRingsBeforeATaskThatMayBeLong) {
  worker_->Run({Task("noop"), Task("sleep", 600'000)});
  EXPECT_EQ(worker_->peer->Receive().first, internal::FRAME_KIND_BELL);
  worker_->WaitForOutcomes(1);
}

TEST_F(RunTest, TheEndOfTheChannelEndsAnIdleWorker) {
  worker_->peer->Close();
  EXPECT_EQ(WaitForExit(worker_->pid).code, 0);
  worker_->pid = -1;
}

TEST_F(RunTest, ListsThatDoNotFitTogetherEndTheWorker) {
  internal::Run run;
  run.add_ticket(wire::OfferTask(worker_->page(), 0, 1));
  run.add_args_bytes(100);
  worker_->peer->Send(internal::FRAME_KIND_RUN, &run, "short");
  EXPECT_EQ(WaitForExit(worker_->pid).code, 76);
  worker_->pid = -1;
}

TEST_F(RunTest, ProgramsOfATaskInheritNoDescriptorsOfOurs) {
  const std::string listed = *codec::Decode<std::string>(worker_->Call(Task("child_fds")).bytes);
  EXPECT_THAT(listed, HasSubstr(" 2 -> pipe"));
  EXPECT_THAT(listed, Not(HasSubstr("socket:")));
  EXPECT_THAT(listed, Not(HasSubstr("memfd:")));
}

TEST_F(RunTest, TheEnvironmentShowsNothingOfOurs) {
  const auto variables = *codec::Decode<std::map<std::string, std::string>>(worker_->Call(Task("env")).bytes);
  for (const auto& [name, value] : variables) EXPECT_THAT(name, Not(HasSubstr("POOLD_")));
}

}  // namespace
}  // namespace poold::worker_test
