#pragma once

#include <CLI/CLI.hpp>
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

// Bytes: a number, or one with a unit (64K, 64M, 2G; powers of 1024).
CLI::Option* AddSize(CLI::App* app, const std::string& name, std::optional<uint64_t>& out, const std::string& about);

// May be given several times, with one value each time.
CLI::Option* AddEach(CLI::App* app, const std::string& name, std::vector<std::string>& out, const std::string& about);

// As AddEach, of KEY=VALUE.
CLI::Option* AddPairs(CLI::App* app, const std::string& name, std::map<std::string, std::string>& out,
                      const std::string& about);

// 0 bytes and no unit are fine; nullopt when it is no size.
std::optional<uint64_t> SizeFromText(const std::string& text);

}  // namespace poold::cli
