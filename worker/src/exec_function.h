// The built-in function "exec", for pools that allow it (worker/exec.md), and the run of a program that it makes.
//
// Threads: the worker's own thread: RunProgram ignores SIGPIPE meanwhile. Errors: see each function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "poold/codec/bytes.h"
#include "poold/worker/current_task.h"
#include "poold/worker/registry.h"

namespace poold::worker {

// The program to run.
struct Program {
  // The first word is looked up in PATH. REQUIRES: not empty.
  std::vector<std::string> argv;
  // Unset: the program reads /dev/null.
  std::optional<Bytes> standard_input;
  // Added to this process's environment.
  std::map<std::string, std::string> environment;
  // The folder in which the program starts; unset: this process's.
  std::optional<std::string> directory;
  // The most bytes of both outputs together.
  std::uint64_t max_output_bytes = 0;
};

// The end of a program, and its output.
struct ProgramEnd {
  // -1: a signal ended the program.
  std::int32_t exit_status = -1;
  // 0: the program exited.
  std::int32_t signal = 0;
  Bytes standard_output;
  Bytes standard_error;
};

// Runs another program to its end, without a shell. Input and outputs of any size flow at the same time, so that
// neither side waits for the other. Output of the program also goes to this process's stdout and stderr as it comes: it
// is the task's live output. The call ends with the program; later output of processes that the program left behind is
// not waited for. RESOURCE_EXHAUSTED: the program printed too much and was killed. Other errors: the program could not
// be started, in words that name it.
absl::StatusOr<ProgramEnd> RunProgram(const Program& program);

// Makes the function. Options of the running `task` that have a variable (contract/option.h) are in the environment of
// the programs; `task` must outlive the function. A program whose output does not fit into a result of
// `max_result_bytes` is killed.
Function MakeExecFunction(std::uint64_t max_result_bytes, const TaskContext* task);

}  // namespace poold::worker
