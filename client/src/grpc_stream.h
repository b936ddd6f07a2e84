// The stream through gRPC.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <optional>

#include "poold/v1/pool_service.grpc.pb.h"
#include "session_stream.h"

namespace poold::client::internal {

// The completion queue of a session's streams, one after the other. Also without one it can be waited at.
class GrpcEvents {
 public:
  using Event = SessionStream::Event;

  // By the leader.
  Event Next(SessionStream::Clock::time_point until);
  // Thread-safe, but not while or after Shutdown.
  void Wake();
  // When nothing is under way any more.
  void Shutdown();

  grpc::CompletionQueue* queue() { return &queue_; }

 private:
  grpc::CompletionQueue queue_;
  // One that goes while it fires takes its event's memory with it: this one stays, and is set when its last event was
  // handled.
  grpc::Alarm wake_;
  std::atomic<bool> waking_ = false;
};

class GrpcStream final : public SessionStream {
 public:
  // Both must outlive it.
  GrpcStream(v1::PoolService::StubInterface* stub, GrpcEvents* events);

  void Start() override;
  void Read() override;
  std::optional<bool> Write(const v1::SessionRequest& request) override;
  void Finish() override;
  void Cancel() override { context_.TryCancel(); }
  Event Next(Clock::time_point until) override { return events_.Next(until); }
  void Wake() override { events_.Wake(); }
  bool is_local() const override { return false; }

 private:
  GrpcEvents& events_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriterInterface<v1::SessionRequest, v1::SessionResponse>> rw_;
};

}  // namespace poold::client::internal
