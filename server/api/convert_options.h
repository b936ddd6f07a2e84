// Messages of options <-> structs of the core, by the rows of core/option_fields.h.
//
// Role: what is alike for every option: kinds, bounds, what is not given. What depends on other options or on the
// daemon is the caller's. Pure functions. Errors: INVALID_FIELD, of the field.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "core/option_fields.h"
#include "google/protobuf/message.h"

namespace poold::api {

// Takes what `message` has into `out`, whose other members stay as they are. `prefix` comes before each field's name in
// errors: "options.". Texts are checked where their row says how; payloads and maps (kArguments, kResources, kPairs)
// are passed over. `Owner` is core::TaskOptions or core::PoolSpec; the message is its.
template <typename Owner>
absl::Status ReadOptions(const google::protobuf::Message& message, std::string_view prefix,
                         std::span<const core::OptionField<Owner>> fields, Owner* out);

// Writes what is given; passes over the same as ReadOptions.
template <typename Owner>
void WriteOptions(const Owner& options, std::span<const core::OptionField<Owner>> fields,
                  google::protobuf::Message* out);

}  // namespace poold::api
