#pragma once

#include <string>

#include "cli/exit_status.h"
#include "cli/value.h"
#include "poold/v1/task.pb.h"

// How a task ended, for people and for scripts. No I/O.
namespace poold::cli {

ExitStatus StatusOf(v1::TaskState state);

// Of several: the first of FAILED, CRASHED, TIMED_OUT, CANCELLED that any of them has.
ExitStatus Worse(ExitStatus a, ExitStatus b);

// "FAILED: std::runtime_error: no such file" with what else is known, several lines, the last without its end. Empty
// for SUCCEEDED.
std::string ExplainOutcome(const v1::Outcome& outcome);

// Prints a result on stdout (nothing for none), what else it was on stderr.
ExitStatus PrintOutcome(const std::string& function, const v1::Outcome& outcome, bool raw);

// What standard output gets for a result: JSON on one line, or with `raw` texts and bytes as they are.
std::string ResultText(const v1::Payload& result, bool raw);

}  // namespace poold::cli
