#include "api/upload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

constexpr std::size_t kMaxFragmentBytes = 1 << 20;

// What the spool says, as clients are told of bounds.
absl::Status Spooled(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL", wire::ToStd(status.message()), "spool",
                         core::kSecond);
}

}  // namespace

Upload::Upload(ServiceContext* service, std::function<void()> cut)
    : service_(*service), draft_(service->options.spool.get(), service->options.memory->uploads) {
  under_way_->progress_at = service_.clock->Now();
  under_way_->cut = std::move(cut);
  service_.uploads.Begin(under_way_);
}

absl::Status Upload::Append(const std::string& fragment) {
  const core::Nanos now = service_.clock->Now();
  under_way_->progress_at.store(now, std::memory_order_relaxed);
  if (fragment.size() > kMaxFragmentBytes) {
    return TooLarge("fragment", absl::StrCat("fragment: ", fragment.size(), " bytes; at most ", kMaxFragmentBytes));
  }
  const std::uint64_t most = service_.options.limits.max_payload_bytes;
  if (draft_.size() + fragment.size() > most) {
    return TooLarge("fragment", absl::StrCat("the upload is larger than a payload may be: ", most, " bytes"));
  }
  if (absl::Status status = service_.uploads.Reserve(fragment.size(), now); !status.ok()) return status;
  reserved_ += fragment.size();
  return Spooled(draft_.Append(fragment));
}

absl::StatusOr<v1::UploadResponse> Upload::Finish() {
  absl::StatusOr<base::Kept> bytes = draft_.Finish();
  if (!bytes.ok()) return Spooled(bytes.status());
  v1::UploadResponse response;
  response.set_size_bytes(bytes->view.size());
  const core::HandleId id = service_.engine.NewId();
  const absl::Status kept =
      service_.uploads.Keep(id, core::Bytes(std::move(bytes->owner), bytes->view), service_.clock->Now());
  if (!kept.ok()) return kept;
  kept_ = IdBytes(id);
  reserved_ = 0;
  response.set_upload_id(kept_);
  return response;
}

void Upload::Abandon() {
  service_.uploads.Abandon(std::exchange(reserved_, 0));
  draft_.Clear();
}

void Upload::Forget() {
  Abandon();
  if (!kept_.empty()) static_cast<void>(service_.uploads.Take(std::exchange(kept_, "")));
}

}  // namespace poold::api
