// The two ways of a session's messages, as a client sees them: through gRPC, and through the payload socket.
#pragma once

#include <grpcpp/grpcpp.h>
#include <poll.h>

#include <memory>
#include <optional>
#include <string>

#include "google/rpc/status.pb.h"
#include "payload_caller.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "wire/message_socket.h"

namespace poold::transport {

class SessionWay {
 public:
  virtual ~SessionWay() = default;
  virtual bool Write(const v1::SessionRequest& request) = 0;
  // False: there is nothing more to come.
  virtual bool Read(v1::SessionResponse* response) = 0;
  virtual void DoneSending() = 0;
  virtual void Vanish() = 0;
  // After Read has said false.
  virtual grpc::Status Finish() = 0;
};

class GrpcWay : public SessionWay {
 public:
  explicit GrpcWay(v1::PoolService::StubInterface* stub) : stream_(stub->Session(&context_)) {}
  bool Write(const v1::SessionRequest& request) override { return stream_->Write(request); }
  bool Read(v1::SessionResponse* response) override { return stream_->Read(response); }
  void DoneSending() override { stream_->WritesDone(); }
  void Vanish() override { context_.TryCancel(); }
  grpc::Status Finish() override { return stream_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriterInterface<v1::SessionRequest, v1::SessionResponse>> stream_;
};

class LocalWay : public SessionWay {
 public:
  explicit LocalWay(const std::string& path) {
    Caller caller(path);
    if (!caller.Send(wire::PayloadAsk::kSession, std::string(16, '\0'), 0)) return;
    if (caller.Answer() != wire::PayloadStatus::kTaken) return;
    socket_.emplace(caller.Release(), 1u << 30);
  }
  // The daemon spoke of a session.
  bool open() const { return socket_.has_value(); }
  int fd() const { return socket_->fd(); }

  bool Write(const v1::SessionRequest& request) override {
    if (!open()) return false;
    socket_->Put(request);
    while (true) {
      const auto sent = socket_->Send();
      if (sent != wire::MessageSocket::Sent::kFull) return sent == wire::MessageSocket::Sent::kAll;
      Await(POLLOUT);
    }
  }
  bool Read(v1::SessionResponse* response) override {
    wire::MessageSocket::Message message;
    while (open()) {
      const auto found = socket_->Next(&message);
      if (found == wire::MessageSocket::Found::kTooLong) return false;
      if (found == wire::MessageSocket::Found::kMessage && message.last) {
        last_.emplace().ParseFromArray(message.bytes.data(), static_cast<int>(message.bytes.size()));
        return false;
      }
      if (found == wire::MessageSocket::Found::kMessage) {
        return response->ParseFromArray(message.bytes.data(), static_cast<int>(message.bytes.size()));
      }
      Await(POLLIN);
      const auto received = socket_->Receive();
      if (received == wire::MessageSocket::Received::kEnd || received == wire::MessageSocket::Received::kBroken) break;
    }
    return false;
  }
  void DoneSending() override { shutdown(fd(), SHUT_WR); }
  void Vanish() override { socket_->Shut(); }
  grpc::Status Finish() override {
    if (!last_) return {grpc::StatusCode::UNAVAILABLE, "cut"};
    if (last_->code() == 0) return grpc::Status::OK;
    return {static_cast<grpc::StatusCode>(last_->code()), last_->message(), last_->SerializeAsString()};
  }

 private:
  void Await(short events) {
    pollfd one{fd(), events, 0};
    poll(&one, 1, 60'000);
  }

  std::optional<wire::MessageSocket> socket_;
  std::optional<google::rpc::Status> last_;
};

}  // namespace poold::transport
