#pragma once

#include <string>

#include "cli/exit_status.h"
#include "cli/value.h"

// Where answers (stdout) and complaints (stderr) go. Used by the main thread.
namespace poold::cli {

// On stdout, with the end of the line.
void PrintLine(const std::string& text);
void PrintJson(const Json& value);

// "poolctl: ..." on stderr.
void Warn(const std::string& text);
ExitStatus ComplainUsage(const std::string& text);

}  // namespace poold::cli
