#include "rpc/uploads.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/errors.h"
#include "rpc/convert.h"

namespace poold::rpc {

absl::Status UploadStore::Reserve(std::uint64_t bytes, core::Nanos now) {
  DropExpired(now);
  if (bytes > max_bytes_ - std::min(used_bytes_, max_bytes_)) {
    return core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL",
                           absl::StrCat("uploads that no submission took yet fill the room of ", max_bytes_,
                                        " bytes; submit them, or try again later"),
                           "max_upload_bytes", core::kSecond);
  }
  used_bytes_ += bytes;
  return absl::OkStatus();
}

void UploadStore::Keep(core::HandleId id, core::Bytes bytes, core::Nanos now) {
  waiting_[id] = Upload{std::move(bytes), now + ttl_};
  next_expiry_ = std::min(next_expiry_, now + ttl_);
}

absl::StatusOr<core::Bytes> UploadStore::Take(std::string_view id) {
  const std::optional<core::HandleId> key = ParseId(id);
  auto found = key ? waiting_.find(*key) : waiting_.end();
  if (found == waiting_.end()) {
    return core::MakeError(absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND",
                           "there is no such upload: a submission took it, or it waited too long; upload it again",
                           "upload_id");
  }
  core::Bytes bytes = std::move(found->second.bytes);
  waiting_.erase(found);
  used_bytes_ -= bytes.size();
  return bytes;
}

void UploadStore::GiveBack(std::string_view id, core::Bytes bytes, core::Nanos now) {
  const std::optional<core::HandleId> key = ParseId(id);
  if (!key) return;
  used_bytes_ += bytes.size();
  waiting_[*key] = Upload{std::move(bytes), now + ttl_};
  next_expiry_ = std::min(next_expiry_, now + ttl_);
}

void UploadStore::DropExpired(core::Nanos now) {
  if (now < next_expiry_) return;
  next_expiry_ = core::kNever;
  absl::erase_if(waiting_, [&](const auto& entry) {
    const Upload& upload = entry.second;
    if (upload.expires_at <= now) {
      used_bytes_ -= upload.bytes.size();
      return true;
    }
    next_expiry_ = std::min(next_expiry_, upload.expires_at);
    return false;
  });
}

}  // namespace poold::rpc
