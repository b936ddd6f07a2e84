// Another program, run to its end: what the built-in function "exec" does.
//
// No shell. Input and outputs of any size flow at the same time, so that neither side waits for the other. What the
// program prints is also written to our own stdout and stderr as it comes: it is the task's live output.
// It ends with the program: what others that the program left behind print later is not waited for.
// Not thread-safe: ignores SIGPIPE meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codec/bytes.h"

namespace poold::worker {

struct Program {
  // The first is looked up in PATH.
  std::vector<std::string> argv;
  // Without one it reads /dev/null.
  std::optional<Bytes> standard_input;
  // Added to our own environment.
  std::map<std::string, std::string> environment;
  std::optional<std::string> directory;
  // Of both outputs together.
  std::uint64_t max_output_bytes = 0;
};

struct ProgramEnd {
  // -1: a signal ended it.
  std::int32_t exit_status = -1;
  // 0: it exited.
  std::int32_t signal = 0;
  Bytes standard_output;
  Bytes standard_error;
};

// RESOURCE_EXHAUSTED: it printed too much and was killed. Else: it could not be started, in words that name it.
absl::StatusOr<ProgramEnd> RunProgram(const Program& program);

}  // namespace poold::worker
