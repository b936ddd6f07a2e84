#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cli/exit_status.h"
#include "cli/text_table.h"
#include "cli/value.h"

// Where answers (stdout) and complaints (stderr) go. What is no byte of a result is made fit for a terminal here
// (terminal_text.h), whoever wrote it. Used by the main thread.
namespace poold::cli {

// On stdout, as one line.
void PrintLine(const std::string& text);
// On stdout, several lines; the last may lack its end.
void PrintLines(const std::string& text);
void PrintJson(const Json& value);
void Print(const TextTable& table);
// On stdout, as they are.
void PrintBytes(std::string_view bytes);

// What a program printed, on `to`: as it is, but on a terminal only when it is to be `raw`.
void PrintOutput(std::string_view bytes, std::FILE* to, bool raw);
bool IsTerminal(std::FILE* file);

// Whether all of it has arrived on stdout; if not, says so on stderr, once (but not of a reader that went away).
bool Written();

// "poolctl: ..." on stderr. What follows the first line is set in: nobody else's text begins a line.
void Warn(const std::string& text);
ExitStatus ComplainUsage(const std::string& text);
// Of a file that is not there (NotFound), cannot be read, or makes no sense.
ExitStatus ComplainInput(const absl::Status& status);

}  // namespace poold::cli
