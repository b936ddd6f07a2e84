// Conversion of the command line's words into arguments and options of a task. Reads files where the words name some;
// otherwise no I/O.
//
// Errors: INVALID_ARGUMENT says which words make no sense; NOT_FOUND names the file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/grammar/options.h"
#include "poold/client/options.h"
#include "poold/client/payload.h"
#include "poold/v1/payload.pb.h"

namespace poold::cli {

// One MessagePack array of the words' values; with `strings` every word is a text, even if it looks like JSON.
absl::StatusOr<std::string> ArgumentsFromWords(const std::vector<std::string>& words, bool strings = false);

// The arguments of a submission; with --raw and --raw-file the bytes themselves.
absl::StatusOr<client::Payload> ArgumentsOf(const SubmitOptions& options);

// The whole content; "-" is standard input. NOT_FOUND or UNAVAILABLE with the reason.
absl::StatusOr<std::string> FileContent(const std::string& path);

}  // namespace poold::cli
