// Which names and texts a client may send. What is refused names the field and says what is right.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "api/service_options.h"
#include "poold/v1/pool.pb.h"

namespace poold::api {

// 1 to 64 letters, digits, '-', '_' or '.'.
absl::Status CheckPoolName(std::string_view name, std::string_view field);
// The same, and no path: not "." or "..". For modules and programs.
absl::Status CheckFileName(std::string_view name, std::string_view field);
// 1 to 256 bytes without control characters.
absl::Status CheckFunctionName(std::string_view name, std::string_view field);
// The name of a type beside a value: at most 512 bytes.
absl::Status CheckTypeName(std::string_view name, std::string_view field);
// Names, environment and folder of a spec; numbers are ReadPoolSpec's.
absl::Status CheckSpecTexts(const v1::PoolSpec& spec, const ServiceOptions& options);

}  // namespace poold::api
