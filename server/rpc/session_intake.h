// One message of a session on its way into the core.
//
// Role: checks the form of everything in it, outside of the mutex (Read); then brings all of it to the core in one
// event (Apply). What can be refused for itself is refused for itself; what shows that the client does not follow the
// contract ends the stream. Non-role: knows nothing of gRPC. Used by the RPC thread only; one for each stream, which
// reuses its memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/core.h"
#include "poold/v1/session.pb.h"
#include "rpc/service_options.h"
#include "rpc/session_outbox.h"
#include "rpc/uploads.h"

namespace poold::rpc {

class SessionIntake {
 public:
  // Both must outlive it.
  SessionIntake(const ServiceOptions& options, UploadStore* uploads) : options_(options), uploads_(uploads) {}

  // Takes argument bytes out of `request`, which must stay as it is until Apply. An error ends the stream.
  absl::Status Read(v1::SessionRequest* request);
  bool greeted() const { return greeted_; }
  // The request that was read last brought the hello.
  bool greeting() const { return greeting_; }
  // Who it is, once it has greeted.
  core::ClientId client() const { return client_; }

  // Called inside gate::Gate::Enter. Returns what was refused.
  std::vector<RefusedHandle> Apply(core::Core& core, core::Nanos now, core::SubscriberId subscriber);

 private:
  struct Tasks {
    core::TaskGroup group;
    std::size_t begin = 0;
    std::size_t count = 0;
    std::string upload_id;  // that stands for the arguments of its one task; empty for none
  };

  absl::Status ReadHello(const v1::SessionRequest& request);
  absl::Status CheckCounts(const v1::SessionRequest& request) const;
  absl::Status CheckRuns(const v1::IdRuns& runs, std::string_view field) const;
  void ReadTasks(v1::TaskGroup* group);
  absl::Status ReadTaskGroup(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> ReadArgs(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> TakeShared(const v1::TaskGroup& group) const;
  void ReadMap(v1::MapGroup* group);
  absl::StatusOr<core::MapGroup> ReadMapGroup(v1::MapGroup* group);
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> ReadOptions(bool has, const v1::TaskOptions& options);
  std::shared_ptr<const std::string> TypeName(const std::string& name);

  const ServiceOptions& options_;
  UploadStore* const uploads_;
  bool greeted_ = false;
  bool greeting_ = false;
  core::ClientId client_{};

  // Of the message under way.
  const v1::SessionRequest* request_ = nullptr;
  std::vector<core::NewTask> tasks_;
  std::vector<Tasks> groups_;
  std::vector<core::MapGroup> maps_;
  std::vector<RefusedHandle> refused_;
  std::vector<RefusedHandle> refused_maps_;
  // Whose upload is not there: perhaps they took it before, on a stream that broke.
  std::vector<RefusedHandle> without_upload_;
  std::vector<core::Refusal> refusals_;

  // What the last group had: most groups of a stream are alike.
  std::shared_ptr<const core::TaskOptions> last_options_ = std::make_shared<const core::TaskOptions>();
  std::shared_ptr<const std::string> last_type_name_;
};

}  // namespace poold::rpc
