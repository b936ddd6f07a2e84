// One request, one answer, now or later.
//
// Threads: accepted, cancelled and deleted by the RPC thread; answered by any thread, once: what comes later is
// dropped. Ownership: see tag.h.
#pragma once

#include <grpcpp/support/async_unary_call.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "rpc/queue_context.h"
#include "rpc/suggest.h"
#include "rpc/tag.h"

namespace poold::rpc {

template <typename Request, typename Response>
class UnaryCall final : public std::enable_shared_from_this<UnaryCall<Request, Response>> {
 public:
  // Called by the RPC thread with each call; it answers, or sees to it that somebody will.
  using Handler = void (*)(const std::shared_ptr<UnaryCall>& call);

  // Accepts calls of this method from now on.
  static void Accept(QueueContext* queue_context, const char* method, Handler handler) {
    Accept(queue_context, MethodNamed(method), handler);
  }
  static void Accept(QueueContext* queue_context, int method, Handler handler) {
    auto call = std::shared_ptr<UnaryCall>(new UnaryCall(queue_context, method, handler));
    call->context_.AsyncNotifyWhenDone(call->done_.AsTag());
    queue_context->service->AcceptUnary(method, &call->context_, &call->request_, &call->writer_, queue_context->queue,
                                        call->accepted_.Begin(call));
  }

  Request& request() { return request_.message(); }
  // It was read: a call that waits keeps nothing of it.
  void DropRequest() { Request().Swap(&request_.message()); }
  const grpc::ServerContext& context() const { return context_; }
  // Who asks.
  const Peer& peer() const { return origin_.peer(); }
  ServiceContext& service_context() { return *queue_context_->service_context; }

  void Answer(const Response& response) {
    if (!TakeTurn()) return;
    writer_.Finish(response, grpc::Status::OK, finished_.Begin(this->shared_from_this()));
  }
  void Refuse(const absl::Status& status) {
    if (!TakeTurn()) return;
    if (!IsUnknownName(status)) return FinishWith(status);
    Post([self = this->shared_from_this(), status] {
      if (!self->queue_context_->stopped) self->FinishWith(WithSuggestion(status, self->service_context()));
    });
  }
  // Runs `work` on the RPC thread. By a flusher.
  void Post(std::function<void()> work) {
    if (!queue_context_->stopped) Posted::Run(queue_context_->queue, std::move(work));
  }
  // Called by the RPC thread if the client cancels, vanishes, or its deadline passes, before the answer.
  void OnCancelled(std::function<void()> then) { cancelled_ = std::move(then); }

 private:
  UnaryCall(QueueContext* queue_context, int method, Handler handler)
      : queue_context_(queue_context),
        method_(method),
        handler_(handler),
        request_(queue_context->service_context->options),
        writer_(&context_) {}

  void Accepted(bool ok) {
    if (!ok) return;  // the server stops
    done_.Keep(this->shared_from_this());
    origin_.Come(context_, service_context());
    if (!queue_context_->stopped) Accept(queue_context_, method_, handler_);
    if (!request_.status().ok()) return Refuse(request_.status());
    handler_(this->shared_from_this());
  }
  void Finished(bool) {}
  void Done(bool) {
    const std::function<void()> cancelled = std::exchange(cancelled_, nullptr);
    if (!context_.IsCancelled() || answered_) return;
    if (cancelled) cancelled();
    Refuse(absl::CancelledError("the client went away"));
  }
  void FinishWith(const absl::Status& status) {
    writer_.FinishWithError(ToGrpc(status), finished_.Begin(this->shared_from_this()));
  }
  bool TakeTurn() { return !answered_.exchange(true) && !queue_context_->stopped; }

  QueueContext* const queue_context_;
  const int method_;
  const Handler handler_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  Received<Request> request_;
  grpc::ServerAsyncResponseWriter<Response> writer_;
  std::atomic<bool> answered_ = false;
  std::function<void()> cancelled_;
  Op<UnaryCall, &UnaryCall::Accepted> accepted_;
  Op<UnaryCall, &UnaryCall::Finished> finished_;
  Op<UnaryCall, &UnaryCall::Done> done_;
};

}  // namespace poold::rpc
