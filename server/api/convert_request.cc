// From clients to the core.
#include <bit>
#include <cstring>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/convert_options.h"
#include "api/errors.h"
#include "api/validate.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

using wire::ToAbsl;

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
  absl::Status status = ReadOptions(options, "options.", core::TaskFields(), &out);
  if (!status.ok()) return status;
  return out;
}

}  // namespace poold::api
