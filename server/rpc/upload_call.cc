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
  static void Accept(Wiring* wiring) {
    auto call = std::shared_ptr<UploadCall>(new UploadCall(wiring));
    call->context_.AsyncNotifyWhenDone(call->done_op_.AsTag());
    wiring->service->RequestUpload(&call->context_, &call->reader_, wiring->queue, wiring->queue,
                                   call->accepted_op_.Begin(call));
  }

 private:
  explicit UploadCall(Wiring* wiring)
      : wiring_(wiring), backend_(*wiring->backend), reader_(&context_), draft_(backend_.options.spool.get()) {}

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(shared_from_this());
    origin_.Come(context_, backend_);
    if (wiring_->stopped) return;
    Accept(wiring_);
    ReadNext();
  }
  void ReadNext() { reader_.Read(&request_, read_op_.Begin(shared_from_this())); }
  void ReadDone(bool ok) {
    if (wiring_->stopped) return;
    if (!ok) return Keep();
    if (absl::Status status = Append(request_.fragment()); !status.ok()) return Refuse(status);
    ReadNext();
  }

  absl::Status Append(const std::string& fragment) {
    if (fragment.size() > kMaxFragmentBytes) {
      return TooLarge("fragment", absl::StrCat("fragment: ", fragment.size(), " bytes; at most ", kMaxFragmentBytes));
    }
    const std::uint64_t most = backend_.options.limits.max_payload_bytes;
    if (draft_.size() + fragment.size() > most) {
      return TooLarge("fragment", absl::StrCat("the upload is larger than a payload may be: ", most, " bytes"));
    }
    if (absl::Status status = backend_.uploads.Reserve(fragment.size(), backend_.clock->Now()); !status.ok()) {
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
        backend_.shards.front()->Enter([](core::Core& core, core::Nanos) { return core.NewHandle(); });
    kept_ = IdBytes(id);
    reserved_ = 0;
    // An id of the core's is fresh.
    static_cast<void>(
        backend_.uploads.Keep(id, core::Bytes(std::move(bytes->owner), bytes->view), backend_.clock->Now()));
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
    backend_.uploads.Abandon(std::exchange(reserved_, 0));
    draft_.Clear();
  }
  void Finished(bool) {}
  void Done(bool) {
    Abandon();
    // The client went away before it learnt the name: nobody will ask for it.
    if (context_.IsCancelled() && !kept_.empty()) static_cast<void>(backend_.uploads.Take(kept_));
  }

  Wiring* const wiring_;
  Backend& backend_;
  grpc::ServerContext context_;
  CallOrigin origin_;
  grpc::ServerAsyncReader<v1::UploadResponse, v1::UploadRequest> reader_;
  v1::UploadRequest request_;
  base::PayloadDraft draft_;
  std::uint64_t reserved_ = 0;
  std::string kept_;

  Op<UploadCall, &UploadCall::Accepted> accepted_op_;
  Op<UploadCall, &UploadCall::ReadDone> read_op_;
  Op<UploadCall, &UploadCall::Finished> finished_op_;
  Op<UploadCall, &UploadCall::Done> done_op_;
};

}  // namespace

void AcceptUploads(Wiring* wiring) { UploadCall::Accept(wiring); }

}  // namespace poold::rpc
