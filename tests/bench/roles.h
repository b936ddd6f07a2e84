// What this program does when it started itself: the other end of a floor or a peer.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace poold::bench {

inline constexpr char kRoleFlag[] = "--role";

// The exit status, if the arguments name a role: --role NAME ARGUMENTS. Each role runs until its input ends.
std::optional<int> PlayRole(int argc, const char* const* argv);

}  // namespace poold::bench
