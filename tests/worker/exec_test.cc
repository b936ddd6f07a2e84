// The built-in function that runs any program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::HasSubstr;
const std::optional<std::string> kNil;
using Argv = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

struct Ended {
  std::int32_t exit_status = 0;
  std::int32_t signal = 0;
  std::string out;
  std::string err;
};

class ExecTest : public ::testing::Test {
 protected:
  static internal::Setup Allowing() {
    internal::Setup setup = SetupWith({TESTING_MODULE});
    setup.set_allow_exec(true);
    setup.set_max_result_bytes(8 << 20);
    return setup;
  }
  template <typename... Args>
  Ended Exec(const Args&... args) {
    const Heard outcome = worker_->Call({.function = "exec", .args = EncodeArguments(args...)});
    EXPECT_EQ(outcome.kind, wire::RecordKind::kResult) << outcome.bytes;
    EXPECT_EQ(outcome.encoding, internal::ENCODING_MSGPACK);
    Ended ended;
    EXPECT_TRUE(codec::VisitValue(outcome.bytes, [&](const msgpack::object& value) {
                  auto fields = value.as<std::map<std::string, msgpack::object>>();
                  EXPECT_EQ(fields.at("stdout").type, msgpack::type::BIN);
                  ended = {fields.at("exit_status").as<int>(), fields.at("signal").as<int>(),
                           fields.at("stdout").as<std::string>(), fields.at("stderr").as<std::string>()};
                }).ok());
    return ended;
  }
  template <typename... Args>
  internal::Failure Failing(const Args&... args) {
    return worker_->Failing({.function = "exec", .args = EncodeArguments(args...)});
  }
  TestZygote zygote_{{.setup = Allowing()}};
  std::unique_ptr<TestWorker> worker_ = zygote_.MakeWorker();
};

TEST_F(ExecTest, AProgramRunsWithoutAShell) {
  const Ended ended = Exec(Argv{"printf", "%s|", "two words", "$HOME", ";"});
  EXPECT_EQ(ended.out, "two words|$HOME|;|");
  EXPECT_EQ(ended.exit_status, 0);
  EXPECT_EQ(ended.signal, 0);
}

TEST_F(ExecTest, ItsInputEnvironmentAndDirectoryAreAsAsked) {
  const Ended ended = Exec(Argv{"sh", "-c", "cat; echo $A $PATH >&2; pwd >&2"}, Bytes{std::string("i\0n", 3)},
                           Variables{{"A", "b"}}, "/tmp");
  EXPECT_EQ(ended.out, std::string("i\0n", 3));
  EXPECT_EQ(ended.err, "b /usr/bin:/bin\n/tmp\n");
  EXPECT_EQ(Exec(Argv{"cat"}).out, "") << "without input it reads none";
  EXPECT_EQ(Exec(Argv{"pwd"}, kNil, kNil, "/").out, "/\n");
}

