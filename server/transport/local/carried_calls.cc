#include "transport/local/carried_calls.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "api/calls.h"
#include "api/errors.h"
#include "api/received.h"
#include "api/uploads.h"

namespace poold::transport {
namespace {

using Part = CarriedCall::Part;
using Make = std::function<std::shared_ptr<CarriedCall>(const std::shared_ptr<LocalCalls>&, v1::CallHead)>;

absl::Status OneRequest() {
  return api::InvalidField("request", "this call has one request, which is the last message");
}

// One request, one answer.
template <typename Request, typename Response>
class CarriedUnary final : public api::Call<Request, Response>, public CarriedCall {
 public:
  using Function = typename api::Call<Request, Response>::Function;

  CarriedUnary(std::shared_ptr<LocalCalls> connection, v1::CallHead head, Function function)
      : api::Call<Request, Response>(connection->service()),
        connection_(std::move(connection)),
        head_(std::move(head)),
        function_(function) {}

  api::Caller caller() const override { return connection_->CallerOf(head_); }
  core::WorkerId task_worker() const override { return connection_->TaskWorkerOf(head_); }
  void Post(std::function<void()> work) override { connection_->Post(std::move(work)); }

  absl::Status Take(std::string_view message, bool last) override {
    if (!last) return OneRequest();
    this->received().Parse(message);
    this->Run(function_);
    return absl::OkStatus();
  }
  void Cancel() override {
    if (!this->answered()) api::Call<Request, Response>::Cancel();
  }
  void Forget() override { api::Call<Request, Response>::Forget(); }
  Part Put(wire::MessageSocket* socket) override {
    std::optional<Answered> answer;
    {
      absl::MutexLock lock(&mu_);
      answer.swap(answer_);
    }
    if (!answer) return Part::kNone;
    if (answer->status.ok()) socket->PutBytes(answer->response);
    socket->Put(api::ToProto(answer->status), /*last=*/true);
    return Part::kLast;
  }

 private:
  struct Answered {
    absl::Status status;
    std::string response;
  };

  void Send(const Response& response) override { Keep({absl::OkStatus(), response.SerializeAsString()}); }
  void SendRefusal(const absl::Status& status) override { Keep({status, ""}); }
  void Keep(Answered answer) {
    {
      absl::MutexLock lock(&mu_);
      answer_ = std::move(answer);
    }
    connection_->Answer();
  }

  const std::shared_ptr<LocalCalls> connection_;
  const v1::CallHead head_;
  const Function function_;
  absl::Mutex mu_;
  // That was not packed yet.
  std::optional<Answered> answer_ ABSL_GUARDED_BY(mu_);
};

// One request, many answers.
template <typename Request, typename Response>
class CarriedStream final : public api::StreamCall<Request, Response>, public CarriedCall {
 public:
  using Function = typename api::StreamCall<Request, Response>::Function;

  CarriedStream(std::shared_ptr<LocalCalls> connection, Function function)
      : api::StreamCall<Request, Response>(connection->service()),
        connection_(std::move(connection)),
        function_(function) {}

  void Pump() override { connection_->Answer(); }
  void Post(std::function<void()> work) override { connection_->Post(std::move(work)); }

  absl::Status Take(std::string_view message, bool last) override {
    if (!last) return OneRequest();
    this->received().Parse(message);
    this->Run(function_);
    return absl::OkStatus();
  }
  void Cancel() override { this->End(absl::CancelledError("the client went away")); }
  void Forget() override { this->Stop(); }
  void EndForShutdown() override { this->End(api::ShuttingDown()); }
  Part Put(wire::MessageSocket* socket) override {
    const bool ended = this->ended();
    message_.Clear();
    if (this->Fill(&message_)) {
      socket->Put(message_);
      return Part::kSome;
    }
    if (!ended) return Part::kNone;
    socket->Put(api::ToProto(this->status()), /*last=*/true);
    return Part::kLast;
  }

