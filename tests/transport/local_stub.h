// The methods of PoolService as a stub of gRPC has them, carried by the payload socket: so the same stories are told
// both ways. A connection for each call.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/test/client_context_test_peer.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "payload_caller.h"
#include "poold/v1/call.pb.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "poold/v1/pool_service_mock.grpc.pb.h"
#include "session_ways.h"

namespace poold::transport {

// One call, from its head to its status.
class LocalCall {
 public:
  LocalCall(const std::string& path, const std::string& method, grpc::ClientContext* context) {
    const auto left = context->deadline() - std::chrono::system_clock::now();
    Caller caller(path);
    if (!caller.Send(wire::PayloadAsk::kCalls, std::string(16, '\0'), 0)) return;
    if (caller.Answer() != wire::PayloadStatus::kTaken) return;
    socket_.emplace(caller.Release(), 1u << 30);
    v1::CallHead head;
    head.set_method(method);
    if (left < std::chrono::hours(24)) {
      head.mutable_timeout()->set_nanos(
          std::max<std::int64_t>(std::chrono::nanoseconds(left).count() % 1'000'000'000, 0));
      head.mutable_timeout()->set_seconds(std::max<std::int64_t>(left / std::chrono::seconds(1), 0));
    }
    for (const auto& [name, value] : grpc::testing::ClientContextTestPeer(context).GetSendInitialMetadata()) {
      if (name == "poold-client") head.set_client(value);
      if (name == "poold-worker") head.set_worker(value);
    }
    socket_->Put(head);  // leaves with the request
  }

  template <typename Message>
  bool Write(const Message& message, bool last) {
    if (!socket_) return false;
    socket_->Put(message, last);
    while (true) {
      const auto sent = socket_->Send();
      if (sent != wire::MessageSocket::Sent::kFull) return sent == wire::MessageSocket::Sent::kAll;
      Await(POLLOUT);
    }
  }
  // False: the status came, or the connection ended.
  template <typename Message>
  bool Read(Message* message) {
    wire::MessageSocket::Message came;
    while (socket_ && !status_) {
      if (socket_->Next(&came) == wire::MessageSocket::Found::kMessage) {
        const int bytes = static_cast<int>(came.bytes.size());
        if (!came.last) return message->ParseFromArray(came.bytes.data(), bytes);
        status_.emplace().ParseFromArray(came.bytes.data(), bytes);
        continue;
      }
      Await(POLLIN);
      const auto received = socket_->Receive();
      if (received == wire::MessageSocket::Received::kEnd || received == wire::MessageSocket::Received::kBroken) break;
    }
    return false;
  }
  void HangUp() { socket_.reset(); }
  // After Read has said false. As a stub says it whose call's time is over.
  grpc::Status Status(const grpc::ClientContext& context) const {
    if (!status_) return {grpc::StatusCode::UNAVAILABLE, "cut"};
    if (status_->code() == 0) return grpc::Status::OK;
    const bool over =
        status_->code() == grpc::StatusCode::CANCELLED && context.deadline() <= std::chrono::system_clock::now();
    const auto code = over ? grpc::StatusCode::DEADLINE_EXCEEDED : static_cast<grpc::StatusCode>(status_->code());
    return {code, status_->message(), status_->SerializeAsString()};
  }

 private:
  void Await(short events) const {
    pollfd one{socket_->fd(), events, 0};
    poll(&one, 1, 60'000);
  }

  std::optional<wire::MessageSocket> socket_;
  std::optional<google::rpc::Status> status_;
};

template <typename Response>
class LocalReader final : public grpc::ClientReaderInterface<Response> {
 public:
  template <typename Request>
  LocalReader(const std::string& path, const std::string& method, grpc::ClientContext* context, const Request& request)
      : context_(*context), call_(path, method, context) {
    call_.Write(request, true);
  }
  bool NextMessageSize(std::uint32_t*) override { return false; }
  void WaitForInitialMetadata() override {}
  bool Read(Response* response) override { return call_.Read(response); }
  grpc::Status Finish() override {
    Response rest;
    while (call_.Read(&rest)) continue;
    return call_.Status(context_);
  }

 private:
  const grpc::ClientContext& context_;
  LocalCall call_;
};

class LocalUpload final : public grpc::ClientWriterInterface<v1::UploadRequest> {
 public:
  LocalUpload(const std::string& path, grpc::ClientContext* context, v1::UploadResponse* response)
      : context_(*context), response_(*response), call_(path, "Upload", context) {}
  bool Write(const v1::UploadRequest& request, grpc::WriteOptions) override { return call_.Write(request, false); }
  bool WritesDone() override {
    done_ = true;
    return call_.Write(v1::UploadRequest(), true);
  }
  grpc::Status Finish() override {
    if (!done_) call_.HangUp();
    v1::UploadResponse rest;
    if (call_.Read(&response_)) call_.Read(&rest);
    return call_.Status(context_);
  }

 private:
  const grpc::ClientContext& context_;
  v1::UploadResponse& response_;
  LocalCall call_;
  bool done_ = false;
};

// Sessions go through gRPC. Nothing here is asynchronous.
class LocalStub final : public v1::MockPoolServiceStub {
 public:
  LocalStub(std::unique_ptr<v1::PoolService::StubInterface> grpc, std::string path)
      : grpc_(std::move(grpc)), path_(std::move(path)) {}

#define POOLD_LOCAL_CALL(name)                                                                                    \
  grpc::Status name(grpc::ClientContext* context, const v1::name##Request& request, v1::name##Response* response) \
      override {                                                                                                  \
    return Call(#name, context, request, response);                                                               \
  }
  POOLD_LOCAL_CALL(OpenPool)
  POOLD_LOCAL_CALL(GetPool)
  POOLD_LOCAL_CALL(ListPools)
  POOLD_LOCAL_CALL(Resize)
  POOLD_LOCAL_CALL(Reload)
  POOLD_LOCAL_CALL(Close)
  POOLD_LOCAL_CALL(Terminate)
  POOLD_LOCAL_CALL(Join)
  POOLD_LOCAL_CALL(GetStats)
  POOLD_LOCAL_CALL(GetServerInfo)
  POOLD_LOCAL_CALL(Submit)
  POOLD_LOCAL_CALL(Map)
  POOLD_LOCAL_CALL(Get)
  POOLD_LOCAL_CALL(GetMany)
  POOLD_LOCAL_CALL(Cancel)
  POOLD_LOCAL_CALL(Release)
  POOLD_LOCAL_CALL(Wait)
  POOLD_LOCAL_CALL(ListTasks)
  POOLD_LOCAL_CALL(Explain)
#undef POOLD_LOCAL_CALL

 private:
  template <typename Request, typename Response>
  grpc::Status Call(const char* method, grpc::ClientContext* context, const Request& request, Response* response) {
    LocalCall call(path_, method, context);
    call.Write(request, true);
    Response rest;
    if (call.Read(response)) call.Read(&rest);
    return call.Status(*context);
  }
  grpc::ClientReaderInterface<v1::GetItemsResponse>* GetItemsRaw(grpc::ClientContext* context,
                                                                 const v1::GetItemsRequest& request) override {
    return new LocalReader<v1::GetItemsResponse>(path_, "GetItems", context, request);
  }
  grpc::ClientReaderInterface<v1::WatchResponse>* WatchRaw(grpc::ClientContext* context,
                                                           const v1::WatchRequest& request) override {
    return new LocalReader<v1::WatchResponse>(path_, "Watch", context, request);
  }
  grpc::ClientReaderInterface<v1::DownloadResponse>* DownloadRaw(grpc::ClientContext* context,
                                                                 const v1::DownloadRequest& request) override {
    return new LocalReader<v1::DownloadResponse>(path_, "Download", context, request);
  }
  grpc::ClientWriterInterface<v1::UploadRequest>* UploadRaw(grpc::ClientContext* context,
                                                            v1::UploadResponse* response) override {
    return new LocalUpload(path_, context, response);
  }
  grpc::ClientReaderWriterInterface<v1::SessionRequest, v1::SessionResponse>* SessionRaw(
      grpc::ClientContext* context) override {
    return grpc_->Session(context).release();
  }

  const std::unique_ptr<v1::PoolService::StubInterface> grpc_;
  const std::string path_;
};

}  // namespace poold::transport
