// A call with one request and many answers, carried by gRPC. One message at a time is with gRPC.
//
// Role: asks its source for the next message whenever gRPC has taken the last one. Non-role: decides nothing about what
// is sent.
// Threads: accepted and cancelled by the RPC thread; Pump and End by any thread. Ownership: see tag.h; the call owns
// its source until it is over. Errors: after Done nothing is sent; a write that fails ends the sending.
#pragma once

#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>
#include <utility>

#include "api/call.h"
#include "api/errors.h"
#include "transport/flush_guard.h"
#include "transport/grpc/queue_context.h"
#include "transport/grpc/tag.h"

namespace poold::transport {

template <typename Request, typename Response>
class ServerStreamCall final : public api::StreamCall<Request, Response>, public LiveStream {
 public:
  using Function = typename api::StreamCall<Request, Response>::Function;

  // Accepts calls of this method from now on.
  static void Accept(QueueContext* queue_context, int method, Function function) {
    auto call = std::shared_ptr<ServerStreamCall>(new ServerStreamCall(queue_context, method, function));
    call->context_.AsyncNotifyWhenDone(call->done_.AsTag());
    queue_context->service->AcceptServerStream(method, &call->context_, &call->received(), &call->writer_,
                                               queue_context->queue, call->accepted_.Begin(call));
  }

  void Pump() override {
    if (turn_.TryBegin()) Drive();
  }
  void Post(std::function<void()> work) override {
    if (!queue_context_->stopped) Posted::Run(queue_context_->queue, std::move(work));
  }
  void EndForShutdown() override { this->End(api::ShuttingDown()); }

 private:
  ServerStreamCall(QueueContext* queue_context, int method, Function function)
      : api::StreamCall<Request, Response>(&queue_context->transport->service),
        queue_context_(queue_context),
        method_(method),
        function_(function),
        writer_(&context_) {}

  std::shared_ptr<ServerStreamCall> Self() {
    return std::static_pointer_cast<ServerStreamCall>(this->shared_from_this());
  }

  void Accepted(bool ok) {
    if (!ok) return;
    done_.Keep(Self());
    origin_.Come(context_, *queue_context_->transport);
    if (!queue_context_->stopped) Accept(queue_context_, method_, function_);
    this->Run(function_);
    queue_context_->AddStream(Self());
  }
  // Sends the next message, or the end. REQUIRES: the caller has the turn. Keeps the turn while a message is with gRPC,
  // and for ever after the end.
  void Drive() {
    do {
      if (queue_context_->stopped) return;
      const bool ended = this->ended();
      message_.Clear();
      if (this->Fill(&message_)) {
        writer_.Write(message_, written_.Begin(Self()));
        return;
      }
      if (ended) {
        writer_.Finish(ToGrpc(this->status()), finished_.Begin(Self()));
        return;
      }
    } while (!turn_.TryEnd());
  }
  void Written(bool ok) {
    if (ok) Drive();
  }
  void Finished(bool) {}
  // The call is over, however it ended.
  void Done(bool) { this->Stop(); }

  QueueContext* const queue_context_;
  const int method_;
  const Function function_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncWriter<Response> writer_;
  FlushGuard turn_;
  // The message under way. Used by whoever has the turn.
  Response message_;
  Op<ServerStreamCall, &ServerStreamCall::Accepted> accepted_;
  Op<ServerStreamCall, &ServerStreamCall::Written> written_;
  Op<ServerStreamCall, &ServerStreamCall::Finished> finished_;
  Op<ServerStreamCall, &ServerStreamCall::Done> done_;
};

}  // namespace poold::transport
