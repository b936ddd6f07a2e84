// UploadStore: payloads that came in fragments and wait for the submission that takes them. Upload: one call of Upload.
//
// Threads: the store is thread-safe. Ownership: owns the waiting payloads.
// Bounds: `max_bytes` of uploads under way and waiting, each waiting at most `ttl`. An upload under way that sends
// nothing is cut off
//   when others need the room.
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

  // An upload that comes in pieces. The receiver owns it, notes when a piece came, and ends the upload when `cut` is
  // called.
  struct UnderWay {
    // Called by any thread.
    std::function<void()> cut;
    // The moment of the last piece, in ns.
    std::atomic<core::Nanos> progress_at = 0;
  };
  void Begin(const std::shared_ptr<UnderWay>& upload);

  // Reserves room for more bytes of an upload under way; Abandon gives it back. RESOURCE_EXHAUSTED: try again later.
  absl::Status Reserve(std::uint64_t bytes, core::Nanos now);
  void Abandon(std::uint64_t bytes);

  // Keeps bytes for which room was reserved, under an id that the client chose. ALREADY_EXISTS: the id is in use.
  // RESOURCE_EXHAUSTED: too many uploads wait, however small they are.
  absl::Status Keep(core::HandleId id, core::Bytes bytes, core::Nanos now);
  static constexpr std::size_t kMaxWaiting = 65'536;
  // Takes the bytes of an id out of the store. NOT_FOUND (UPLOAD_NOT_FOUND): there are none.
  absl::StatusOr<core::Bytes> Take(std::string_view id);
  // Returns bytes whose submission was refused: they wait again where `why` says when to try again, and are dropped
  // otherwise.
  void GiveBack(std::string_view id, core::Bytes bytes, const absl::Status& why, core::Nanos now);
  // Forgets an upload that no submission will take. Its room is free at once; its bytes go with the next DropExpired,
  // so that this may be called inside of an event. False: there is no such upload.
  bool Drop(core::HandleId id);

  // Drops uploads that have waited for longer than `ttl`.
  void DropExpired(core::Nanos now);
  // The moment in ns at which DropExpired has something to do; kNever: there is none.
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

// Upload: one call of Upload: fragments come in, and an id for all of them goes out.
//
// Role: bounds and keeps the fragments (base/spool.h), large payloads in the spool: writing one there takes some 0.2
// ms. Threads: one
//   at a time. Ownership: gives back everything that was not finished when it goes.
class Upload {
 public:
  // `cut` is called, by any thread, when others need the room and nothing has come for a while: it ends the call. It
  // must be safe to call after the upload is gone. `service` must outlive it.
  Upload(ServiceContext* service, std::function<void()> cut);
  ~Upload() { Abandon(); }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // Adds the next fragment. After an error the upload is over. RESOURCE_EXHAUSTED (QUEUE_FULL): try again later.
  absl::Status Append(std::string_view fragment);
  // Puts the whole payload into the store, and returns the answer of the call. Call once.
  absl::StatusOr<v1::UploadResponse> Finish();
  // Drops the fragments. Idempotent.
  void Abandon();
  // Drops a finished upload whose id the client did not learn.
  void Forget();

 private:
  ServiceContext& service_;
  base::PayloadDraft draft_;
  const std::shared_ptr<UploadStore::UnderWay> under_way_ = std::make_shared<UploadStore::UnderWay>();
  std::uint64_t reserved_ = 0;
  std::string kept_;
};

}  // namespace poold::api
