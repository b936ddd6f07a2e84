// The table of all keys of the configuration: name, member, range, and a line of help.
//
// There is one table for each TOML table; reading, printing and the help use them. The keys of pools are those rows of
// contract/option.h that have a key.
// Threads: pure functions over constants. Errors: none.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "core/option_fields.h"

namespace poold::config {

using core::Arguments;
using core::Choice;
using core::Resources;
using core::SecondsOrNever;
// The member of the owner that has the value. core::Nanos stands for a number of seconds in the file, of which 0 is
// core::kNever in SecondsOrNever.
using core::Field;

// One key of one table.
template <typename Owner>
struct Key {
  std::string_view name;
  Field<Owner> field;
  std::string help;
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
