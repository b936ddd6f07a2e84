// GrpcStream: a session's stream through gRPC.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <optional>

#include "poold/v1/pool_service.grpc.pb.h"
#include "transport/session_stream.h"

namespace poold::client::internal {

// The completion queue of a session's streams, one stream after the other. Works also while there is no stream.
// Threads: the leader calls Next; any thread calls Wake.
class GrpcEvents {
 public:
  using Event = SessionStream::Event;

  // Waits for an event until this moment.
  Event Next(SessionStream::Clock::time_point until);
  // Makes Next return with kWake. REQUIRES: Shutdown was not called.
  void Wake();
  // Ends the queue. REQUIRES: no operation is under way, and no thread calls Wake or Next.
  void Shutdown();

  grpc::CompletionQueue* queue() { return &queue_; }

 private:
  grpc::CompletionQueue queue_;
  // One alarm for the queue's whole life: an alarm that is destroyed while it fires would take its event's memory with
  // it. Set again only when its last event was handled.
  grpc::Alarm wake_;
  std::atomic<bool> waking_ = false;
};

// One stream. Threads as SessionStream.
class GrpcStream final : public SessionStream {
 public:
  // Owns neither; both must outlive the stream.
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
