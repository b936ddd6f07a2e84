// Names of environment variables that are code: the loader, an interpreter, a shell or a library loads or runs what
// they name.
#pragma once

#include <string_view>

namespace poold::base {

// Decides by exact names and by beginnings, as the systems that poold runs on know them.
bool IsCode(std::string_view name);

}  // namespace poold::base
