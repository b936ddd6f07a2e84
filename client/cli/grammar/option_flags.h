// Flags of options, declared and told by their rows (contract/option.h): a new option needs nothing here.
//
// Ownership: `message` must outlive the parse. Threads: the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "contract/option.h"
#include "google/protobuf/message.h"

namespace poold::cli {

// Declares the flags of all rows that have one; what is given is set in `message`, which has fields of the rows' names.
// Rows with a variable take that from our environment where it makes sense and the flag is not given. kArguments and
// kResources are the caller's.
void AddOptions(CLI::App* app, std::span<const option::Option> rows, google::protobuf::Message* message);

// A line of help: what it says, and what holds if it is not given.
std::string AboutOption(const option::Option& row);

// What `message` asks for beside the defaults, as "run timeout 2s, priority 3". Empty: nothing.
std::string ToldOptions(std::span<const option::Option> rows, const google::protobuf::Message& message);

}  // namespace poold::cli
