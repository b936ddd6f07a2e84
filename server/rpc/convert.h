// poold.v1 messages <-> values of the core. Pure functions; what is refused names the field.
//
// Messages come from clients: every number, name and size is checked here for form (validate.h has the names).
// Errors: made by core::MakeError with INVALID_FIELD, TOO_LARGE or TOO_MANY.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/types.h"
#include "core/views.h"
#include "poold/v1/pool_service.pb.h"
#include "rpc/service_options.h"

namespace poold::rpc {

// ---- Ids: 16 bytes, two big-endian numbers ----
std::optional<core::HandleId> ParseId(std::string_view bytes);
std::string IdBytes(core::HandleId id);
absl::StatusOr<core::HandleId> ReadId(std::string_view bytes, std::string_view field);

// ---- Time ----
// The core's monotonic time as dates.
class WallTime {
 public:
  explicit WallTime(const base::Clock& clock) : offset_(clock.WallNow() - clock.Now()) {}
  void Write(core::Nanos at, google::protobuf::Timestamp* out) const;

 private:
  core::Nanos offset_;
};
void WriteDuration(core::Nanos nanos, google::protobuf::Duration* out);
// Not negative, at most kNever.
absl::StatusOr<core::Nanos> ReadDuration(const google::protobuf::Duration& duration, std::string_view field);

// ---- Requests ----
// Takes the bytes out of `payload`. `upload_id` is the caller's to resolve.
absl::StatusOr<core::Payload> ReadPayload(v1::Payload* payload, std::string_view field);
// What ReadPayload checks, for bytes that lie elsewhere.
absl::Status CheckEncoding(int encoding, bool has_bytes, std::string_view field);
absl::StatusOr<core::TaskOptions> ReadTaskOptions(const v1::TaskOptions& options);
// Without module_paths and program_path.
absl::StatusOr<core::PoolSpec> ReadPoolSpec(const v1::PoolSpec& spec, const ServiceOptions& options);

// ---- Answers ----
inline constexpr std::uint64_t kNoResultData = 0;
// A result longer than `max_inline_bytes` goes without its bytes.
void WritePayload(const core::Payload& payload, std::uint64_t max_inline_bytes, v1::Payload* out);
void WriteOutcome(const core::Outcome& outcome, const WallTime& wall, std::uint64_t max_inline_bytes, v1::Outcome* out);
void WriteTask(const core::TaskView& task, const WallTime& wall, std::uint64_t max_inline_bytes, v1::Task* out);
void WriteMap(const core::MapView& map, v1::MapProgress* out);
void WriteOutput(const core::OutputEvent& output, v1::Output* out);
void WritePool(const core::PoolView& pool, const WallTime& wall, v1::Pool* out);
void WriteStats(const core::PoolStats& stats, v1::PoolStats* out);
void WriteServerInfo(const ServiceOptions& options, const WallTime& wall, core::Nanos started_at, v1::ServerInfo* out);

}  // namespace poold::rpc
