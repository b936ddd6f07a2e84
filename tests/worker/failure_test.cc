// Whatever is thrown is the failure of its task, in words that can be read, and costs little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness.h"
#include "poold/codec/codec.h"

namespace poold::worker_test {
namespace {

using codec::EncodeArguments;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class FailureTest : public ::testing::Test {
 protected:
  template <typename... Args>
  internal::Failure Failing(const std::string& function, const Args&... args) {
    return worker_->Failing({.function = function, .args = EncodeArguments(args...)});
  }

  TestZygote zygote_{{.setup = SetupWith({EXCEPTIONS_MODULE})}};
  std::unique_ptr<TestWorker> worker_ = zygote_.MakeWorker();
};

TEST_F(FailureTest, AnExceptionWithoutWordsIsOne) {
  const internal::Failure silent = Failing("throw_silent");
  EXPECT_EQ(silent.type(), "(anonymous namespace)::Silent");
  EXPECT_EQ(silent.message(), "its what() is null");
  EXPECT_THAT(silent.backtrace(), HasSubstr("throw_silent"));
  EXPECT_EQ(Failing("throw_no_text").message(), "");
}

TEST_F(FailureTest, WhatCannotBeReadIsToldByItsType) {
  EXPECT_THAT(Failing("throw_local").type(), HasSubstr("Local"));
  EXPECT_THAT(Failing("throw_nested").message(), "outer");
}

TEST_F(FailureTest, TextOfAnotherEncodingIsMadeReadable) {
  EXPECT_EQ(Failing("throw_latin1").message(), "caf\ufffd");
  const auto& functions = zygote_.ready_message.functions();
  const auto silent = std::find_if(functions.begin(), functions.end(),
                                   [](const auto& function) { return function.name() == "throw_silent"; });
  ASSERT_NE(silent, functions.end());
  EXPECT_EQ(silent->help(), "caf\ufffd: Latin-1");
}

TEST_F(FailureTest, OfALongTextComesTheBeginning) {
  for (const char* function : {"throw_much", "throw_much_text", "return_much"}) {
    const internal::Failure failure = Failing(function, 50'000'000);
    EXPECT_LE(failure.message().size(), 65536u) << function;
    EXPECT_THAT(failure.message(), EndsWith("... (50000000 bytes in all)")) << function;
  }
}

TEST_F(FailureTest, ThousandsOfItemsMayFail) {
  // Each has its backtrace. Within the patience of this test, which is ten seconds.
  TestTask chunk{.function = "throw_nested"};
  for (int i = 0; i < 2000; ++i) chunk.items.push_back(EncodeArguments());
  const std::uint32_t ticket = worker_->Run({chunk})[0];
  worker_->WaitForOutcomes(2000);
  const std::vector<Heard> outcomes = worker_->OutcomesOf(ticket);
  ASSERT_EQ(outcomes.size(), 2000u);
  for (const Heard& outcome : outcomes) {
    internal::Failure failure;
    ASSERT_TRUE(failure.ParseFromString(outcome.bytes));
    ASSERT_THAT(failure.backtrace(), HasSubstr("throw_nested"));
  }
}

TEST(FunctionNamesTest, OneThatNobodyCanCallIsRefused) {
  TestZygote zygote({.setup = SetupWith({BAD_NAME_MODULE})});
  EXPECT_FALSE(zygote.ready());
  EXPECT_THAT(zygote.last_failure.failure().message(), HasSubstr("a function whose name nobody can call: 'bell"));
}

}  // namespace
}  // namespace poold::worker_test
