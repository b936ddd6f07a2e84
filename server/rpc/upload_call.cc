// Upload: many fragments, one answer. All of it happens on the RPC thread, also the writing of large ones into the
// spool: a fragment into the page cache takes some 0.2 ms. Ownership: see tag.h.
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/payload_draft.h"
#include "core/errors.h"
#include "rpc/accept.h"
#include "rpc/convert.h"
#include "rpc/errors.h"
#include "rpc/tag.h"
#include "wire/absl_text.h"

namespace poold::rpc {
namespace {

constexpr std::size_t kMaxFragmentBytes = 1 << 20;

// What the spool says, as clients are told of bounds.
absl::Status Spooled(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return core::MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL", wire::ToStd(status.message()), "spool",
                         core::kSecond);
}

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
      : queue_context_(queue_context),
        service_context_(*queue_context->service_context),
        reader_(&context_),
        request_(service_context_.options),
        draft_(service_context_.options.spool.get(), service_context_.options.memory->uploads) {}

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(shared_from_this());
    origin_.Come(context_, service_context_);
    if (queue_context_->stopped) return;
    Accept(queue_context_);
    under_way_->progress_at = service_context_.clock->Now();
    under_way_->cut = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->context_.TryCancel();
    };
    service_context_.uploads.Begin(under_way_);
    ReadNext();
  }
  void ReadNext() { reader_.Read(&request_, read_op_.Begin(shared_from_this())); }
  void ReadDone(bool ok) {
    if (queue_context_->stopped) return;
    if (!ok) return Keep();
    under_way_->progress_at.store(service_context_.clock->Now(), std::memory_order_relaxed);
    if (!request_.status().ok()) return Refuse(request_.status());
    if (absl::Status status = Append(request_.message().fragment()); !status.ok()) return Refuse(status);
    v1::UploadRequest().Swap(&request_.message());  // while it waits for more it keeps nothing of what came
    ReadNext();
  }

  absl::Status Append(const std::string& fragment) {
    if (fragment.size() > kMaxFragmentBytes) {
      return TooLarge("fragment", absl::StrCat("fragment: ", fragment.size(), " bytes; at most ", kMaxFragmentBytes));
    }
    const std::uint64_t most = service_context_.options.limits.max_payload_bytes;
    if (draft_.size() + fragment.size() > most) {
      return TooLarge("fragment", absl::StrCat("the upload is larger than a payload may be: ", most, " bytes"));
    }
    if (absl::Status status = service_context_.uploads.Reserve(fragment.size(), service_context_.clock->Now());
        !status.ok()) {
      return status;
    }
    reserved_ += fragment.size();
    return Spooled(draft_.Append(fragment));
  }

  void Keep() {
    absl::StatusOr<base::Kept> bytes = draft_.Finish();
    if (!bytes.ok()) return Refuse(Spooled(bytes.status()));
    const std::uint64_t size = bytes->view.size();
    const core::HandleId id =
        service_context_.shards.front()->Enter([](core::Core& core, core::Nanos) { return core.NewHandle(); });
    const absl::Status kept = service_context_.uploads.Keep(id, core::Bytes(std::move(bytes->owner), bytes->view),
                                                            service_context_.clock->Now());
    if (!kept.ok()) return Refuse(kept);
    kept_ = IdBytes(id);
    reserved_ = 0;
    v1::UploadResponse response;
    response.set_upload_id(kept_);
    response.set_size_bytes(size);
    reader_.Finish(response, grpc::Status::OK, finished_op_.Begin(shared_from_this()));
  }
  void Refuse(const absl::Status& status) {
    Abandon();
    reader_.FinishWithError(ToGrpc(status), finished_op_.Begin(shared_from_this()));
  }
  void Abandon() {
    service_context_.uploads.Abandon(std::exchange(reserved_, 0));
    draft_.Clear();
  }
  void Finished(bool) {}
  void Done(bool) {
    Abandon();
    // The client went away before it learnt the name: nobody will ask for it.
    if (context_.IsCancelled() && !kept_.empty()) static_cast<void>(service_context_.uploads.Take(kept_));
  }

  QueueContext* const queue_context_;
  ServiceContext& service_context_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncReader<v1::UploadResponse, Received<v1::UploadRequest>> reader_;
  Received<v1::UploadRequest> request_;
  base::PayloadDraft draft_;
  const std::shared_ptr<UploadStore::UnderWay> under_way_ = std::make_shared<UploadStore::UnderWay>();
  std::uint64_t reserved_ = 0;
  std::string kept_;

  Op<UploadCall, &UploadCall::Accepted> accepted_op_;
  Op<UploadCall, &UploadCall::ReadDone> read_op_;
  Op<UploadCall, &UploadCall::Finished> finished_op_;
  Op<UploadCall, &UploadCall::Done> done_op_;
};

}  // namespace

void AcceptUploads(QueueContext* queue_context) { UploadCall::Accept(queue_context); }

}  // namespace poold::rpc
