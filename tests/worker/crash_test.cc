// What a worker that dies of a fault leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "harness.h"
#include "poold/codec/codec.h"
#include "wire/worker_page.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::HasSubstr;
using ::testing::Not;

class CrashTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizers report crashes themselves";
#endif
  }
  // Runs a task that its worker does not survive.
  wire::Crash CrashOf(const TestTask& task, int signal) {
    worker_->Run({task});
    EXPECT_EQ(WaitForExit(worker_->pid).signal, signal);
    worker_->pid = -1;
    const auto crash = wire::ReadCrashNote(worker_->memory);
    EXPECT_TRUE(crash);
    if (!crash) return {};
    EXPECT_EQ(crash->signal, signal);
    return *crash;
  }
  wire::Crash CrashOf(const std::string& kind, int signal) {
    return CrashOf({.function = "fault", .args = EncodeArguments(kind)}, signal);
  }
  TestZygote zygote_{{.setup = SetupWith({TESTING_MODULE, REPORTS_MODULE})}};
  std::unique_ptr<TestWorker> worker_ = zygote_.MakeWorker();
};

TEST_F(CrashTest, ABadPointerIsToldWithItsAddressAndTheFunctionThatUsedIt) {
  const wire::Crash crash = CrashOf("segv", SIGSEGV);
  EXPECT_EQ(crash.address, 0x10u);
  EXPECT_THAT(crash.backtrace, ::testing::StartsWith("testing_faults::write_to_nowhere() (testing.so+0x"));
  EXPECT_THAT(crash.backtrace, HasSubstr("fault"));
  EXPECT_THAT(crash.backtrace, Not(HasSubstr("WorkerLoop")));
}

TEST_F(CrashTest, ADivisionByZeroIsTold) {
  EXPECT_THAT(CrashOf("fpe", SIGFPE).backtrace, HasSubstr("testing_faults::divide_by()"));
}

TEST_F(CrashTest, AnOverflowOfTheStackIsTold) {
  EXPECT_THAT(CrashOf("overflow", SIGSEGV).backtrace, HasSubstr("testing_faults::recurse()"));
}

TEST_F(CrashTest, AnAbortInsideOfMallocDoesNotHang) {
  EXPECT_THAT(CrashOf("heap", SIGABRT).backtrace, HasSubstr("testing_faults::free_twice()"));
}

TEST_F(CrashTest, AnAbortOfAnotherThreadIsTold) {
  EXPECT_THAT(CrashOf("thread", SIGABRT).backtrace, HasSubstr("testing_faults::give_up()"));
}

TEST_F(CrashTest, ACallToNowhereNamesTheCaller) {
  EXPECT_THAT(CrashOf("null call", SIGSEGV).backtrace, HasSubstr("(anonymous namespace)::fault()"));
}

TEST_F(CrashTest, AFunctionThatHandlesTheSignalItselfIsRespected) {
  worker_->Run({{.function = "own_handler", .args = EncodeArguments(SIGSEGV, 44)}});
  EXPECT_EQ(WaitForExit(worker_->pid).code, 44);
  worker_->pid = -1;
  EXPECT_FALSE(wire::ReadCrashNote(worker_->memory));
}

TEST_F(CrashTest, AChildOfTheTaskThatCrashesIsNotTheWorker) {
  const Heard outcome = worker_->Call({.function = "crashing_child", .args = EncodeArguments(SIGSEGV)});
  EXPECT_EQ(*codec::Decode<int>(outcome.bytes), SIGSEGV);
  EXPECT_FALSE(wire::ReadCrashNote(worker_->memory));
}

TEST_F(CrashTest, AWorkerThatIsKilledHasNothingToSay) {
  worker_->Run({{.function = "crash", .args = EncodeArguments(SIGKILL)}});
  EXPECT_EQ(WaitForExit(worker_->pid).signal, SIGKILL);
  worker_->pid = -1;
  EXPECT_FALSE(wire::ReadCrashNote(worker_->memory));
}

}  // namespace
}  // namespace poold::worker_test
