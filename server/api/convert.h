// Conversions between messages of poold.v1 and values of the core.
//
// Role: Read... checks every number and size of a message for form (validate.h checks names) and converts it; Write...
// converts values
//   for answers. Pure functions; any thread.
// Errors: made by core::MakeError with INVALID_FIELD, TOO_LARGE or TOO_MANY, naming the field.
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
// Nothing: the bytes are no id.
std::optional<core::HandleId> ParseId(std::string_view bytes);
std::string IdBytes(core::HandleId id);
// As ParseId. INVALID_FIELD: the bytes are no id.
absl::StatusOr<core::HandleId> ReadId(std::string_view bytes, std::string_view field);

// ---- Time ----
// Shows the core's monotonic time as dates. A value.
class WallTime {
 public:
  explicit WallTime(const base::Clock& clock) : offset_(clock.WallNow() - clock.Now()) {}
  void Write(core::Nanos at, google::protobuf::Timestamp* out) const;

 private:
  core::Nanos offset_;
};
// The means to show numbers of the core to people: its times as dates, its clients by their names.
struct DisplayContext {
  WallTime wall;
  // The names of clients. Not owned.
  const engine::ClientNames& names;
};
void WriteDuration(core::Nanos nanos, google::protobuf::Duration* out);
// Reads a duration in ns, at most kNever. INVALID_FIELD: the duration is negative or not well-formed.
absl::StatusOr<core::Nanos> ReadDuration(const google::protobuf::Duration& duration, std::string_view field);
// INVALID_FIELD: the limit is zero.
absl::Status CheckNotZero(core::Nanos limit, std::string_view field);

// ---- Requests ----
// The client of a session with this client_id.
core::ClientId SessionClient(core::HandleId client_id);
// Moves the bytes out of `payload`. The caller resolves `upload_id`.
absl::StatusOr<core::Payload> ReadPayload(v1::Payload* payload, std::string_view field);
// The checks of ReadPayload, for bytes that lie elsewhere.
absl::Status CheckEncoding(int encoding, bool has_bytes, std::string_view field);
absl::StatusOr<core::TaskOptions> ReadTaskOptions(const v1::TaskOptions& options);
// Without module_paths and program_path. FAILED_PRECONDITION (EXEC_NOT_ALLOWED) where the daemon allows no exec.
absl::StatusOr<core::PoolSpec> ReadPoolSpec(const v1::PoolSpec& spec, const ServiceOptions& options);

// ---- Answers ----
inline constexpr std::uint64_t kNoResultData = 0;
// Writes a payload; one longer than `max_inline_bytes` without its bytes.
void WritePayload(const core::Payload& payload, std::uint64_t max_inline_bytes, v1::Payload* out);
void WriteOutcome(const core::Outcome& outcome, const WallTime& wall, std::uint64_t max_inline_bytes, v1::Outcome* out);
void WriteTask(const core::TaskView& task, const DisplayContext& display, std::uint64_t max_inline_bytes,
               v1::Task* out);
void WriteMap(const core::MapView& map, const DisplayContext& display, v1::MapProgress* out);
void WriteHandle(const core::HandleView& handle, const DisplayContext& display, std::uint64_t max_inline_bytes,
                 v1::GetResponse* out);
void WriteOutput(const core::OutputEvent& output, v1::Output* out);
void WriteProgress(core::HandleId id, const core::ProgressView& progress, v1::Progress* out);
// Writes a handle without result and output. `in_short`: texts are cut, so that a page of entries stays small.
void WriteEntry(const core::HandleView& handle, const DisplayContext& display, bool in_short, v1::TaskEntry* out);
void WriteExplanation(const core::Explanation& explanation, const DisplayContext& display, v1::ExplainResponse* out);
void WriteTaskOptions(const core::TaskOptions& options, v1::TaskOptions* out);
void WritePoolSpec(const core::PoolSpec& spec, v1::PoolSpec* out);
// Writes as many functions as fit into 3 MiB.
void WriteFunctions(const std::vector<core::FunctionInfo>& functions, v1::GetPoolResponse* out);
// The most bytes of each list of a Pool and of each of its texts; more is cut off. The default cuts nothing that fits
// into an answer of 4 MiB.
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
