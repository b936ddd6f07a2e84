// One message of a session on its way into the cores.
//
// Role: checks the form of everything in it, and converts it into a batch (Read), which engine::SessionPort brings to
// the cores. What can be refused for itself is refused for itself; what shows that the client does not follow the
// contract ends the stream. Non-role: enters no core, knows no transport. Used by the thread that reads its session
// only; one for each session, which reuses its memory.
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
  // Both must outlive it.
  RequestDecoder(const api::ServiceOptions& options, api::UploadStore* uploads)
      : options_(options), uploads_(uploads) {}

  // Takes argument bytes out of `request`, which must stay as it is until the batch was applied. An error ends the
  // stream.
  absl::Status Read(v1::SessionRequest* request);
  // The requests of the message, for the cores.
  engine::Batch* batch() { return &batch_; }
  bool greeted() const { return greeted_; }
  // The request that was read last brought the hello.
  bool greeting() const { return greeting_; }
  // The session's client, once the session has greeted.
  core::ClientId client() const { return client_; }

  // The request that was read last was a large one: its memory is better given back than kept for the next one. When
  // all of it was applied.
  bool TakeLarge();
  bool has_refused() const { return !refused_.empty() || !batch_.refused.empty(); }
  // The handles that were refused, after the whole batch was applied.
  std::vector<RefusedHandle> TakeRefused();
  // Uploads whose tasks were refused. When all of it was applied.
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

  // Of the message under way.
  bool large_ = false;
  engine::Batch batch_;
  std::vector<RefusedHandle> refused_;  // for their form

  // What the last group had: most groups of a stream are alike.
  std::shared_ptr<const core::TaskOptions> last_options_ = std::make_shared<const core::TaskOptions>();
  std::shared_ptr<const std::string> last_type_name_;
};

}  // namespace poold::session