TEST_F(ExecTest, HowItEndedIsTheResultNotAFailure) {
  EXPECT_EQ(Exec(Argv{"sh", "-c", "exit 3"}).exit_status, 3);
  const Ended killed = Exec(Argv{"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.exit_status, -1);
  EXPECT_EQ(killed.signal, SIGKILL);
}

TEST_F(ExecTest, WhatCannotBeStartedIsAFailureThatNamesItAndWhy) {
  const internal::Failure unknown = Failing(Argv{"no-such-program"});
  EXPECT_EQ(unknown.type(), "poold.ExecError");
  EXPECT_THAT(unknown.message(), HasSubstr("cannot start 'no-such-program': No such file or directory"));
  EXPECT_THAT(Failing(Argv{"/etc/passwd"}).message(), HasSubstr("Permission denied"));
  EXPECT_THAT(Failing(Argv{"ls"}, kNil, kNil, "/nowhere").message(),
              HasSubstr("cannot start 'ls' in '/nowhere': No such file or directory"));
}

TEST_F(ExecTest, WrongArgumentsAreNamed) {
  EXPECT_EQ(Failing(Argv{}).message(), "exec: argument 1: argv names no program");
  EXPECT_EQ(Failing("ls").message(), "exec: argument 1: wanted array of string, given string");
  EXPECT_THAT(Failing().message(), HasSubstr("wanted 1 to 4 arguments"));
  EXPECT_THAT(Failing(Argv{std::string("l\0s", 3)}).message(), HasSubstr("zero byte"));
  EXPECT_THAT(Failing(Argv{"ls"}, kNil, Variables{{"a=b", ""}}).message(), HasSubstr("'a=b' is no variable's name"));
}

TEST_F(ExecTest, InputAndOutputsLargerThanAnyPipeDoNotWaitForEachOther) {
  // As large as the limit lets it come back twice.
  const std::string input(3'000'000, 'x');
  std::thread reader([&] {
    // The daemon's part: what the task prints is read all the time.
    char part[65536];
    while (read(worker_->stdout_read.get(), part, sizeof part) > 0) {
    }
  });
  std::thread errors([&] {
    char part[65536];
    while (read(worker_->stderr_read.get(), part, sizeof part) > 0) {
    }
  });
  const Ended ended = Exec(Argv{"tee", "/dev/stderr"}, Bytes{input});
  EXPECT_EQ(ended.out, input);
  EXPECT_EQ(ended.err, input);
  worker_->peer->Close();
  EXPECT_EQ(WaitForExit(worker_->pid).code, 0);
  worker_->pid = -1;
  reader.join();
  errors.join();
}

TEST_F(ExecTest, AProgramThatDoesNotReadItsInputIsNotWaitedFor) {
  EXPECT_EQ(Exec(Argv{"true"}, Bytes{std::string(1'000'000, 'x')}).exit_status, 0);
}

TEST_F(ExecTest, MoreThanAResultMayHaveIsAFailureAndTheProgramIsKilled) {
  std::thread reader([&] {
    char part[65536];
    while (read(worker_->stdout_read.get(), part, sizeof part) > 0) {
    }
  });
  EXPECT_EQ(Failing(Argv{"yes"}).type(), "poold.ResultError");
  EXPECT_EQ(Exec(Argv{"echo", "still here"}).out, "still here\n");
  worker_->peer->Close();
  EXPECT_EQ(WaitForExit(worker_->pid).code, 0);
  worker_->pid = -1;
  reader.join();
}

TEST_F(ExecTest, ItsOutputIsAlsoTheTasksOutput) {
  const std::uint32_t ticket =
      worker_->Run({{.function = "exec", .args = EncodeArguments(Argv{"sh", "-c", "echo out; echo err >&2"})}})[0];
  worker_->WaitForOutcomes(1);
  EXPECT_EQ(worker_->OutputOf(ticket), "out\n");
  EXPECT_EQ(worker_->OutputOf(ticket, wire::RecordKind::kStderr), "err\n");
}

TEST_F(ExecTest, AProgramThatIsLeftInTheBackgroundIsNotWaitedFor) {
  EXPECT_EQ(Exec(Argv{"sh", "-c", "sleep 300 & echo started"}).out, "started\n");
}

TEST_F(ExecTest, APoolThatDoesNotAllowItHasNoSuchFunction) {
  const auto plain = TestingZygote();
  for (const auto& function : plain->ready_message.functions()) EXPECT_NE(function.name(), "exec");
}

TEST_F(ExecTest, AModuleThatRegistersTheNameItselfIsRefusedWhereItIsAllowed) {
  internal::Setup setup = Allowing();
  setup.add_module_paths(REPORTS_MODULE);
  EXPECT_TRUE(TestZygote({.setup = setup}).ready());
  setup.add_module_paths(OWN_EXEC_MODULE);
  EXPECT_THAT(TestZygote({.setup = setup}).last_failure.failure().message(),
              HasSubstr("function 'exec' is registered twice"));
  setup.set_allow_exec(false);
  EXPECT_TRUE(TestZygote({.setup = setup}).ready());
}

}  // namespace
}  // namespace poold::worker_test
