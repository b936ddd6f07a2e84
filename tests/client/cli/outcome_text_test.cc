#include "cli/text/outcome_text.h"

#include <gtest/gtest.h>

#include <csignal>

namespace poold::cli {
namespace {

TEST(OutcomeText, AFailureIsTypeMessageAndPlace) {
  v1::Outcome outcome;
  outcome.set_state(v1::TASK_STATE_FAILED);
  outcome.mutable_failure()->set_type("std::runtime_error");
  outcome.mutable_failure()->set_message("no luck");
  outcome.mutable_failure()->set_backtrace("f\nmain\n");
  EXPECT_EQ(ExplainOutcome(outcome), "FAILED: std::runtime_error: no luck\n  thrown at:\n    f\n    main");
}

TEST(OutcomeText, AMessageOfSeveralLinesIsSetInAndMovesNothing) {
  v1::Outcome outcome;
  outcome.set_state(v1::TASK_STATE_FAILED);
  outcome.mutable_failure()->set_type("Error\n  attempts: 9");
  outcome.mutable_failure()->set_message("first\n  attempts: 9\n\x1b[2J");
  outcome.mutable_failure()->set_backtrace("f\x07\n");
  EXPECT_EQ(ExplainOutcome(outcome),
            "FAILED: Error\\n  attempts: 9: first\n        attempts: 9\n      \\x1b[2J\n  thrown at:\n    f\\x07");
}

TEST(OutcomeText, ADeathNamesTheSignalAndWhoSentIt) {
  v1::Outcome outcome;
  outcome.set_state(v1::TASK_STATE_CRASHED);
  outcome.mutable_death()->set_signal(SIGKILL);
  outcome.mutable_death()->set_killed_by(v1::KILLED_BY_OUTSIDER);
  outcome.mutable_death()->set_pid(7);
  EXPECT_NE(ExplainOutcome(outcome).find("(pid 7) was ended by SIGKILL, by somebody else"), std::string::npos)
      << ExplainOutcome(outcome);
  outcome.mutable_death()->set_signal(0);
  outcome.mutable_death()->set_exit_code(3);
  outcome.mutable_death()->set_killed_by(v1::KILLED_BY_ITSELF);
  EXPECT_NE(ExplainOutcome(outcome).find("exited with code 3, by itself"), std::string::npos);
}

TEST(OutcomeText, EveryEndHasItsExitStatus) {
  EXPECT_EQ(StatusOf(v1::TASK_STATE_SUCCEEDED), ExitStatus::kOk);
  EXPECT_EQ(StatusOf(v1::TASK_STATE_FAILED), ExitStatus::kFailed);
  EXPECT_EQ(StatusOf(v1::TASK_STATE_CRASHED), ExitStatus::kCrashed);
  EXPECT_EQ(StatusOf(v1::TASK_STATE_TIMED_OUT), ExitStatus::kTimedOut);
  EXPECT_EQ(StatusOf(v1::TASK_STATE_EXPIRED), ExitStatus::kTimedOut);
  EXPECT_EQ(StatusOf(v1::TASK_STATE_CANCELLED), ExitStatus::kCancelled);
  EXPECT_EQ(Worse(ExitStatus::kOk, ExitStatus::kCrashed), ExitStatus::kCrashed);
  EXPECT_EQ(Worse(ExitStatus::kCancelled, ExitStatus::kFailed), ExitStatus::kFailed);
}

TEST(OutcomeText, AResultIsJsonOrAsItIs) {
  v1::Payload result;
  result.set_encoding(v1::ENCODING_MSGPACK);
  result.set_data("\xa2hi");
  EXPECT_EQ(ResultText(result, false), "\"hi\"");
  EXPECT_EQ(ResultText(result, true), "hi");
  result.set_encoding(v1::ENCODING_RAW);
  EXPECT_EQ(ResultText(result, true), "\xa2hi");
}

}  // namespace
}  // namespace poold::cli
