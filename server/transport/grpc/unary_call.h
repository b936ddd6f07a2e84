// A call with one request and one answer, carried by gRPC.
//
// Role: brings request and caller to a function of api/, and its answer to gRPC. Non-role: decides nothing about tasks
// or pools. Threads: accepted, cancelled and deleted by the RPC thread; answered by any thread. Ownership: see tag.h.
#pragma once

#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "api/call.h"
#include "transport/grpc/queue_context.h"
#include "transport/grpc/tag.h"

namespace poold::transport {

template <typename Request, typename Response>
class UnaryCall final : public api::Call<Request, Response> {
 public:
  using Function = typename api::Call<Request, Response>::Function;

  // Accepts calls of this method from now on.
  static void Accept(QueueContext* queue_context, int method, Function function) {
    auto call = std::shared_ptr<UnaryCall>(new UnaryCall(queue_context, method, function));
    call->context_.AsyncNotifyWhenDone(call->done_.AsTag());
    queue_context->service->AcceptUnary(method, &call->context_, &call->received(), &call->writer_,
                                        queue_context->queue, call->accepted_.Begin(call));
  }

  api::Caller caller() const override { return {ClientOf(context_, &this->service()), OriginOf(origin_.peer())}; }
  core::WorkerId task_worker() const override { return TaskWorkerOf(context_, this->service()); }
  void Post(std::function<void()> work) override {
    if (!queue_context_->stopped) Posted::Run(queue_context_->queue, std::move(work));
  }

 private:
  UnaryCall(QueueContext* queue_context, int method, Function function)
      : api::Call<Request, Response>(&queue_context->transport->service),
        queue_context_(queue_context),
        method_(method),
        function_(function),
        writer_(&context_) {}

  std::shared_ptr<UnaryCall> Self() { return std::static_pointer_cast<UnaryCall>(this->shared_from_this()); }

  // A call has come: the next one is accepted, then this one runs.
  void Accepted(bool ok) {
    if (!ok) return;  // the server stops
    done_.Keep(Self());
    origin_.Come(context_, *queue_context_->transport);
    if (!queue_context_->stopped) Accept(queue_context_, method_, function_);
    this->Run(function_);
  }
  void Finished(bool) {}
  // The call is over: answered, cancelled, or its connection is gone.
  void Done(bool) {
    if (!context_.IsCancelled() || this->answered()) return this->Forget();
    this->Cancel();
  }
  void Send(const Response& response) override {
    if (queue_context_->stopped) return;
    writer_.Finish(response, grpc::Status::OK, finished_.Begin(Self()));
  }
  void SendRefusal(const absl::Status& status) override {
    if (queue_context_->stopped) return;
    writer_.FinishWithError(ToGrpc(status), finished_.Begin(Self()));
  }

  QueueContext* const queue_context_;
  const int method_;
  const Function function_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncResponseWriter<Response> writer_;
  Op<UnaryCall, &UnaryCall::Accepted> accepted_;
  Op<UnaryCall, &UnaryCall::Finished> finished_;
  Op<UnaryCall, &UnaryCall::Done> done_;
};

}  // namespace poold::transport
