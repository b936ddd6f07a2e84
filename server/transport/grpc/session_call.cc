// A session through gRPC. One message is read, brought to the cores that it concerns, and only then the next is read;
// whatever has accumulated for the client goes into the next message to it.
//
// Threads: reads and the end of the call are the RPC thread's; outcomes are packed and written by whichever thread
// flushes. Ownership: see tag.h.
#include <grpcpp/support/async_stream.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "session/session.h"
#include "transport/grpc/queue_context.h"
#include "transport/grpc/server_stream_call.h"
#include "transport/grpc/tag.h"

namespace poold::transport {
namespace {

class SessionCall final : public session::Session, public LiveStream {
 public:
  static void Accept(QueueContext* queue_context) {
    static const int kMethod = MethodNamed("Session");
    auto call = std::shared_ptr<SessionCall>(new SessionCall(queue_context));
    call->context_.AsyncNotifyWhenDone(call->done_op_.AsTag());
    queue_context->service->AcceptBothStreams(kMethod, &call->context_, &call->stream_, queue_context->queue,
                                              call->accepted_op_.Begin(call));
  }

  // Subscriber.
  void Flush() override {
    if (turn_.TryBegin()) return Drive();
    if (!MustGo(writing_since_.load(std::memory_order_relaxed))) return;
    if (writing_since_.exchange(0) == 0) return;
    base::Log(base::Level::kWarning, "session_not_read", {{"cut", "true"}});
    context_.TryCancel();
  }

  void EndForShutdown() override { End(api::ShuttingDown()); }

 private:
  explicit SessionCall(QueueContext* queue_context)
      : session::Session(&queue_context->transport->service, &queue_context->due),
        queue_context_(queue_context),
        stream_(&context_),
        request_(queue_context->transport->service.options) {}

  std::string OtherName() const override { return ClientName(context_); }
  std::shared_ptr<SessionCall> Self() { return std::static_pointer_cast<SessionCall>(shared_from_this()); }

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(Self());
    origin_.Come(context_, *queue_context_->transport);
    if (!queue_context_->stopped) Accept(queue_context_);
    Enter(OriginOf(origin_.peer()));
    queue_context_->AddStream(Self());
    ReadNext();
  }

  // ---- In ----
  void ReadNext() {
    if (queue_context_->stopped) return;
    stream_.Read(&request_, read_op_.Begin(Self()));
  }
  void ReadDone(bool ok) {
    if (ending_) return;
    if (!ok) return End(absl::OkStatus());  // the client has said everything, or is gone
    if (!request_.status().ok()) return End(request_.status());
    if (const absl::Status status = Take(&request_.message()); !status.ok()) return End(status);
    paused_ = TooMuchWaits();
    if (!paused_) ReadNext();
  }

  // ---- Out ----
  // Has the turn. Keeps it while a message is with gRPC, and for ever after the end.
  void Drive() {
    do {
      if (queue_context_->stopped) return;
      const bool ended = ended_;
      if (outbox().Fill(&response_)) {
        writing_since_.store(service().clock->Now(), std::memory_order_relaxed);
        stream_.Write(response_, written_op_.Begin(Self()));
        return;
      }
      if (ended) {
        stream_.Finish(ToGrpc(status_), finished_op_.Begin(Self()));
        return;
      }
    } while (!turn_.TryEnd());
  }
  void Written(bool ok) {
    if (!ok) return;
    writing_since_.store(0, std::memory_order_relaxed);
    Drive();
    if (!paused_ || !EnoughWasSent()) return;
    paused_ = false;
    if (!ending_) ReadNext();
  }

  // ---- The end ----
  void End(const absl::Status& status) {
    if (std::exchange(ending_, true)) return;
    status_ = status;
    ended_ = true;
    Flush();
  }
  void Finished(bool) {}
  void Done(bool) {
    ending_ = true;
    Leave();
  }

  QueueContext* const queue_context_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncReaderWriter<v1::SessionResponse, api::Received<v1::SessionRequest>> stream_;

  // The RPC thread's.
  api::Received<v1::SessionRequest> request_;
  bool paused_ = false;
  bool ending_ = false;

  FlushGuard turn_;
  v1::SessionResponse response_;  // of the one who has the turn
  std::atomic<bool> ended_ = false;
  // Since when a message is with gRPC; 0: none is.
  std::atomic<core::Nanos> writing_since_ = 0;
  absl::Status status_;  // constant after ended_

  Op<SessionCall, &SessionCall::Accepted> accepted_op_;
  Op<SessionCall, &SessionCall::ReadDone> read_op_;
  Op<SessionCall, &SessionCall::Written> written_op_;
  Op<SessionCall, &SessionCall::Finished> finished_op_;
  Op<SessionCall, &SessionCall::Done> done_op_;
};

}  // namespace

void AcceptSessions(QueueContext* queue_context) { SessionCall::Accept(queue_context); }

}  // namespace poold::transport
