// A worker program that a person starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Ran {
  std::string out;
  int code = -1;
  int signal = 0;
};

class RunLocalTest : public ::testing::Test {
 protected:
  ~RunLocalTest() override { unlink(file_); }
  // "exec": the program itself, not a shell, is what ends.
  static Ran Run(const std::string& arguments, const std::string& redirect = " 2>&1") {
    FILE* const program = popen(("exec " POOL_WORKER " " + arguments + redirect).c_str(), "r");
    Ran ran;
    for (char part[512]; const std::size_t got = fread(part, 1, sizeof part, program);) ran.out.append(part, got);
    const int status = pclose(program);
    if (WIFEXITED(status)) ran.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ran.signal = WTERMSIG(status);
    return ran;
  }
  // --run of a function of module testing.
  template <typename... Args>
  Ran RunFunction(const std::string& options, const Args&... args) {
    std::ofstream(file_, std::ios::binary) << EncodeArguments(args...);
    return Run("--module " TESTING_MODULE " --arguments " + std::string(file_) + " --run " + options);
  }
  char file_[32] = "/tmp/by_hand_XXXXXX";
  const int made_ = close(mkstemp(file_));
};

TEST_F(RunLocalTest, ItExplainsItself) {
  EXPECT_THAT(Run("").out, HasSubstr("started by the daemon"));
  EXPECT_EQ(Run("").code, 64);
  EXPECT_THAT(Run("--help").out, AllOf(HasSubstr("--functions"), HasSubstr("--run")));
  EXPECT_EQ(Run("--help").code, 0);
  EXPECT_THAT(Run("--nonsense").out, HasSubstr("--nonsense"));
  EXPECT_EQ(Run("--nonsense").code, 64);
}

TEST_F(RunLocalTest, ItListsTheFunctionsOfAModuleByFileOrName) {
  EXPECT_THAT(Run("--functions " EXAMPLES_MODULE).out, HasSubstr("square"));
  const Ran by_name = Run("--functions examples");
  EXPECT_EQ(by_name.code, 0);
  EXPECT_THAT(by_name.out, HasSubstr("square"));
  EXPECT_EQ(Run("--functions nonesuch").code, 1);
}

TEST_F(RunLocalTest, OneFunctionRunsWithoutADaemonAndItsResultIsJson) {
  const Ran ran = RunFunction("scale", std::map<std::string, double>{{"a", 1.5}}, 2);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "{\"a\":3}\n");
}

TEST_F(RunLocalTest, RawBytesComeBackAsTheyAre) {
  const Ran ran = Run("--run echo --module testing --encoding raw --arguments - <<E\nabc\nE\n", "");
  EXPECT_EQ(ran.out, "abc\n");
}

TEST_F(RunLocalTest, AFailureIsToldWithWhereItWasThrown) {
  const Ran ran = RunFunction("throw", "it broke");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("std::runtime_error: it broke"), HasSubstr("throw_text")));
}

TEST_F(RunLocalTest, TheAttemptIsTheOneAskedFor) { EXPECT_EQ(RunFunction("attempt --attempt 3").out, "3\n"); }

TEST_F(RunLocalTest, PreloadAndInitializerRunBefore) {
  std::ofstream(file_, std::ios::binary) << EncodeArguments("prepared");
  const Ran ran =
      Run("--run init_text --module testing --preload preload_ok --initializer init_ok "
          "--initializer-arguments " +
          std::string(file_));
  EXPECT_EQ(ran.out, "\"prepared\"\n");
}

TEST_F(RunLocalTest, WhatKeepsTheFunctionFromRunningIsAnotherExitStatus) {
  EXPECT_EQ(Run("--run nonesuch --module testing").code, 2);
  EXPECT_EQ(Run("--run noop --module /nowhere/at_all.so").code, 2);
  EXPECT_EQ(Run("--run noop --module testing --initializer init_fail").code, 2);
  EXPECT_EQ(Run("--run noop --module testing --preload preload_fail").code, 2);
  EXPECT_EQ(Run("--run noop --module testing --arguments /nowhere").code, 64);
  EXPECT_EQ(Run("--run exec").code, 2) << "not without --allow-exec";
}

TEST_F(RunLocalTest, ACrashEndsItWithItsSignal) { EXPECT_EQ(RunFunction("crash", SIGABRT).signal, SIGABRT); }

}  // namespace
}  // namespace poold::worker_test
