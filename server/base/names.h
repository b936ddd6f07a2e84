// Names: the form that names of pools, modules, programs and functions have, whichever way they come (an open, a
// submission, the configuration, a worker that registers its functions); the known name that a mistyped one probably
// meant; and environment variables whose names stand for code.
//
// Threads: pure functions. Errors: none; callers make refusals.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace poold::base {

inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxFunctionNameBytes = 256;

// Whether the text is 1 to 64 letters, digits, '-', '_' or '.'.
inline bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// Whether the byte is a control character of ASCII.
inline bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Whether the text is 1 to 256 bytes without control characters.
inline bool IsFunctionName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxFunctionNameBytes && std::none_of(text.begin(), text.end(), IsControl);
}

// The text for messages: in quotes, at most 64 bytes, control characters as '?'.
inline std::string Quoted(std::string_view text) {
  std::string shown(text.substr(0, kMaxNameBytes));
  std::replace_if(shown.begin(), shown.end(), IsControl, '?');
  return "\"" + shown + (text.size() > kMaxNameBytes ? "...\"" : "\"");
}

// "; did you mean 'x'?", of the nearest one, or nothing (wire/spelling.h). For the end of an error's message.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

// Whether an environment variable is code: the loader, an interpreter, a shell or a library loads or runs the thing
// that the variable names. Decides by exact names and by beginnings, as the systems that poold runs on know them.
bool IsCode(std::string_view name);

}  // namespace poold::base
