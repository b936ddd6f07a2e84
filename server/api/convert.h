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
#include "api/service_options.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/types.h"
#include "core/views.h"
#include "engine/client_names.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

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
// How numbers of the core are shown: its time as dates, its clients by their names.
struct DisplayContext {
  WallTime wall;
  const engine::ClientNames& names;
};
void WriteDuration(core::Nanos nanos, google::protobuf::Duration* out);
// Not negative, at most kNever.
absl::StatusOr<core::Nanos> ReadDuration(const google::protobuf::Duration& duration, std::string_view field);
// Reads an optional duration into `out`; `status` keeps the first error.
void ReadLimit(bool has, const google::protobuf::Duration& duration, std::string_view field, core::Nanos* out,
               absl::Status* status);
absl::Status CheckNotZero(core::Nanos limit, std::string_view field);

// ---- Requests ----
// The client of a session with this client_id.
core::ClientId SessionClient(core::HandleId client_id);
// Takes the bytes out of `payload`. `upload_id` is the caller's to resolve.
absl::StatusOr<core::Payload> ReadPayload(v1::Payload* payload, std::string_view field);
// The checks of ReadPayload, for bytes that lie elsewhere.
absl::Status CheckEncoding(int encoding, bool has_bytes, std::string_view field);
absl::StatusOr<core::TaskOptions> ReadTaskOptions(const v1::TaskOptions& options);
// Without module_paths and program_path. FAILED_PRECONDITION (EXEC_NOT_ALLOWED) where the daemon allows no exec.
absl::StatusOr<core::PoolSpec> ReadPoolSpec(const v1::PoolSpec& spec, const ServiceOptions& options);

// ---- Answers ----
inline constexpr std::uint64_t kNoResultData = 0;
// A result longer than `max_inline_bytes` goes without its bytes.
void WritePayload(const core::Payload& payload, std::uint64_t max_inline_bytes, v1::Payload* out);
void WriteOutcome(const core::Outcome& outcome, const WallTime& wall, std::uint64_t max_inline_bytes, v1::Outcome* out);
void WriteTask(const core::TaskView& task, const DisplayContext& display, std::uint64_t max_inline_bytes,
               v1::Task* out);
void WriteMap(const core::MapView& map, const DisplayContext& display, v1::MapProgress* out);
void WriteOutput(const core::OutputEvent& output, v1::Output* out);
void WriteProgress(core::HandleId id, const core::ProgressView& progress, v1::Progress* out);
// Without result and output. `in_short`: texts are cut, so that a page of them stays small.
void WriteEntry(const core::HandleView& handle, const DisplayContext& display, bool in_short, v1::TaskEntry* out);
void WriteExplanation(const core::Explanation& explanation, const DisplayContext& display, v1::ExplainResponse* out);
void WriteTaskOptions(const core::TaskOptions& options, v1::TaskOptions* out);
void WritePoolSpec(const core::PoolSpec& spec, v1::PoolSpec* out);
// As many as fit into 3 MiB.
void WriteFunctions(const std::vector<core::FunctionInfo>& functions, v1::GetPoolResponse* out);
// How long each list of a Pool, and each of its texts, may be: more is cut off. By default all is there, as long as the
// answer stays below 4 MiB.
struct PoolRoom {
  std::size_t list_bytes = 256 << 10;
  std::size_t text_bytes = 16 * 1024;
};
void WritePool(const core::PoolView& pool, const WallTime& wall, const PoolRoom& room, v1::Pool* out);
inline void WritePool(const core::PoolView& pool, const WallTime& wall, v1::Pool* out) {
  WritePool(pool, wall, PoolRoom(), out);
}
void WriteStats(const core::PoolStats& stats, v1::PoolStats* out);
void WriteServerInfo(const ServiceOptions& options, const WallTime& wall, core::Nanos started_at, v1::ServerInfo* out);

}  // namespace poold::api
