// RequestDecoder: one message of a session on its way into the cores.
//
// Role: checks the form of all requests of a message, and converts them into a batch (Read), which engine::SessionPort
// brings to the cores. A request that is wrong by itself is refused by itself; a message that breaks the contract ends
// the stream. Non-role: enters no core, knows no transport.
// Threads: the thread that reads for the session. Ownership: owned by the session; reuses its memory from message to
// message. Errors: see Read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/service_options.h"
#include "api/uploads.h"
#include "core/core.h"
#include "engine/session_port.h"
#include "poold/v1/session.pb.h"
#include "session/response_encoder.h"

namespace poold::session {

class RequestDecoder {
 public:
  // `options` and `uploads` must outlive it.
  RequestDecoder(const api::ServiceOptions& options, api::UploadStore* uploads)
      : options_(options), uploads_(uploads) {}

  // Converts the requests of a message. Takes argument bytes out of `request`, which must stay unchanged until the
  // batch was applied. INVALID_ARGUMENT: the message breaks the contract, and the stream ends.
  absl::Status Read(v1::SessionRequest* request);
  // The requests of the message, for the cores.
  engine::Batch* batch() { return &batch_; }
  // Whether a hello has come.
  bool greeted() const { return greeted_; }
  // Whether the last message brought the hello.
  bool greeting() const { return greeting_; }
  // The session's client, once the session has greeted.
  core::ClientId client() const { return client_; }

  // Whether the last message was so large that its memory should be given back. Call when all of it was applied.
  bool TakeLarge();
  // Whether TakeRefused has something.
  bool has_refused() const { return !refused_.empty() || !batch_.refused.empty(); }
  // Takes the refused handles. Call after the whole batch was applied.
  std::vector<RefusedHandle> TakeRefused();
  // Returns uploads whose tasks were refused to the store. Call after the whole batch was applied.
  void GiveBackUploads(core::Nanos now);

 private:
  using What = engine::Batch::HandleRequest::What;

  absl::Status ReadHello(const v1::SessionRequest& request);
  absl::Status CheckCounts(const v1::SessionRequest& request);
  absl::Status CheckRuns(const v1::IdRuns& runs, std::string_view field) const;
  void ReadTasks(v1::TaskGroup* group);
  absl::Status ReadTaskGroup(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> ReadArgs(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> TakeShared(const v1::TaskGroup& group) const;
  void ReadMap(v1::MapGroup* group);
  void ReadHandleRequests(const v1::SessionRequest& request);
  void ReadRuns(const v1::IdRuns& runs, What what);
  absl::StatusOr<core::MapGroup> ReadMapGroup(v1::MapGroup* group);
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> ReadOptions(bool has, const v1::TaskOptions& options);
  std::shared_ptr<const std::string> TypeName(const std::string& name);

  const api::ServiceOptions& options_;
  api::UploadStore* const uploads_;
  bool greeted_ = false;
  bool greeting_ = false;
  core::ClientId client_{};

  // The state of the message under way; `refused_`: the handles that are refused for their form.
  bool large_ = false;
  engine::Batch batch_;
  std::vector<RefusedHandle> refused_;

  // The options and the type of the last group, since most groups of a stream are alike.
  std::shared_ptr<const core::TaskOptions> last_options_ = std::make_shared<const core::TaskOptions>();
  std::shared_ptr<const std::string> last_type_name_;
};

}  // namespace poold::session
