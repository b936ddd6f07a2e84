#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "poold/client/payload.h"
#include "poold/v1/payload.pb.h"

// The built-in function "exec" (worker/exec.md): from words to its arguments, from its result to what a shell expects.
namespace poold::cli {

bool IsExec(const std::string& function);

// The complaint about --stdin, --env or --directory elsewhere.
absl::Status OnlyWithExec(const std::string& function);

// `words` with each {} in them replaced by the item; without one the item comes last, as with xargs.
std::vector<std::string> WithItem(const std::vector<std::string>& words, const std::string& item);

absl::StatusOr<client::Payload> ExecArguments(const std::vector<std::string>& argv, const std::string& stdin_bytes,
                                              const ExecChoices& choices);

// How a program ended, and what it wrote.
struct ExecResult {
  int exit_status = 0;
  int signal = 0;
  std::string stdout_bytes;
  std::string stderr_bytes;

  // As a shell says it: 128 + signal, else the exit status.
  int Status() const { return signal != 0 ? 128 + signal : exit_status; }
};

// InvalidArgument when it is no result of exec.
absl::StatusOr<ExecResult> ExecResultFrom(const v1::Payload& result);

// What the program wrote, where it belongs; on a terminal as it is only when it is to be `raw`.
void PrintExec(const ExecResult& result, bool raw);

}  // namespace poold::cli
