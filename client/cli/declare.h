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

#include "cli/options.h"

// Kinds of options that CLI11 does not have. Complaints name the option, say what it wants and what was given.
namespace poold::cli {

// A time with its unit: 500ms, 10s, 2m, 1h.
CLI::Option* AddDuration(CLI::App* app, const std::string& name, std::optional<Duration>& out,
                         const std::string& about);

// A whole number from `least` on, in decimal digits: as large as `out` holds, or `most`. Unset stays unset.
template <typename Out>
CLI::Option* AddCount(CLI::App* app, const std::string& name, Out& out, const std::string& about, uint64_t least = 0,
                      uint64_t most = UINT64_MAX);

// Bytes: a number, or one with a unit (64K, 64M, 2G; powers of 1024).
CLI::Option* AddSize(CLI::App* app, const std::string& name, std::optional<uint64_t>& out, const std::string& about);

// May be given several times, with one value each time.
CLI::Option* AddEach(CLI::App* app, const std::string& name, std::vector<std::string>& out, const std::string& about);

// As AddEach, of KEY=VALUE.
CLI::Option* AddPairs(CLI::App* app, const std::string& name, std::map<std::string, std::string>& out,
                      const std::string& about);

// 0 bytes and no unit are fine; nullopt when it is no size.
std::optional<uint64_t> SizeFromText(const std::string& text);

// Nothing but digits; nullopt: something else, or more than 64 bits hold.
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
