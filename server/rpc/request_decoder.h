// One message of a session on its way into the core.
//
// Role: checks the form of everything in it, outside of the mutex (Read); then brings each part of it to the core where
// its pool lies, each in one event (Apply). What can be refused for itself is refused for itself; what shows that the
// client does not follow the contract ends the stream. Non-role: knows nothing of gRPC. Used by the thread that reads
// its session only; one for each session, which reuses its memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/core.h"
#include "gate/shards.h"
#include "poold/v1/session.pb.h"
#include "rpc/handle_homes.h"
#include "rpc/response_encoder.h"
#include "rpc/service_options.h"
#include "rpc/uploads.h"

namespace poold::rpc {

class RequestDecoder {
 public:
  // Both must outlive it.
  RequestDecoder(const ServiceOptions& options, UploadStore* uploads, const gate::Shards& shards)
      : options_(options), uploads_(uploads), shards_(shards), waits_(shards.size()) {}

  // Takes argument bytes out of `request`, which must stay as it is until the last Apply. An error ends the stream.
  absl::Status Read(v1::SessionRequest* request);
  bool greeted() const { return greeted_; }
  // The request that was read last brought the hello.
  bool greeting() const { return greeting_; }
  // Who it is, once it has greeted.
  core::ClientId client() const { return client_; }

  // The shard that is next; none when all of it was applied. One at least for each request; all for a greeting.
  std::optional<std::size_t> Next() const;
  // Called inside an event of the shard that is next.
  void Apply(core::Core& core, core::Nanos now, core::SubscriberId subscriber, const core::ClientOrigin& origin);
  // The request that was read last was a large one: its memory is better given back than kept for the next one. When
  // all of it was applied.
  bool TakeLarge();
  bool has_refused() const { return !refused_.empty(); }
  // What was refused, when all of it was applied.
  std::vector<RefusedHandle> TakeRefused() { return std::exchange(refused_, {}); }

 private:
  struct Tasks {
    std::size_t shard = 0;
    core::TaskGroup group;
    std::size_t begin = 0;
    std::size_t count = 0;
    std::string upload_id;  // that stands for the arguments of its one task; empty for none
  };

  struct Map {
    std::size_t shard = 0;
    core::MapGroup group;
  };
  // Refused for its form; the core may know more of it.
  struct RefusedPart {
    std::size_t shard = 0;
    RefusedHandle handle;
  };
  // What is asked of neighbouring handles that are known already.
  struct HandleRequest {
    enum class What : std::uint8_t { kSubscribe, kCancel, kCancelRunning, kRelease, kConsumed } what;
    core::HandleId first;
    std::uint64_t count = 1;
    // Where they are looked for now, and in how many others after that.
    std::size_t shard = 0;
    std::size_t others = 0;
    // Of kConsumed.
    std::uint64_t first_item = 0;
    std::uint64_t items = 0;
  };

  absl::Status ReadHello(const v1::SessionRequest& request);
  absl::Status CheckCounts(const v1::SessionRequest& request);
  absl::Status CheckRuns(const v1::IdRuns& runs, std::string_view field) const;
  void ReadTasks(v1::TaskGroup* group);
  absl::Status ReadTaskGroup(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> ReadArgs(v1::TaskGroup* group);
  absl::StatusOr<core::Bytes> TakeShared(const v1::TaskGroup& group) const;
  void ReadMap(v1::MapGroup* group);
  void ReadHandleRequests(const v1::SessionRequest& request);
  void ReadRuns(const v1::IdRuns& runs, HandleRequest::What what);
  void AddHandleRequest(const HandleRequest& asked);
  void Await(std::size_t shard) { waits_[shard] = true; }
  std::size_t HomeOf(const core::HandleId& id) const { return homes_.Of(id).value_or(0); }
  void Learn(const core::HandleId& first, std::uint64_t count, std::size_t shard);
  void ApplyTasks(std::size_t shard, core::Core& core, core::Nanos now, core::SubscriberId subscriber,
                  const core::ClientOrigin& origin);
  void ApplyMaps(std::size_t shard, core::Core& core, core::Nanos now, core::SubscriberId subscriber,
                 const core::ClientOrigin& origin);
  void ApplyHandleRequests(std::size_t shard, core::Core& core, core::Nanos now, core::SubscriberId subscriber);
  absl::Status Ask(const HandleRequest& asked, const core::HandleId& id, core::Core& core, core::Nanos now,
                   core::SubscriberId subscriber) const;
  void LookElsewhere(const HandleRequest& asked, const core::HandleId& id);
  absl::StatusOr<core::MapGroup> ReadMapGroup(v1::MapGroup* group);
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> ReadOptions(bool has, const v1::TaskOptions& options);
  std::shared_ptr<const std::string> TypeName(const std::string& name);

  const ServiceOptions& options_;
  UploadStore* const uploads_;
  const gate::Shards& shards_;
  bool greeted_ = false;
  bool greeting_ = false;
  core::ClientId client_{};

  // Of the message under way.
  bool large_ = false;
  std::vector<bool> waits_;  // of each shard: it is to be entered
  std::vector<core::NewTask> tasks_;
  std::vector<Tasks> groups_;
  std::vector<Map> maps_;
  std::vector<HandleRequest> handle_requests_;
  std::vector<RefusedHandle> refused_;
  std::vector<RefusedPart> refused_maps_;
  // Whose upload is not there, or for whose arguments there is no memory: perhaps they were taken before, on a stream
  // that broke.
  std::vector<RefusedPart> without_args_;
  std::vector<core::Refusal> refusals_;

  // With several shards.
  HandleHomes homes_;
  // What the last group had: most groups of a stream are alike.
  std::shared_ptr<const core::TaskOptions> last_options_ = std::make_shared<const core::TaskOptions>();
  std::shared_ptr<const std::string> last_type_name_;
};

}  // namespace poold::rpc
