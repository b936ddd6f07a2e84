// Output of poolctl: answers go to stdout, complaints to stderr. All text except a result's bytes is made safe for a
//   terminal here (terminal_text.h).
//
// Threads: the main thread, except Warn and PrintOutput, which write through stdio.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cli/exit_status.h"
#include "cli/text/text_table.h"
#include "cli/text/value.h"

namespace poold::cli {

// Prints text on stdout as one line.
void PrintLine(const std::string& text);
// Prints several lines on stdout; the last may lack its end.
void PrintLines(const std::string& text);
// Prints the value on stdout as one line.
void PrintJson(const Json& value);
// Prints the table on stdout.
void Print(const TextTable& table);
// Prints bytes on stdout, unchanged.
void PrintBytes(std::string_view bytes);

// Prints the output of a task on `to`: unchanged if `to` is no terminal or with `raw`, otherwise safe.
void PrintOutput(std::string_view bytes, std::FILE* to, bool raw);
// Whether the stream is a terminal.
bool IsTerminal(std::FILE* file);

// Flushes stdout. False: something was not written; says so on stderr, once (not where a pipe's reader went away).
bool Written();

// Prints "poolctl: ..." on stderr. Later lines are indented, so that no line of foreign text begins a line.
void Warn(const std::string& text);
// Warns, and returns kUsage.
ExitStatus ComplainUsage(const std::string& text);
// Warns of a file that is not there or cannot be read (kNoInput), or that makes no sense (kUsage).
ExitStatus ComplainInput(const absl::Status& status);

}  // namespace poold::cli
