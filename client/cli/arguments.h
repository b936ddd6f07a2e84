#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/options.h"
#include "poold/client/options.h"
#include "poold/client/payload.h"
#include "poold/v1/payload.pb.h"

// From the words of the command line to what is sent. Reads files where they are named, else no I/O.
namespace poold::cli {

// One MessagePack array of the words' values; of `strings` they are text, whatever they look like.
absl::StatusOr<std::string> ArgumentsFromWords(const std::vector<std::string>& words, bool strings = false);

// With --raw and --raw-file the bytes themselves.
absl::StatusOr<client::Payload> ArgumentsOf(const SubmitOptions& options);

client::TaskOptions TaskOptionsFrom(const TaskChoices& choices);

v1::Payload ToMessage(const client::Payload& payload);

// The whole of it; "-" is standard input. NotFound with the reason.
absl::StatusOr<std::string> FileContent(const std::string& path);

}  // namespace poold::cli
