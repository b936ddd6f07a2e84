// Kinds of options that CLI11 does not have. A complaint names the option, the values that it takes, and the value that
// was given.
//
// Ownership: `out` must outlive the parse. An option that is not given leaves `out` unchanged.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/grammar/options.h"

namespace poold::cli {

// A time with a unit: 500ms, 10s, 2m, 1h; not negative.
CLI::Option* AddTime(CLI::App* app, const std::string& name, std::function<void(Duration)> take,
                     const std::string& about);
CLI::Option* AddDuration(CLI::App* app, const std::string& name, std::optional<Duration>& out,
                         const std::string& about);

// A whole number in decimal digits, from `least` to `most` or the largest value of `out`.
template <typename Out>
CLI::Option* AddCount(CLI::App* app, const std::string& name, Out& out, const std::string& about, uint64_t least = 0,
                      uint64_t most = UINT64_MAX);

// Bytes: a number, or a number with a unit (64K, 64M, 2G; powers of 1024).
CLI::Option* AddBytes(CLI::App* app, const std::string& name, std::function<void(uint64_t)> take,
                      const std::string& about);

// An option that may be given several times, each time with one value.
CLI::Option* AddEach(CLI::App* app, const std::string& name, std::vector<std::string>& out, const std::string& about);

// As AddEach, with values KEY=VALUE.
CLI::Option* AddPairs(CLI::App* app, const std::string& name, std::map<std::string, std::string>& out,
                      const std::string& about);

// The bytes of "4096" or "64K"; nothing: the text is no size.
std::optional<uint64_t> SizeFromText(const std::string& text);

// The number; nothing: the text has other characters than digits, or more than 64 bits hold.
std::optional<uint64_t> CountFromText(const std::string& text);

// --- below: implementation ---

template <typename Number>
struct NumberIn {
  using type = Number;
};
template <typename Number>
struct NumberIn<std::optional<Number>> {
  using type = Number;
};

// The part of AddCount that does not depend on the type.
CLI::Option* AddNumber(CLI::App* app, const std::string& name, std::function<void(uint64_t)> take,
                       const std::string& about, uint64_t least, uint64_t most);

template <typename Out>
CLI::Option* AddCount(CLI::App* app, const std::string& name, Out& out, const std::string& about, uint64_t least,
                      uint64_t most) {
  using Number = typename NumberIn<Out>::type;
  return AddNumber(
      app, name, [&out](uint64_t number) { out = static_cast<Number>(number); }, about, least,
      std::min<uint64_t>(most, std::numeric_limits<Number>::max()));
}

}  // namespace poold::cli
