// Calls of the built-in function "exec" (worker/exec.md): arguments from words, and results as a shell expects them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/exit_status.h"
#include "cli/grammar/options.h"
#include "poold/client/payload.h"
#include "poold/v1/payload.pb.h"

namespace poold::cli {

// Whether the function is "exec".
bool IsExec(const std::string& function);

// INVALID_ARGUMENT: --stdin, --env and --directory belong to "exec".
absl::Status OnlyWithExec(const std::string& function);

// The words with each {} replaced by the item; without {} the item comes last, as with xargs.
std::vector<std::string> WithItem(const std::vector<std::string>& words, const std::string& item);

// The arguments of a call. `stdin_bytes`: the input of the program, where the choices name one.
absl::StatusOr<client::Payload> ExecArguments(const std::vector<std::string>& argv, const std::string& stdin_bytes,
                                              const ExecChoices& choices);

// The end of a program, and its output.
struct ExecResult {
  int exit_status = 0;
  // 0: the program exited.
  int signal = 0;
  std::string stdout_bytes;
  std::string stderr_bytes;

  // The status that a shell shows: 128 + signal, or the exit status.
  int Status() const { return signal != 0 ? 128 + signal : exit_status; }
};

// INVALID_ARGUMENT: the payload is no result of exec.
absl::StatusOr<ExecResult> ExecResultFrom(const v1::Payload& result);

// Prints the program's output to stdout and stderr; on a terminal unchanged only with `raw`.
void PrintExec(const ExecResult& result, bool raw);

}  // namespace poold::cli
