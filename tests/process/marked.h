// Processes that are found again by a text in their environment, which what they start inherits.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace poold::process {

// A text that nobody else has.
std::string Mark();
// Living processes with this text in their environment, this one aside.
std::vector<pid_t> AliveWith(const std::string& mark);
// The sleeper that the function daemonize leaves has become one. Before, while it executes, it may be overlooked.
void WaitForSleeper(const std::string& mark);

}  // namespace poold::process
