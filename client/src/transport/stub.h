// Stub: the calls of PoolService but Session, blocking, with the SDK's errors.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/options.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "poold/v1/server_info.pb.h"
#include "process_mark.h"
#include "session/downloaded.h"
#include "transport/known_arena.h"
#include "transport/local_calls.h"
#include "transport/payload_socket.h"

namespace poold::client::internal {

// The SDK's status of a gRPC status. Where no daemon answered the message names `address` and the remedy.
absl::Status FromGrpc(const grpc::Status& status, std::string_view address);

// Threads: thread-safe; each call blocks the calling thread.
// Limits: each call takes at most call_timeout plus the time that it waits for, twice where the connection failed under
//   it.
// Repeating: a call that no daemon answered is repeated for 3 s, or for call_timeout where that is shorter; every call
//   here may be made twice without harm. GetItems and Watch are not repeated.
// Errors: FAILED_PRECONDITION (FORKED) in a child; otherwise as FromGrpc.
class Stub {
 public:
  Stub(const std::shared_ptr<grpc::Channel>& channel, std::string address, Duration call_timeout);

  template <typename Request, typename Response>
  using Method = grpc::Status (v1::PoolService::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

  // Makes a unary call that waits for up to `wait`.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request, Duration wait = {}) {
    Response response;
    absl::Status status = Retry([&] {
      response.Clear();
      if (const auto status = CallHere(NameOf(request), request, &response, wait)) return *status;
      grpc::ClientContext context;
      SetDeadline(&context, wait);
      Introduce(&context);
      return (grpc_.get()->*method)(&context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  // Calls `take` with each message, until it returns false or the stream ends; both are OK. Exceptions of `take` pass.
  absl::Status GetItems(const v1::GetItemsRequest& request,
                        const std::function<bool(const v1::GetItemsResponse&)>& take);
  absl::Status Watch(const v1::WatchRequest& request, const std::function<bool(const v1::WatchResponse&)>& take);
  // Brings bytes of any size, and resumes after a failure. `head`: receives the payload's description without its
  // bytes.
  absl::StatusOr<std::string> Download(const v1::DownloadRequest& request, v1::Payload* head = nullptr);
  // Uploads bytes and returns the upload's id: in shared memory where that is possible, otherwise as SendUp.
  absl::StatusOr<std::string> Upload(std::string_view bytes);
  // Uploads bytes through gRPC and returns the upload's id.
  absl::StatusOr<std::string> SendUp(std::string_view bytes);
  // Hands bytes over in shared memory and returns the upload's id. Empty: not possible, use SendUp.
  std::string HandOver(const wire::Pieces& bytes);
  // Writes bytes into an arena. Nothing: not possible now.
  std::optional<wire::ArenaMaker::Reserved> Place(const wire::Pieces& bytes);
  // Brings a result that an outcome described as `told`, through shared memory where that is possible.
  absl::StatusOr<Downloaded> Fetch(const v1::DownloadRequest& request, const v1::Payload& told);
  // The result in the worker's arena, without a copy. Nothing: the arena is not available in this process.
  std::optional<ResultInArena> InArena(const v1::Payload& told);
  // The result in the worker's arena, held. Null: the result is not there, or cannot be held.
  std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told);
  // Takes up the payload socket of the daemon that answers now; none where the daemon is not on this host.
  void UsePayloadSocket(const v1::ServerInfo& server);

  // Whether calls may go the way of a session without gRPC, to the daemon that answers now.
  void UseLocalCalls(bool use);

  // For streams.
  v1::PoolService::StubInterface& grpc() { return *grpc_; }
  const std::string& address() const { return address_; }
  // Whether this process is a task of a daemon, or was started by one.
  bool inside_a_task() const { return !worker_.empty(); }
  bool on_unix_socket() const { return address_.rfind("unix:", 0) == 0; }
  // As ConnectToDaemon takes it. Empty: gRPC is the only way.
  std::string address_without_grpc() const;

 private:
  std::shared_ptr<PayloadSocket> payloads();
  absl::Status Retry(const std::function<grpc::Status()>& call);
  // The method of whose name "Request" is left away is the request's.
  static std::string NameOf(const google::protobuf::MessageLite& request);
  // A unary call without gRPC. Nothing: use gRPC.
  std::optional<grpc::Status> CallHere(std::string_view method, const google::protobuf::MessageLite& request,
                                       google::protobuf::MessageLite* response, Duration wait);
  std::shared_ptr<LocalCalls> local_calls();
  // One try each: through gRPC, and without it (nothing: use gRPC).
  grpc::Status DownloadOnce(const v1::DownloadRequest& rest, v1::Payload* head, std::string* bytes);
  std::optional<grpc::Status> DownloadHere(const v1::DownloadRequest& rest, v1::Payload* head, std::string* bytes);
  grpc::Status UploadOnce(std::string_view bytes, v1::UploadResponse* response);
  std::optional<grpc::Status> UploadHere(std::string_view bytes, v1::UploadResponse* response);
  Deadline DeadlineAfter(Duration wait) const;
  void SetDeadline(grpc::ClientContext* context, Duration wait) const;
  // Names the worker that this task runs on, so that the daemon refuses a wait that could not end.
  void Introduce(grpc::ClientContext* context) const;

  // Constant after construction.
  const std::string address_;
  // POOLD_WORKER; empty: this process is no task.
  const std::string worker_;
  const Duration call_timeout_;
  const ProcessMark process_ = ProcessMark::Here();
  const std::unique_ptr<v1::PoolService::StubInterface> grpc_;

  absl::Mutex mu_;
  // Null: payloads go through gRPC.
  std::shared_ptr<PayloadSocket> payloads_ ABSL_GUARDED_BY(mu_);
  // Null: calls go through gRPC.
  std::shared_ptr<LocalCalls> local_calls_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
