#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/exit_status.h"
#include "cli/text_table.h"
#include "cli/value.h"

// Where answers (stdout) and complaints (stderr) go. Used by the main thread.
namespace poold::cli {

// On stdout, with the end of the line.
void PrintLine(const std::string& text);
void PrintJson(const Json& value);
void Print(const TextTable& table);

// "poolctl: ..." on stderr.
void Warn(const std::string& text);
ExitStatus ComplainUsage(const std::string& text);
// Of a file that is not there (NotFound), cannot be read, or makes no sense.
ExitStatus ComplainInput(const absl::Status& status);

}  // namespace poold::cli
