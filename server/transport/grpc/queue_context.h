// The things that calls of one RPC thread are accepted with: the generated service, its completion queue, and the
// context that transports share.
//
// Threads: the RPC thread's, but for `stopped`. Ownership: QueueContext owns nothing but its delayed work; what it
// points to outlives it.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/impl/codegen/proto_buffer_reader.h>
#include <grpcpp/impl/codegen/serialization_traits.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/received.h"
#include "base/worker_mark.h"
#include "core/types.h"
#include "poold/v1/pool_service.grpc.pb.h"
#include "session/delay_queue.h"
#include "transport/grpc/grpc_sockets.h"
#include "transport/transport_context.h"

namespace grpc {

// A request that is looked at before it is parsed. What is refused is told by the call, not by gRPC.
template <typename Message>
class SerializationTraits<poold::api::Received<Message>> {
 public:
  static Status Deserialize(ByteBuffer* buffer, poold::api::Received<Message>* out) {
    out->ParseStream(buffer->Length(), [buffer] { return ProtoBufferReader(buffer); });
    buffer->Clear();
    return Status::OK;
  }
};

}  // namespace grpc

namespace poold::transport {

// The generated service; its requests are looked at before they are parsed.
class AsyncService final : public v1::PoolService::AsyncService {
 public:
  using Stream = grpc::internal::ServerAsyncStreamingInterface;

  // As the generated Request... functions. `method`: its place in the service.
  template <typename Request>
  void AcceptUnary(int method, grpc::ServerContext* context, api::Received<Request>* request, Stream* stream,
                   grpc::ServerCompletionQueue* queue, void* tag) {
    RequestAsyncUnary(method, context, request, stream, queue, queue, tag);
  }
  template <typename Request>
  void AcceptServerStream(int method, grpc::ServerContext* context, api::Received<Request>* request, Stream* stream,
                          grpc::ServerCompletionQueue* queue, void* tag) {
    RequestAsyncServerStreaming(method, context, request, stream, queue, queue, tag);
  }
  void AcceptClientStream(int method, grpc::ServerContext* context, Stream* stream, grpc::ServerCompletionQueue* queue,
                          void* tag) {
    RequestAsyncClientStreaming(method, context, stream, queue, queue, tag);
  }
  void AcceptBothStreams(int method, grpc::ServerContext* context, Stream* stream, grpc::ServerCompletionQueue* queue,
                         void* tag) {
    RequestAsyncBidiStreaming(method, context, stream, queue, queue, tag);
  }
};

// The place of a method in the service, which the generated code numbers as the contract does.
inline int MethodNamed(const char* name) {
  const auto* const file = v1::OpenPoolRequest::descriptor()->file();
  return file->FindServiceByName("PoolService")->FindMethodByName(name)->index();
}

// A stream that is to end when the server stops. Used by the RPC thread.
class LiveStream {
 public:
  virtual ~LiveStream() = default;
  // Sends the messages that wait, then finishes with UNAVAILABLE. Idempotent.
  virtual void EndForShutdown() = 0;
};

// A call that wants to know when the server's health changes. Used by the RPC thread.
class HealthWatcher {
 public:
  virtual ~HealthWatcher() = default;
  // The health may have changed: sends it if it has.
  virtual void TellHealth() = 0;
};

// The state of one RPC thread, which its calls share.
struct QueueContext {
  // Never null, as the next three.
  TransportContext* transport = nullptr;
  AsyncService* service = nullptr;
  // Accepts calls of methods that the generated service does not know.
  grpc::AsyncGenericService* generic = nullptr;
  grpc::ServerCompletionQueue* queue = nullptr;

  // Nothing may be started on the queue any more. Set by the RPC thread with SharedState::stopping_mu (engine/shard.h)
  // held for writing, read with it held for reading by flushers; the RPC thread reads it freely.
  bool stopped = false;

  // The RPC thread's own: work that is to run a moment later.
  session::DelayQueue due;
  // Streams and watchers that may still be there; those that are gone are swept when there are `next_sweep` streams.
  std::vector<std::weak_ptr<LiveStream>> streams;
  std::vector<std::weak_ptr<HealthWatcher>> health_watchers;
  std::size_t next_sweep = 64;
  // EndForShutdown was called for all streams: one that comes later is ended at once.
  bool ending = false;

  // The stream is told when the server stops. Called by the RPC thread.
  void AddStream(const std::shared_ptr<LiveStream>& stream) {
    if (streams.size() >= next_sweep) {
      std::erase_if(streams, [](const auto& one) { return one.expired(); });
      std::erase_if(health_watchers, [](const auto& one) { return one.expired(); });
      next_sweep = std::max<std::size_t>(64, streams.size() * 2);
    }
    streams.push_back(stream);
    if (ending) stream->EndForShutdown();
  }
};

// The connection that brought a call. From Come until the end of this object the connection is in use.
class CallOrigin {
 public:
  CallOrigin() = default;
  CallOrigin(const CallOrigin&) = delete;
  CallOrigin& operator=(const CallOrigin&) = delete;
  ~CallOrigin() {
    if (connection_ != nullptr) connection_->EndCall();
  }
  // Finds the connection of the call. Called by the RPC thread, once, when the call was accepted.
  void Come(const grpc::ServerContext& call, const TransportContext& transport) {
    connection_ = transport.grpc_connections->Find(ConnectionOf(call.peer()));
    if (connection_ != nullptr) connection_->BeginCall();
  }
  // The other end; an unknown peer where the connection was cut before the call was accepted.
  const Peer& peer() const {
    static const Peer unknown;
    return connection_ == nullptr ? unknown : connection_->peer();
  }

 private:
  std::shared_ptr<Connection> connection_;
};

// The name that the caller gives itself: the metadata "poold-client". Empty: none.
inline std::string ClientName(const grpc::ServerContext& call) {
  const auto named = call.client_metadata().find("poold-client");
  if (named == call.client_metadata().end()) return "";
  return std::string(named->second.data(), named->second.size());
}

// The worker that runs the task which makes the call, by the metadata "poold-worker" (POOLD_WORKER of the task's
// environment). None: the caller is no task of this daemon.
inline core::WorkerId TaskWorkerOf(const grpc::ServerContext& call, const api::ServiceContext& service) {
  const auto told = call.client_metadata().find("poold-worker");
  if (told == call.client_metadata().end()) return {};
  const std::string_view mark(told->second.data(), told->second.size());
  return core::WorkerId{base::WorkerOfMark(mark, service.options.worker_secret)};
}

// The client for which the call counts, by ClientName, else by its connection. Learns the name.
inline core::ClientId ClientOf(const grpc::ServerContext& call, api::ServiceContext* service) {
  return ClientNamed(ClientName(call), call.peer(), service);
}

// Each of the three accepts calls on the queue's RPC thread from now on: uploads; sessions; health, reflection, and
// whatever else is asked for.
void AcceptUploads(QueueContext* queue_context);
void AcceptSessions(QueueContext* queue_context);
// Health, reflection, and whatever else is asked for.
void AcceptStandardCalls(QueueContext* queue_context);

}  // namespace poold::transport
