// The end of a task, for people and for scripts. Pure functions, except PrintOutcome.
#pragma once

#include <string>

#include "cli/exit_status.h"
#include "cli/text/value.h"
#include "poold/v1/task.pb.h"

namespace poold::cli {

// The exit status of a terminal state.
ExitStatus StatusOf(v1::TaskState state);

// The worse of two: the first of FAILED, CRASHED, TIMED_OUT, CANCELLED that one of them is.
ExitStatus Worse(ExitStatus a, ExitStatus b);

// "FAILED: std::runtime_error: no such file" and what else is known, in several lines, the last without its end. Empty
// for SUCCEEDED.
std::string ExplainOutcome(const v1::Outcome& outcome);

// Prints a result on stdout, or any other end on stderr.
ExitStatus PrintOutcome(const std::string& function, const v1::Outcome& outcome, bool raw);

// The text of a result on stdout: JSON on one line; with `raw` texts and bytes are unchanged.
std::string ResultText(const v1::Payload& result, bool raw);

}  // namespace poold::cli
