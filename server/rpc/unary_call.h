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
#include "rpc/tag.h"
#include "rpc/wiring.h"

namespace poold::rpc {

template <typename Request, typename Response>
class UnaryCall final : public std::enable_shared_from_this<UnaryCall<Request, Response>> {
 public:
  using Method = void (AsyncService::*)(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                                        grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*);
  // Called by the RPC thread with each call; it answers, or sees to it that somebody will.
  using Handler = void (*)(const std::shared_ptr<UnaryCall>& call);

  // Accepts calls of this method from now on.
  static void Accept(Wiring* wiring, Method method, Handler handler) {
    auto call = std::shared_ptr<UnaryCall>(new UnaryCall(wiring, method, handler));
    call->context_.AsyncNotifyWhenDone(call->done_.AsTag());
    (wiring->service->*method)(&call->context_, &call->request_, &call->writer_, wiring->queue, wiring->queue,
                               call->accepted_.Begin(call));
  }

  Request& request() { return request_; }
  const grpc::ServerContext& context() const { return context_; }
  // Who asks.
  const Peer& peer() const { return origin_.peer(); }
  Backend& backend() { return *wiring_->backend; }

  void Answer(const Response& response) {
    if (!TakeTurn()) return;
    writer_.Finish(response, grpc::Status::OK, finished_.Begin(this->shared_from_this()));
  }
  void Refuse(const absl::Status& status) {
    if (!TakeTurn()) return;
    writer_.FinishWithError(ToGrpc(status), finished_.Begin(this->shared_from_this()));
  }
  // Runs `work` on the RPC thread. By a flusher.
  void Post(std::function<void()> work) {
    if (!wiring_->stopped) Posted::Run(wiring_->queue, std::move(work));
  }
  // Called by the RPC thread if the client cancels, vanishes, or its deadline passes, before the answer.
  void OnCancelled(std::function<void()> then) { cancelled_ = std::move(then); }

 private:
  UnaryCall(Wiring* wiring, Method method, Handler handler)
      : wiring_(wiring), method_(method), handler_(handler), writer_(&context_) {}

  void Accepted(bool ok) {
    if (!ok) return;  // the server stops
    done_.Keep(this->shared_from_this());
    origin_.Come(context_, backend());
    if (!wiring_->stopped) Accept(wiring_, method_, handler_);
    handler_(this->shared_from_this());
  }
  void Finished(bool) {}
  void Done(bool) {
    const std::function<void()> cancelled = std::exchange(cancelled_, nullptr);
    if (!context_.IsCancelled() || answered_) return;
    if (cancelled) cancelled();
    Refuse(absl::CancelledError("the client went away"));
  }
  bool TakeTurn() { return !answered_.exchange(true) && !wiring_->stopped; }

  Wiring* const wiring_;
  const Method method_;
  const Handler handler_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  Request request_;
  grpc::ServerAsyncResponseWriter<Response> writer_;
  std::atomic<bool> answered_ = false;
  std::function<void()> cancelled_;
  Op<UnaryCall, &UnaryCall::Accepted> accepted_;
  Op<UnaryCall, &UnaryCall::Finished> finished_;
  Op<UnaryCall, &UnaryCall::Done> done_;
};

}  // namespace poold::rpc
