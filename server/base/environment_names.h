// Which variables of an environment are code: they have the loader, an interpreter, a shell or a library load or run
// what they name.
#pragma once

#include <string_view>

namespace poold::base {

// By exact names and by beginnings, as they are known of the systems that we run on.
bool IsCode(std::string_view name);

}  // namespace poold::base
