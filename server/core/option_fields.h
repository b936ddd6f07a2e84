// Rows of the option tables (contract/option.h) bound to the members of the core's structs.
//
// Role: the api converts messages and the configuration reads files through these; nothing else has to know an option
// by name, but who heeds it. Ownership: none. Thread safety: constant tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "contract/option.h"
#include "core/types.h"

namespace poold::core {

// A member whose value is one of several words: `set` and `get` number the words from 0.
template <typename Owner>
struct Choice {
  std::span<const std::string_view> words;
  void (*set)(Owner&, std::size_t);
  std::size_t (*get)(const Owner&);
};

// Two members that hold the arguments of a call: the bytes, and how they are encoded.
template <typename Owner>
struct Arguments {
  std::string Owner::*bytes;
  Encoding Owner::*encoding;
};

// A span of time whose member is kNever when the option is not given.
template <typename Owner>
struct SecondsOrNever {
  Nanos Owner::*nanos;
};

// Numbers by kinds of resources.
template <typename Owner>
struct Resources {
  std::map<ResourceKind, std::uint64_t> Owner::*values;
};

// The member of the owner that has the value.
template <typename Owner>
using Field =
    std::variant<std::string Owner::*, std::vector<std::string> Owner::*, bool Owner::*, std::uint32_t Owner::*,
                 std::uint64_t Owner::*, int Owner::*, Nanos Owner::*, std::map<std::string, std::string> Owner::*,
                 Choice<Owner>, Arguments<Owner>, SecondsOrNever<Owner>, Resources<Owner>>;

// A row of an option table, never null, and the member of Owner that has its value.
template <typename Owner>
struct OptionField {
  const option::Option* option;
  Field<Owner> field;
};

// Every option of a task. A uint32_t of Kind::kChoices has a bit (1 << number) for each choice.
std::span<const OptionField<TaskOptions>> TaskFields();
// The carried options that were given, each by `visit(option, text)`.
template <typename Visit>
void ForEachCarried(const TaskOptions& options, Visit&& visit) {
  for (const OptionField<TaskOptions>& field : TaskFields()) {
    if (!field.option->carried) continue;
    const std::string& text = options.*std::get<std::string TaskOptions::*>(field.field);
    if (!text.empty()) visit(*field.option, text);
  }
}
// Whether a carried option was given.
bool Carries(const TaskOptions& options);
// Every option of a pool.
std::span<const OptionField<PoolSpec>> PoolFields();

}  // namespace poold::core
