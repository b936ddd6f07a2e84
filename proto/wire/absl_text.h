// ToAbsl and ToStd: conversions between std::string_view and absl::string_view.
//
// Debian's Abseil has a string_view of its own, which does not convert to or from std::string_view. poold's interfaces
// use the standard one; these two functions convert where Abseil is called (StrCat, StrSplit, Status).
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace poold::wire {

inline absl::string_view ToAbsl(std::string_view text) { return absl::string_view(text.data(), text.size()); }
inline std::string_view ToStd(absl::string_view text) { return std::string_view(text.data(), text.size()); }

}  // namespace poold::wire
