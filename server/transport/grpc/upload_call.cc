// Upload through gRPC: many fragments, one answer. All of it happens on the RPC thread, also the writing of large ones
// into the spool. Ownership: see tag.h.
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <optional>

#include "api/uploads.h"
#include "transport/grpc/queue_context.h"
#include "transport/grpc/tag.h"

namespace poold::transport {
namespace {

class UploadCall final : public std::enable_shared_from_this<UploadCall> {
 public:
  static void Accept(QueueContext* queue_context) {
    static const int kMethod = MethodNamed("Upload");
    auto call = std::shared_ptr<UploadCall>(new UploadCall(queue_context));
    call->context_.AsyncNotifyWhenDone(call->done_op_.AsTag());
    queue_context->service->AcceptClientStream(kMethod, &call->context_, &call->reader_, queue_context->queue,
                                               call->accepted_op_.Begin(call));
  }

 private:
  explicit UploadCall(QueueContext* queue_context)
      : queue_context_(queue_context), reader_(&context_), request_(queue_context->transport->service.options) {}

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(shared_from_this());
    origin_.Come(context_, *queue_context_->transport);
    if (queue_context_->stopped) return;
    Accept(queue_context_);
    upload_.emplace(&queue_context_->transport->service, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->context_.TryCancel();
    });
    ReadNext();
  }
  void ReadNext() { reader_.Read(&request_, read_op_.Begin(shared_from_this())); }
  void ReadDone(bool ok) {
    if (queue_context_->stopped) return;
    if (!ok) return Keep();
    absl::Status status = request_.status();
    if (status.ok()) status = upload_->Append(request_.message().fragment());
    if (!status.ok()) return Refuse(status);
    v1::UploadRequest().Swap(&request_.message());  // while it waits for more it keeps nothing of what came
    ReadNext();
  }
  void Keep() {
    const absl::StatusOr<v1::UploadResponse> response = upload_->Finish();
    if (!response.ok()) return Refuse(response.status());
    reader_.Finish(*response, grpc::Status::OK, finished_op_.Begin(shared_from_this()));
  }
  void Refuse(const absl::Status& status) {
    upload_->Abandon();
    reader_.FinishWithError(ToGrpc(status), finished_op_.Begin(shared_from_this()));
  }
  void Finished(bool) {}
  void Done(bool) {
    if (!upload_) return;
    if (context_.IsCancelled()) {
      upload_->Forget();
    } else {
      upload_->Abandon();
    }
  }

  QueueContext* const queue_context_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncReader<v1::UploadResponse, api::Received<v1::UploadRequest>> reader_;
  api::Received<v1::UploadRequest> request_;
  std::optional<api::Upload> upload_;  // from when it was accepted

  Op<UploadCall, &UploadCall::Accepted> accepted_op_;
  Op<UploadCall, &UploadCall::ReadDone> read_op_;
  Op<UploadCall, &UploadCall::Finished> finished_op_;
  Op<UploadCall, &UploadCall::Done> done_op_;
};

}  // namespace

void AcceptUploads(QueueContext* queue_context) { UploadCall::Accept(queue_context); }

}  // namespace poold::transport
