// From clients to the core.
#include <bit>
#include <cstring>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/validate.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using wire::ToAbsl;

constexpr std::uint32_t kMaxAttempts = 1'000'000;

std::uint64_t BigEndian(std::uint64_t number) {
  return std::endian::native == std::endian::big ? number : __builtin_bswap64(number);
}

std::uint64_t LoadBigEndian(const char* bytes) {
  std::uint64_t number;
  std::memcpy(&number, bytes, sizeof(number));
  return BigEndian(number);
}

void StoreBigEndian(std::uint64_t number, char* bytes) {
  number = BigEndian(number);
  std::memcpy(bytes, &number, sizeof(number));
}

absl::Status ReadRetries(const v1::TaskOptions& options, core::TaskOptions* out) {
  if (options.has_max_attempts()) {
    out->max_attempts = options.max_attempts();
    if (out->max_attempts == 0 || out->max_attempts > kMaxAttempts) {
      return InvalidField("options.max_attempts", absl::StrCat("options.max_attempts: ", out->max_attempts,
                                                               " is not between 1 and ", kMaxAttempts));
    }
  }
  if (options.retry_on_size() > 0) out->retry_on = 0;
  for (int state : options.retry_on()) {
    if (state != v1::TASK_STATE_FAILED && state != v1::TASK_STATE_CRASHED && state != v1::TASK_STATE_TIMED_OUT) {
      return InvalidField("options.retry_on",
                          absl::StrCat("options.retry_on: ", state, " is not FAILED, CRASHED or TIMED_OUT"));
    }
    out->retry_on |= 1u << state;
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<core::HandleId> ParseId(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return core::HandleId{LoadBigEndian(bytes.data()), LoadBigEndian(bytes.data() + 8)};
}

std::string IdBytes(core::HandleId id) {
  std::string out(16, '\0');
  StoreBigEndian(id.high, out.data());
  StoreBigEndian(id.low, out.data() + 8);
  return out;
}

absl::StatusOr<core::HandleId> ReadId(std::string_view bytes, std::string_view field) {
  if (std::optional<core::HandleId> id = ParseId(bytes)) return *id;
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": a handle has 16 bytes, this has ", bytes.size()));
}

core::ClientId SessionClient(core::HandleId client_id) {
  return core::ClientId{absl::Hash<core::HandleId>()(client_id)};
}

absl::StatusOr<core::Nanos> ReadDuration(const google::protobuf::Duration& duration, std::string_view field) {
  if (duration.seconds() < 0 || duration.nanos() < 0) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": a duration cannot be negative"));
  }
  if (duration.nanos() >= core::kSecond) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": nanos is not below 1000000000"));
  }
  if (duration.seconds() >= core::kNever / core::kSecond) return core::kNever;
  return duration.seconds() * core::kSecond + duration.nanos();
}

void ReadLimit(bool has, const google::protobuf::Duration& duration, std::string_view field, core::Nanos* out,
               absl::Status* status) {
  if (!has || !status->ok()) return;
  absl::StatusOr<core::Nanos> nanos = ReadDuration(duration, field);
  if (nanos.ok()) {
    *out = *nanos;
  } else {
    *status = nanos.status();
  }
}

absl::Status CheckNotZero(core::Nanos limit, std::string_view field) {
  if (limit > 0) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(ToAbsl(field), ": must be longer than zero; leave it unset for no limit"));
}

absl::Status CheckEncoding(int encoding, bool has_bytes, std::string_view field) {
  if (!v1::Encoding_IsValid(encoding)) {
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", encoding, " is not an encoding that we know"));
  }
  if (encoding == v1::ENCODING_UNSPECIFIED && has_bytes) {
    return InvalidField(field, absl::StrCat(ToAbsl(field),
                                            ": there are bytes but no encoding; say ENCODING_MSGPACK, "
                                            "ENCODING_PROTOBUF or ENCODING_RAW"));
  }
  return absl::OkStatus();
}

absl::StatusOr<core::Payload> ReadPayload(v1::Payload* payload, std::string_view field) {
  const bool has_bytes = !payload->data().empty() || !payload->upload_id().empty();
  if (absl::Status status = CheckEncoding(payload->encoding(), has_bytes, field); !status.ok()) return status;
  if (absl::Status status = CheckTypeName(payload->type_name(), field); !status.ok()) return status;
  core::Payload out;
  out.encoding = static_cast<core::Encoding>(payload->encoding());
  if (!payload->type_name().empty()) {
    out.type_name = std::make_shared<const std::string>(std::move(*payload->mutable_type_name()));
  }
  if (!payload->data().empty()) out.data = core::Bytes(std::move(*payload->mutable_data()));
  return out;
}

absl::StatusOr<core::TaskOptions> ReadTaskOptions(const v1::TaskOptions& options) {
  core::TaskOptions out;
  absl::Status status;
  ReadLimit(options.has_queue_timeout(), options.queue_timeout(), "options.queue_timeout", &out.queue_timeout, &status);
  ReadLimit(options.has_run_timeout(), options.run_timeout(), "options.run_timeout", &out.run_timeout, &status);
  ReadLimit(options.has_total_timeout(), options.total_timeout(), "options.total_timeout", &out.total_timeout, &status);
  ReadLimit(options.has_retry_delay(), options.retry_delay(), "options.retry_delay", &out.retry_delay, &status);
  ReadLimit(options.has_max_retry_delay(), options.max_retry_delay(), "options.max_retry_delay", &out.max_retry_delay,
            &status);
  ReadLimit(options.has_start_delay(), options.start_delay(), "options.start_delay", &out.start_delay, &status);
  if (status.ok()) status = CheckNotZero(out.run_timeout, "options.run_timeout");
  if (status.ok()) status = CheckNotZero(out.total_timeout, "options.total_timeout");
  if (status.ok()) status = ReadRetries(options, &out);
  if (!status.ok()) return status;
  if (options.priority() < -100 || options.priority() > 100) {
    return InvalidField("options.priority",
                        absl::StrCat("options.priority: ", options.priority(), " is not between -100 and 100"));
  }
  out.priority = options.priority();
  out.stream_output = options.stream_output();
  out.fresh = options.fresh();
  return out;
}

}  // namespace poold::api
