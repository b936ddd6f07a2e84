// Every key of the configuration: its name, where its value goes, its range, and a line for people.
//
// One table for each TOML table; reading, printing and the help are made from them.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace poold::config {

// One of several words.
template <typename Owner>
struct Choice {
  std::span<const std::string_view> words;
  void (*set)(Owner&, std::size_t);
  std::size_t (*get)(const Owner&);
};

// An array of any values, kept as MessagePack.
template <typename Owner>
struct Arguments {
  std::string Owner::*bytes;
  core::Encoding Owner::*encoding;
};

// A number of seconds of which 0 means kNever.
template <typename Owner>
struct SecondsOrNever {
  core::Nanos Owner::*nanos;
};

// A table of numbers by the words for resources.
template <typename Owner>
struct Resources {
  std::map<core::ResourceKind, std::uint64_t> Owner::*values;
};
// The word of each kind, from the kind with the number 1 on.
std::span<const std::string_view> ResourceWords();

// Nanos stands for a number of seconds.
template <typename Owner>
using Field = std::variant<std::string Owner::*, std::vector<std::string> Owner::*, bool Owner::*,
                           std::uint32_t Owner::*, std::uint64_t Owner::*, int Owner::*, core::Nanos Owner::*,
                           std::map<std::string, std::string> Owner::*, Choice<Owner>, Arguments<Owner>,
                           SecondsOrNever<Owner>, Resources<Owner>>;

template <typename Owner>
struct Key {
  std::string_view name;
  Field<Owner> field;
  std::string_view help;
  // Of numbers, in the unit of the key.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

std::span<const Key<Config>> ConfigKeys();
std::span<const Key<core::Limits>> LimitKeys();
std::span<const Key<base::SpoolOptions>> SpoolKeys();
std::span<const Key<core::PoolSpec>> PoolKeys();

}  // namespace poold::config
