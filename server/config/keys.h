// The table of all keys of the configuration: name, member, range, and a line of help.
//
// There is one table for each TOML table; reading, printing and the help use them.
// Threads: pure functions over constants. Errors: none.
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

// A key whose value is one of several words.
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

// A number of seconds, of which 0 means core::kNever.
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

// The member of the owner that has the value. core::Nanos stands for a number of seconds in the file.
template <typename Owner>
using Field = std::variant<std::string Owner::*, std::vector<std::string> Owner::*, bool Owner::*,
                           std::uint32_t Owner::*, std::uint64_t Owner::*, int Owner::*, core::Nanos Owner::*,
                           std::map<std::string, std::string> Owner::*, Choice<Owner>, Arguments<Owner>,
                           SecondsOrNever<Owner>, Resources<Owner>>;

// One key of one table.
template <typename Owner>
struct Key {
  std::string_view name;
  Field<Owner> field;
  std::string_view help;
  // The range of a number, in the unit of the key.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

// The keys of the file's tables: the top, [limits], [spool], and each [pools.NAME]. Valid for ever.
std::span<const Key<Config>> ConfigKeys();
std::span<const Key<core::Limits>> LimitKeys();
std::span<const Key<base::SpoolOptions>> SpoolKeys();
std::span<const Key<core::PoolSpec>> PoolKeys();

}  // namespace poold::config
