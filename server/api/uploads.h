// Payloads that came in fragments and wait for the submission that takes them.
//
// Thread-safe. Bounded: `max_bytes` of uploads under way and waiting, each waiting at most `ttl`. Who is under way and
// sends nothing is cut off when others need the room.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/spool.h"
#include "core/types.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

struct ServiceContext;

class UploadStore {
 public:
  UploadStore(std::uint64_t max_bytes, core::Nanos ttl) : max_bytes_(max_bytes), ttl_(ttl) {}

  // An upload that comes in pieces. Whoever receives it owns it, says when a piece came, and ends the upload when `cut`
  // is called, by any thread.
  struct UnderWay {
    std::function<void()> cut;
    std::atomic<core::Nanos> progress_at = 0;
  };
  void Begin(const std::shared_ptr<UnderWay>& upload);

  // Room for more bytes of an upload under way, given back by Abandon. RESOURCE_EXHAUSTED: try again later.
  absl::Status Reserve(std::uint64_t bytes, core::Nanos now);
  void Abandon(std::uint64_t bytes);

  // Keeps bytes for which room was reserved, under the client's name for them: a fresh id. ALREADY_EXISTS: it is not
  // fresh. RESOURCE_EXHAUSTED: too many wait, however small they are.
  absl::Status Keep(core::HandleId id, core::Bytes bytes, core::Nanos now);
  static constexpr std::size_t kMaxWaiting = 65'536;
  // Once. NOT_FOUND: UPLOAD_NOT_FOUND.
  absl::StatusOr<core::Bytes> Take(std::string_view id);
  // The submission that took it was refused: it waits again where `why` says when to try again, and is dropped where
  // it does not.
  void GiveBack(std::string_view id, core::Bytes bytes, const absl::Status& why, core::Nanos now);
  // No submission will take it. Its room is free at once; its bytes go with the next DropExpired, so that this may be
  // called inside of an event. False: it is not here.
  bool Drop(core::HandleId id);

  void DropExpired(core::Nanos now);
  // When DropExpired has something to do; kNever for nothing.
  core::Nanos next_expiry() const { return next_expiry_.load(std::memory_order_relaxed); }
  std::uint64_t used_bytes() const;

 private:
  struct Upload {
    core::Bytes bytes;
    core::Nanos expires_at = 0;
  };
  void CutStalled(core::Nanos now);
  void ExpireAt(core::Nanos at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::uint64_t max_bytes_;
  const core::Nanos ttl_;
  mutable absl::Mutex mu_;
  std::uint64_t used_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // Written under the mutex.
  std::atomic<core::Nanos> next_expiry_ = core::kNever;
  absl::flat_hash_map<core::HandleId, Upload> waiting_ ABSL_GUARDED_BY(mu_);
  std::vector<std::weak_ptr<UnderWay>> under_way_ ABSL_GUARDED_BY(mu_);
  std::size_t sweep_at_ ABSL_GUARDED_BY(mu_) = 64;
  std::vector<core::Bytes> dropped_ ABSL_GUARDED_BY(mu_);
};

// One call of Upload: fragments come in, a name for all of them goes out.
//
// Role: bounds and keeps what comes (base/spool.h), large payloads in the spool: a fragment into the page cache
// takes some 0.2 ms. Threads: one at a time. Ownership: what was not finished is given back when it goes.
class Upload {
 public:
  // `cut` is called, by any thread, when others need the room and nothing has come for a while: it ends the call. It
  // must be safe to call after the upload is gone. `service` must outlive it.
  Upload(ServiceContext* service, std::function<void()> cut);
  ~Upload() { Abandon(); }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // The next fragment. After an error the upload is over. RESOURCE_EXHAUSTED (QUEUE_FULL): try again later.
  absl::Status Append(const std::string& fragment);
  // All fragments are there. Once.
  absl::StatusOr<v1::UploadResponse> Finish();
  // Lets go of what came. Idempotent.
  void Abandon();
  // The client went away before it learnt the name: no submission will ask for it.
  void Forget();

 private:
  ServiceContext& service_;
  base::PayloadDraft draft_;
  const std::shared_ptr<UploadStore::UnderWay> under_way_ = std::make_shared<UploadStore::UnderWay>();
  std::uint64_t reserved_ = 0;
  std::string kept_;
};

}  // namespace poold::api
