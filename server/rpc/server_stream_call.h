// One request, many answers. What is sent comes from a Source; one message at a time is with gRPC.
//
// Threads: accepted and cancelled by the RPC thread; Pump and End by any thread. Ownership: see tag.h; the call owns
// its source until it is over.
#pragma once

#include <grpcpp/support/async_stream.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "rpc/errors.h"
#include "rpc/queue_context.h"
#include "rpc/tag.h"

namespace poold::rpc {

// Where the messages of a stream come from.
template <typename Response>
class Source {
 public:
  virtual ~Source() = default;
  // The next message, into a cleared one. False: nothing now. Called by one thread at a time.
  virtual bool Fill(Response* message) = 0;
};

template <typename Request, typename Response>
class ServerStreamCall final : public std::enable_shared_from_this<ServerStreamCall<Request, Response>>,
                               public LiveStream {
 public:
  // Called by the RPC thread with each call; it calls Start, or End.
  using Handler = void (*)(const std::shared_ptr<ServerStreamCall>& call);

  static void Accept(QueueContext* queue_context, const char* method, Handler handler) {
    Accept(queue_context, MethodNamed(method), handler);
  }
  static void Accept(QueueContext* queue_context, int method, Handler handler) {
    auto call = std::shared_ptr<ServerStreamCall>(new ServerStreamCall(queue_context, method, handler));
    call->context_.AsyncNotifyWhenDone(call->done_.AsTag());
    queue_context->service->AcceptServerStream(method, &call->context_, &call->request_, &call->writer_,
                                               queue_context->queue, call->accepted_.Begin(call));
  }

  Request& request() { return request_.message(); }
  // Who asks.
  const Peer& peer() const { return origin_.peer(); }
  ServiceContext& service_context() { return *queue_context_->service_context; }

  // Messages come from `source` from now on. `stop` is called by the RPC thread when the call is over, however it
  // ended.
  void Start(std::shared_ptr<Source<Response>> source, std::function<void()> stop) {
    source_ = std::move(source);
    stop_ = std::move(stop);
    Pump();
  }
  // The source has something, perhaps.
  void Pump() {
    if (turn_.TryBegin()) Drive();
  }
  // After what the source still has. The first one counts.
  void End(const absl::Status& status) {
    if (ending_.exchange(true)) return;
    status_ = status;
    ended_ = true;
    Pump();
  }
  // Runs `work` on the RPC thread. By whoever fills.
  void Post(std::function<void()> work) {
    if (!queue_context_->stopped) Posted::Run(queue_context_->queue, std::move(work));
  }
  void EndForShutdown() override { End(ShuttingDown()); }

 private:
  ServerStreamCall(QueueContext* queue_context, int method, Handler handler)
      : queue_context_(queue_context),
        method_(method),
        handler_(handler),
        request_(queue_context->service_context->options),
        writer_(&context_) {}

  void Accepted(bool ok) {
    if (!ok) return;
    done_.Keep(this->shared_from_this());
    origin_.Come(context_, service_context());
    if (!queue_context_->stopped) Accept(queue_context_, method_, handler_);
    if (!request_.status().ok()) return End(request_.status());
    handler_(this->shared_from_this());
    queue_context_->AddStream(this->shared_from_this());
  }
  // Has the turn. Keeps it while a message is with gRPC, and for ever after the end.
  void Drive() {
    do {
      if (queue_context_->stopped) return;
      const bool ended = ended_;
      message_.Clear();
      if (source_ != nullptr && source_->Fill(&message_)) {
        writer_.Write(message_, written_.Begin(this->shared_from_this()));
        return;
      }
      if (ended) {
        writer_.Finish(ToGrpc(status_), finished_.Begin(this->shared_from_this()));
        return;
      }
    } while (!turn_.TryEnd());
  }
  void Written(bool ok) {
    if (ok) Drive();
  }
  void Finished(bool) {}
  void Done(bool) {
    if (stop_) std::exchange(stop_, nullptr)();
  }

  QueueContext* const queue_context_;
  const int method_;
  const Handler handler_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  Received<Request> request_;
  grpc::ServerAsyncWriter<Response> writer_;
  std::shared_ptr<Source<Response>> source_;
  std::function<void()> stop_;
  FlushGuard turn_;
  Response message_;  // of the one who has the turn
  std::atomic<bool> ending_ = false;
  std::atomic<bool> ended_ = false;
  absl::Status status_;  // constant after ended_
  Op<ServerStreamCall, &ServerStreamCall::Accepted> accepted_;
  Op<ServerStreamCall, &ServerStreamCall::Written> written_;
  Op<ServerStreamCall, &ServerStreamCall::Finished> finished_;
  Op<ServerStreamCall, &ServerStreamCall::Done> done_;
};

}  // namespace poold::rpc
