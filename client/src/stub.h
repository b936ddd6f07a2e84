// The unary and server-streaming calls, blocking, with errors as this SDK tells them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "downloaded.h"
#include "held_result.h"
#include "payload_socket.h"
#include "poold/client/options.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "poold/v1/server_info.pb.h"
#include "process_mark.h"
#include "result_in_arena.h"

namespace poold::client::internal {

absl::Status FromGrpc(const grpc::Status& status, std::string_view address);

// Thread-safe. Each call takes at most call_timeout plus what it waits for, twice where the connection failed under it.
// A daemon that is away for a moment is tried again; every call here does no harm when it is made twice.
class Stub {
 public:
  Stub(const std::shared_ptr<grpc::Channel>& channel, std::string address, Duration call_timeout);

  template <typename Request, typename Response>
  using Method = grpc::Status (v1::PoolService::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request, Duration wait = {}) {
    Response response;
    absl::Status status = Retry([&] {
      response.Clear();
      grpc::ClientContext context;
      SetDeadline(&context, wait);
      Introduce(&context);
      return (grpc_.get()->*method)(&context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  absl::Status GetItems(const v1::GetItemsRequest& request,
                        const std::function<bool(const v1::GetItemsResponse&)>& take);
  absl::Status Watch(const v1::WatchRequest& request, const std::function<bool(const v1::WatchResponse&)>& take);
  // With `head`: what the bytes are, without them.
  absl::StatusOr<std::string> Download(const v1::DownloadRequest& request, v1::Payload* head = nullptr);
  // Its id. Handed over where that is possible.
  absl::StatusOr<std::string> Upload(std::string_view bytes);
  // The same through gRPC.
  absl::StatusOr<std::string> SendUp(std::string_view bytes);
  // As Upload, in shared memory. Empty: not possible.
  std::string HandOver(const wire::Pieces& bytes);
  // In an arena. Nothing: not possible now.
  std::optional<wire::ArenaMaker::Reserved> Place(const wire::Pieces& bytes);
  // As Download, of a result that was told so; through shared memory where that is possible.
  absl::StatusOr<Downloaded> Fetch(const v1::DownloadRequest& request, const v1::Payload& told);
  std::optional<ResultInArena> InArena(const v1::Payload& told);
  // Null: it is not there, or cannot be held.
  std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told);
  // How the daemon that answers now takes and gives payloads in shared memory.
  void UsePayloadSocket(const v1::ServerInfo& server);

  v1::PoolService::StubInterface& grpc() { return *grpc_; }
  const std::string& address() const { return address_; }
  // This process is a task of a daemon, or was started by one.
  bool inside_a_task() const { return !worker_.empty(); }
  bool on_unix_socket() const { return address_.rfind("unix:", 0) == 0; }
  // Empty: the daemon does not listen at a path.
  std::string payload_socket_path() const;

 private:
  std::shared_ptr<PayloadSocket> payloads();
  absl::Status Retry(const std::function<grpc::Status()>& call);
  void SetDeadline(grpc::ClientContext* context, Duration wait) const;
  // Says which worker this task runs on, so that a wait that could not end is refused.
  void Introduce(grpc::ClientContext* context) const;

  // Constant after construction.
  const std::string address_;
  const std::string worker_;  // POOLD_WORKER; empty: no task
  const Duration call_timeout_;
  const ProcessMark process_ = ProcessMark::Here();
  const std::unique_ptr<v1::PoolService::StubInterface> grpc_;

  absl::Mutex mu_;
  // Null: everything goes through gRPC.
  std::shared_ptr<PayloadSocket> payloads_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