 private:
  const std::shared_ptr<LocalCalls> connection_;
  const Function function_;
  Response message_;  // of the one who has the turn
};

// UploadRequest.fragment where it lies in the message, which is not copied. Nothing: the message is none.
std::optional<std::string_view> FragmentOf(std::string_view message) {
  using google::protobuf::internal::WireFormatLite;
  constexpr std::uint32_t kFragment =
      v1::UploadRequest::kFragmentFieldNumber << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  google::protobuf::io::CodedInputStream bytes(reinterpret_cast<const std::uint8_t*>(message.data()),
                                               static_cast<int>(message.size()));
  std::string_view fragment;
  while (const std::uint32_t tag = bytes.ReadTag()) {
    int length = 0;
    if (tag != kFragment) {
      if (!WireFormatLite::SkipField(&bytes, tag)) return std::nullopt;
      continue;
    }
    if (!bytes.ReadVarintSizeAsInt(&length)) return std::nullopt;
    const int begin = bytes.CurrentPosition();
    if (!bytes.Skip(length)) return std::nullopt;
    fragment = message.substr(begin, length);
  }
  if (!bytes.ConsumedEntireMessage()) return std::nullopt;
  return fragment;
}

// Many requests, one answer. All of it happens on the LocalThread, also the writing of large ones into the spool.
class CarriedUpload final : public CarriedCall {
 public:
  explicit CarriedUpload(const std::shared_ptr<LocalCalls>& connection)
      : connection_(connection), upload_(connection->service(), [weak = std::weak_ptr<LocalCalls>(connection)] {
          if (const auto self = weak.lock()) self->CutStalled();
        }) {}

  absl::Status Take(std::string_view message, bool last) override {
    const std::optional<std::string_view> fragment = FragmentOf(message);
    const absl::Status status =
        fragment ? upload_.Append(*fragment) : api::NoSuchMessage(*v1::UploadRequest::descriptor());
    if (!status.ok() || !last) return status;
    absl::StatusOr<v1::UploadResponse> response = upload_.Finish();
    if (!response.ok()) return response.status();
    response_ = *std::move(response);
    connection_->Answer();
    return absl::OkStatus();
  }
  // Nobody learns the name.
  void Cancel() override {
    upload_.Forget();
    connection_->CutStalled();
  }
  void Forget() override { upload_.Abandon(); }
  Part Put(wire::MessageSocket* socket) override {
    if (!response_) return Part::kNone;
    socket->Put(*std::exchange(response_, std::nullopt));
    socket->Put(google::rpc::Status(), /*last=*/true);
    return Part::kLast;
  }

 private:
  const std::shared_ptr<LocalCalls> connection_;
  api::Upload upload_;
  std::optional<v1::UploadResponse> response_;
};

absl::flat_hash_map<std::string, Make> MakeAll() {
  absl::flat_hash_map<std::string, Make> all;
  api::ForEachCall([&all]<typename Request, typename Response>(
                       const char* name, void (*function)(const std::shared_ptr<api::Call<Request, Response>>&)) {
    all[name] = [function](const std::shared_ptr<LocalCalls>& connection, v1::CallHead head) {
      return std::make_shared<CarriedUnary<Request, Response>>(connection, std::move(head), function);
    };
  });
  api::ForEachStreamCall(
      [&all]<typename Request, typename Response>(
          const char* name, void (*function)(const std::shared_ptr<api::StreamCall<Request, Response>>&)) {
        all[name] = [function](const std::shared_ptr<LocalCalls>& connection, const v1::CallHead&) {
          return std::make_shared<CarriedStream<Request, Response>>(connection, function);
        };
      });
  all["Upload"] = [](const std::shared_ptr<LocalCalls>& connection, const v1::CallHead&) {
    return std::make_shared<CarriedUpload>(connection);
  };
  return all;
}

}  // namespace

std::shared_ptr<CarriedCall> MakeCarriedCall(const std::shared_ptr<LocalCalls>& connection, v1::CallHead head) {
  static const auto* const kAll = new absl::flat_hash_map<std::string, Make>(MakeAll());
  const auto found = kAll->find(head.method());
  return found == kAll->end() ? nullptr : found->second(connection, std::move(head));
}

}  // namespace poold::transport
