// One call of Upload: fragments come in, a name for all of them goes out.
//
// Role: bounds and keeps what comes (base/payload_draft.h), large payloads in the spool: a fragment into the page cache
// takes some 0.2 ms. Threads: one at a time. Ownership: what was not finished is given back when it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/service_context.h"
#include "base/payload_draft.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

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
