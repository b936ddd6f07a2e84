// Parts of requests that several calls about handles read.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/service_context.h"
#include "wire/absl_text.h"

namespace poold::api {

inline absl::StatusOr<core::Nanos> ReadWait(bool has, const google::protobuf::Duration& duration,
                                            const ServiceContext& context) {
  if (!has) return core::Nanos{0};
  absl::StatusOr<core::Nanos> wait = ReadDuration(duration, "wait_timeout");
  if (wait.ok()) *wait = std::min(*wait, context.options.limits.max_wait);
  return wait;
}

inline absl::Status CheckCount(std::size_t count, std::string_view field, const ServiceContext& context) {
  if (count <= context.options.max_items_per_call) return absl::OkStatus();
  return TooMany(field, absl::StrCat(wire::ToAbsl(field), ": ", count, " in one call; at most ",
                                     context.options.max_items_per_call));
}

inline absl::StatusOr<std::vector<core::HandleId>> ReadIds(const google::protobuf::RepeatedPtrField<std::string>& ids,
                                                           const ServiceContext& context) {
  if (absl::Status status = CheckCount(ids.size(), "ids", context); !status.ok()) return status;
  std::vector<core::HandleId> out;
  out.reserve(ids.size());
  for (int i = 0; i < ids.size(); ++i) {
    const absl::StatusOr<core::HandleId> id = ReadId(ids[i], absl::StrCat("ids[", i, "]"));
    if (!id.ok()) return id.status();
    out.push_back(*id);
  }
  return out;
}

}  // namespace poold::api
