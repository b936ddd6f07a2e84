// Calls of health and reflection, and of methods that nobody knows.
//
// Threads: all of it happens on the RPC thread. Ownership: see tag.h.
#include <grpcpp/generic/async_generic_service.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/errors.h"
#include "transport/grpc/queue_context.h"
#include "transport/grpc/standard_services.h"
#include "transport/grpc/tag.h"

namespace poold::transport {
namespace {

constexpr std::size_t kMaxRequestBytes = 64 << 10;

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Dump(&slices).ok()) return out;
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

grpc::ByteBuffer BufferOf(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

class StandardCall final : public LiveStream, public HealthWatcher, public std::enable_shared_from_this<StandardCall> {
 public:
  static void Accept(QueueContext* queue_context) {
    auto call = std::shared_ptr<StandardCall>(new StandardCall(queue_context));
    call->context_.AsyncNotifyWhenDone(call->done_op_.AsTag());
    queue_context->generic->RequestCall(&call->context_, &call->stream_, queue_context->queue, queue_context->queue,
                                        call->accepted_op_.Begin(call));
  }

  void EndForShutdown() override {
    ending_ = true;
    if (!writing_) Finish(api::ShuttingDown());
  }
  // A watcher of health: says how it is now.
  void TellHealth() override {
    const Health health = HealthOf(service_, queue_context_->transport->serving);
    if (writing_ || finished_ || health == told_) return;
    told_ = health;
    Write(HealthResponse(health));
  }

 private:
  enum class Kind { kUnknown, kCheck, kWatch, kReflection };

  explicit StandardCall(QueueContext* queue_context) : queue_context_(queue_context), stream_(&context_) {}

  static Kind KindOf(const std::string& method) {
    if (method == "/grpc.health.v1.Health/Check") return Kind::kCheck;
    if (method == "/grpc.health.v1.Health/Watch") return Kind::kWatch;
    const bool reflection = method == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
                            method == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    return reflection ? Kind::kReflection : Kind::kUnknown;
  }

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(shared_from_this());
    origin_.Come(context_, *queue_context_->transport);
    if (queue_context_->stopped) return;
    Accept(queue_context_);
    kind_ = KindOf(context_.method());
    if (kind_ == Kind::kUnknown) {
      return Finish(absl::UnimplementedError(context_.method() + " is not a method of this server"));
    }
    queue_context_->AddStream(shared_from_this());
    if (!finished_) Read();
  }

  void Read() { stream_.Read(&message_, read_op_.Begin(shared_from_this())); }
  void ReadDone(bool ok) {
    if (finished_ || queue_context_->stopped) return;
    if (!ok) return Finish(kind_ == Kind::kReflection ? absl::OkStatus() : absl::InvalidArgumentError("no request"));
    if (message_.Length() > kMaxRequestBytes) return Finish(absl::InvalidArgumentError("the request is too large"));
    const std::string request = TextOf(message_);
    if (kind_ == Kind::kReflection) return Answer(AnswerReflection(request));
    const std::optional<std::string> service = ReadHealthRequest(request);
    if (!service) return Finish(absl::InvalidArgumentError("this is not a HealthCheckRequest"));
    service_ = *service;
    if (kind_ == Kind::kWatch) {
      queue_context_->health_watchers.push_back(weak_from_this());
      return TellHealth();
    }
    const Health health = HealthOf(service_, queue_context_->transport->serving);
    if (health == Health::kServiceUnknown) return Finish(absl::NotFoundError("there is no service " + service_));
    Answer(HealthResponse(health));
  }

  void Answer(const std::optional<std::string>& response) {
    if (!response) return Finish(absl::InvalidArgumentError("this is not a ServerReflectionRequest"));
    Write(*response);
  }
  void Write(const std::string& response) {
    writing_ = true;
    stream_.Write(BufferOf(response), written_op_.Begin(shared_from_this()));
  }
  void Written(bool ok) {
    writing_ = false;
    if (!ok || queue_context_->stopped) return;
    if (kind_ == Kind::kCheck) return Finish(absl::OkStatus());
    if (ending_) return Finish(api::ShuttingDown());
    if (kind_ == Kind::kReflection) return Read();
    TellHealth();
  }

  void Finish(const absl::Status& status) {
    if (std::exchange(finished_, true)) return;
    stream_.Finish(ToGrpc(status), finished_op_.Begin(shared_from_this()));
  }
  void Finished(bool) {}
  void Done(bool) { finished_ = true; }

  QueueContext* const queue_context_;
  grpc::GenericServerContext context_;
  CallOrigin origin_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  Kind kind_ = Kind::kUnknown;
  std::string service_;
  Health told_ = Health::kUnknown;
  bool writing_ = false;
  bool ending_ = false;
  bool finished_ = false;

  Op<StandardCall, &StandardCall::Accepted> accepted_op_;
  Op<StandardCall, &StandardCall::ReadDone> read_op_;
  Op<StandardCall, &StandardCall::Written> written_op_;
  Op<StandardCall, &StandardCall::Finished> finished_op_;
  Op<StandardCall, &StandardCall::Done> done_op_;
};

}  // namespace

void AcceptStandardCalls(QueueContext* queue_context) { StandardCall::Accept(queue_context); }

}  // namespace poold::transport
