// Checks of names, texts and lists that clients send.
//
// Threads: pure functions. Errors: INVALID_FIELD, TOO_LARGE or TOO_MANY; the message names the field and says what is
// allowed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/service_options.h"
#include "core/types.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "poold/v1/pool.pb.h"

namespace poold::api {

struct ServiceContext;

// The most bytes of an answer of a unary call: below gRPC's default limit of 4 MiB.
inline constexpr std::size_t kMostAnswerBytes = (4 << 20) - 1024;

// Allows 1 to 64 letters, digits, '-', '_' or '.'.
absl::Status CheckPoolName(std::string_view name, std::string_view field);
// As CheckPoolName, but refuses "." and "..", which are paths. For modules and programs.
absl::Status CheckFileName(std::string_view name, std::string_view field);
// Allows 1 to 256 bytes without control characters.
absl::Status CheckFunctionName(std::string_view name, std::string_view field);
// Allows at most 512 bytes in the name of a type.
absl::Status CheckTypeName(std::string_view name, std::string_view field);
// Checks names, environment and folder of a spec; ReadPoolSpec checks its numbers.
absl::Status CheckSpecTexts(const v1::PoolSpec& spec, const ServiceOptions& options);

// Reads `wait_timeout`: 0 where there is none, at most the daemon's max_wait. INVALID_FIELD: it is negative or no
// duration.
absl::StatusOr<core::Nanos> ReadWait(bool has, const google::protobuf::Duration& duration,
                                     const ServiceContext& context);
// TOO_MANY: the list `field` is longer than one call may have (max_items_per_call).
absl::Status CheckCount(std::size_t count, std::string_view field, const ServiceContext& context);
// Reads the ids of handles. INVALID_FIELD names the one that is none; TOO_MANY as CheckCount.
absl::StatusOr<std::vector<core::HandleId>> ReadIds(const google::protobuf::RepeatedPtrField<std::string>& ids,
                                                    const ServiceContext& context);

}  // namespace poold::api
