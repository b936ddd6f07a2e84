#include "api/uploads.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/service_context.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

// Who sent nothing for so long has stalled.
constexpr core::Nanos kStalledFrom = 2 * core::kSecond;

constexpr std::size_t kMaxFragmentBytes = 1 << 20;

// What the spool says, as clients are told of bounds.
absl::Status Spooled(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return core::MakeError(reason::kQueueFull, wire::ToStd(status.message()), "spool", core::kSecond);
}

}  // namespace

void UploadStore::Begin(const std::shared_ptr<UnderWay>& upload) {
  absl::MutexLock lock(&mu_);
  if (under_way_.size() >= sweep_at_) {
    std::erase_if(under_way_, [](const auto& one) { return one.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * under_way_.size());
  }
  under_way_.push_back(upload);
}

void UploadStore::CutStalled(core::Nanos now) {
  std::vector<std::shared_ptr<UnderWay>> living;
  {
    absl::MutexLock lock(&mu_);
    for (const std::weak_ptr<UnderWay>& one : under_way_) {
      if (auto upload = one.lock()) living.push_back(std::move(upload));
    }
  }
  for (const std::shared_ptr<UnderWay>& upload : living) {
    if (now - upload->progress_at.load(std::memory_order_relaxed) > kStalledFrom) upload->cut();
  }
}

absl::Status UploadStore::Reserve(std::uint64_t bytes, core::Nanos now) {
  DropExpired(now);
  {
    absl::MutexLock lock(&mu_);
    if (bytes <= max_bytes_ - std::min(used_bytes_, max_bytes_)) {
      used_bytes_ += bytes;
      return absl::OkStatus();
    }
  }
  CutStalled(now);
  return core::MakeError(reason::kQueueFull,
                         absl::StrCat("uploads that no submission took yet fill the room of ", max_bytes_,
                                      " bytes; submit them, or try again later"),
                         "max_upload_bytes", core::kSecond);
}

void UploadStore::Abandon(std::uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  used_bytes_ -= bytes;
}

std::uint64_t UploadStore::used_bytes() const {
  absl::MutexLock lock(&mu_);
  return used_bytes_;
}

void UploadStore::ExpireAt(core::Nanos at) {
  if (at < next_expiry_.load(std::memory_order_relaxed)) next_expiry_.store(at, std::memory_order_relaxed);
}

absl::Status UploadStore::Keep(core::HandleId id, core::Bytes bytes, core::Nanos now) {
  absl::MutexLock lock(&mu_);
  if (waiting_.size() >= kMaxWaiting) {
    return core::MakeError(reason::kQueueFull,
                           absl::StrCat(kMaxWaiting,
                                        " uploads wait that no submission took yet; submit them, or try "
                                        "again later"),
                           "uploads", core::kSecond);
  }
  if (!waiting_.try_emplace(id, Upload{std::move(bytes), now + ttl_}).second) return absl::AlreadyExistsError("");
  ExpireAt(now + ttl_);
  return absl::OkStatus();
}

absl::StatusOr<core::Bytes> UploadStore::Take(std::string_view id) {
  const std::optional<core::HandleId> key = ParseId(id);
  absl::MutexLock lock(&mu_);
  auto found = key ? waiting_.find(*key) : waiting_.end();
  if (found == waiting_.end()) {
    return core::MakeError(reason::kUploadNotFound,
                           "there is no such upload: a submission took it, or it waited too long; upload it again",
                           "upload_id");
  }
  core::Bytes bytes = std::move(found->second.bytes);
  waiting_.erase(found);
  used_bytes_ -= bytes.size();
  return bytes;
}

void UploadStore::GiveBack(std::string_view id, core::Bytes bytes, const absl::Status& why, core::Nanos now) {
  const std::optional<core::HandleId> key = ParseId(id);
  if (!key) return;
  const bool again = core::DetailOf(why).retry_after > 0;
  absl::MutexLock lock(&mu_);
  if (!again) {
    dropped_.push_back(std::move(bytes));
    return ExpireAt(now);
  }
  used_bytes_ += bytes.size();
  waiting_[*key] = Upload{std::move(bytes), now + ttl_};
  ExpireAt(now + ttl_);
}

bool UploadStore::Drop(core::HandleId id) {
  if (next_expiry() == core::kNever) return false;  // there is none
  absl::MutexLock lock(&mu_);
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  used_bytes_ -= found->second.bytes.size();
  dropped_.push_back(std::move(found->second.bytes));
  waiting_.erase(found);
  ExpireAt(0);
  return true;
}

void UploadStore::DropExpired(core::Nanos now) {
  if (now < next_expiry()) return;
  std::vector<core::Bytes> dropped;  // destroyed without the mutex: large ones take time
  absl::MutexLock lock(&mu_);
  dropped.swap(dropped_);
  core::Nanos next = core::kNever;
  absl::erase_if(waiting_, [&](auto& entry) {
    mu_.AssertHeld();
    Upload& upload = entry.second;
    if (upload.expires_at > now) {
      next = std::min(next, upload.expires_at);
      return false;
    }
    used_bytes_ -= upload.bytes.size();
    dropped.push_back(std::move(upload.bytes));
    return true;
  });
  next_expiry_.store(next, std::memory_order_relaxed);
}

Upload::Upload(ServiceContext* service, std::function<void()> cut)
    : service_(*service), draft_(service->options.spool.get(), service->options.memory->uploads) {
  under_way_->progress_at = service_.clock->Now();
  under_way_->cut = std::move(cut);
  service_.uploads.Begin(under_way_);
}

absl::Status Upload::Append(std::string_view fragment) {
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
