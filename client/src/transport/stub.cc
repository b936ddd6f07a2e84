#include "transport/stub.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "error.h"
#include "poold/codec/large_text.h"
#include "session/cancellation.h"
#include "transport/daemon_socket.h"
#include "transport/grpc_time.h"

namespace poold::client::internal {
namespace {

constexpr std::size_t kFragmentBytes = 1 << 20;
// How long a cold call keeps trying once nothing answered.
constexpr Duration kRetryFor = std::chrono::seconds(3);
constexpr Duration kFirstPause = std::chrono::milliseconds(20);
constexpr Duration kLastPause = std::chrono::milliseconds(400);

// Nobody answered: not the daemon's own word, which comes with a reason. A daemon that stops cancels what is under way.
bool Unreachable(const grpc::Status& status) {
  const bool away =
      status.error_code() == grpc::StatusCode::UNAVAILABLE || status.error_code() == grpc::StatusCode::CANCELLED;
  return away && status.error_details().empty();
}

std::string WorkerOfThisTask() {
  const char* const worker = std::getenv("POOLD_WORKER");
  return worker != nullptr ? worker : "";
}

template <typename Response, typename Reader>
absl::Status ReadAll(std::unique_ptr<Reader> reader, grpc::ClientContext* context, std::string_view address,
                     const std::function<bool(const Response&)>& take) {
  const NotCancelled not_cancelled;
  Response response;
  bool wanted = true;
  grpc::Status status;
  {
    // Also where what takes them throws: a stream must be finished.
    bool over = false;
    const absl::Cleanup finish = [&] {
      if (!over) context->TryCancel();
      status = reader->Finish();
    };
    while (wanted && reader->Read(&response)) wanted = take(response);
    over = wanted;
  }
  return wanted ? FromGrpc(status, address) : absl::OkStatus();
}

void TakeFragment(const v1::DownloadResponse& response, v1::Payload* head, std::string* bytes) {
  if (head != nullptr && response.has_payload()) *head = response.payload();
  if (bytes->empty()) bytes->reserve(response.payload().size_bytes());
  bytes->append(response.fragment());
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status, std::string_view address) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status detailed;
  if (!status.error_details().empty() && detailed.ParseFromString(status.error_details()) && detailed.code() != 0) {
    return FromProto(detailed);
  }
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (Unreachable(status)) {
    return absl::Status(code, "no poold answers at " + std::string(address) + " (" + status.error_message() +
                                  "): start poold there, or set POOLD_ADDRESS");
  }
  return absl::Status(code, status.error_message());
}

Stub::Stub(const std::shared_ptr<grpc::Channel>& channel, std::string address, Duration call_timeout)
    : address_(std::move(address)),
      worker_(WorkerOfThisTask()),
      call_timeout_(std::max(call_timeout, Duration::zero())),
      grpc_(v1::PoolService::NewStub(channel)) {}

void Stub::Introduce(grpc::ClientContext* context) const {
  if (inside_a_task()) context->AddMetadata("poold-worker", worker_);
}

std::string Stub::address_without_grpc() const { return AddressWithoutGrpc(address_); }

Deadline Stub::DeadlineAfter(Duration wait) const {
  return Deadline(wait >= kForever - call_timeout_ ? kForever : Duration(wait + call_timeout_));
}

void Stub::SetDeadline(grpc::ClientContext* context, Duration wait) const {
  const Deadline deadline = DeadlineAfter(wait);
  if (!deadline.never()) context->set_deadline(GrpcIn(deadline.left()));
}

void Stub::UseLocalCalls(bool use) {
  absl::MutexLock lock(&mu_);
  if (!use) {
    local_calls_ = nullptr;
  } else if (local_calls_ == nullptr) {
    local_calls_ = std::make_shared<LocalCalls>(address_without_grpc());
  } else {
    local_calls_->TryAgain();
  }
}

std::shared_ptr<LocalCalls> Stub::local_calls() {
  absl::MutexLock lock(&mu_);
  return local_calls_;
}

std::string Stub::NameOf(const google::protobuf::MessageLite& request) {
  constexpr std::string_view kRequest = "Request";
  const std::string type = request.GetTypeName();  // poold.v1.GetRequest
  const std::size_t begin = type.rfind('.') + 1;
  return type.substr(begin, type.size() - kRequest.size() - begin);
}

std::optional<grpc::Status> Stub::CallHere(std::string_view method, const google::protobuf::MessageLite& request,
                                           google::protobuf::MessageLite* response, Duration wait) {
  const std::shared_ptr<LocalCalls> calls = local_calls();
  const auto call = calls != nullptr ? calls->Begin(method, worker_, DeadlineAfter(wait)) : nullptr;
  if (call == nullptr) return std::nullopt;
  call->Write(request, /*last=*/true);
  call->Read(response);
  const grpc::Status status = call->Finish();
  // An older daemon knows it through gRPC only, or not at all.
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) return std::nullopt;
  return status;
}

absl::Status Stub::Retry(const std::function<grpc::Status()>& call) {
  if (!process_.here()) return ForkedError();
  const NotCancelled not_cancelled;
  std::optional<Deadline> deadline;  // from the first failure on: a host that went silent is noticed late
  for (Duration pause = kFirstPause;; pause = std::min<Duration>(pause * 2, kLastPause)) {
    const grpc::Status status = call();
    if (!deadline) deadline.emplace(std::min(kRetryFor, call_timeout_));
    if (!Unreachable(status) || deadline->passed()) return FromGrpc(status, address_);
    std::this_thread::sleep_for(pause);
  }
}

absl::Status Stub::GetItems(const v1::GetItemsRequest& request,
                            const std::function<bool(const v1::GetItemsResponse&)>& take) {
  if (!process_.here()) return ForkedError();
  grpc::ClientContext context;
  return ReadAll<v1::GetItemsResponse>(grpc_->GetItems(&context, request), &context, address_, take);
}

absl::Status Stub::Watch(const v1::WatchRequest& request, const std::function<bool(const v1::WatchResponse&)>& take) {
  if (!process_.here()) return ForkedError();
  grpc::ClientContext context;
  return ReadAll<v1::WatchResponse>(grpc_->Watch(&context, request), &context, address_, take);
}

absl::StatusOr<std::string> Stub::Download(const v1::DownloadRequest& request, v1::Payload* head) {
  std::string bytes;
  absl::Status status = Retry([&] {
    // What has come already is not asked for again.
    v1::DownloadRequest rest = request;
    rest.set_offset_bytes(request.offset_bytes() + bytes.size());
    if (const auto here = DownloadHere(rest, head, &bytes)) return *here;
    return DownloadOnce(rest, head, &bytes);
  });
  if (!status.ok()) return status;
  return bytes;
}

grpc::Status Stub::DownloadOnce(const v1::DownloadRequest& rest, v1::Payload* head, std::string* bytes) {
  grpc::ClientContext context;
  auto reader = grpc_->Download(&context, rest);
  v1::DownloadResponse response;
  while (reader->Read(&response)) TakeFragment(response, head, bytes);
  return reader->Finish();
}

std::optional<grpc::Status> Stub::DownloadHere(const v1::DownloadRequest& rest, v1::Payload* head, std::string* bytes) {
  const std::shared_ptr<LocalCalls> calls = local_calls();
  const auto call = calls != nullptr ? calls->Begin("Download", worker_, Deadline(kForever)) : nullptr;
  if (call == nullptr) return std::nullopt;
  v1::DownloadResponse response;
  call->Write(rest, /*last=*/true);
  while (call->Read(&response)) TakeFragment(response, head, bytes);
  return call->Finish();
}

void Stub::UsePayloadSocket(const v1::ServerInfo& server) {
  const std::string& path = server.payload_socket();
  // Only whoever came by a Unix socket is on the daemon's host for sure.
  const bool same_host = on_unix_socket() && !path.empty();
  absl::MutexLock lock(&mu_);
  payloads_ = same_host ? std::make_shared<PayloadSocket>(path, server.limits().max_shared_memory_bytes()) : nullptr;
}

std::shared_ptr<PayloadSocket> Stub::payloads() {
  absl::MutexLock lock(&mu_);
  return payloads_;
}

std::string Stub::HandOver(const wire::Pieces& bytes) {
  const NotCancelled not_cancelled;
  const std::shared_ptr<PayloadSocket> socket = payloads();
  return socket != nullptr ? socket->Offer(bytes).value_or("") : "";
}

std::optional<wire::ArenaMaker::Reserved> Stub::Place(const wire::Pieces& bytes) {
  const NotCancelled not_cancelled;
  const std::shared_ptr<PayloadSocket> socket = payloads();
  return socket != nullptr ? socket->Place(bytes) : std::nullopt;
}

std::optional<ResultInArena> Stub::InArena(const v1::Payload& told) {
  const NotCancelled not_cancelled;
  const std::shared_ptr<PayloadSocket> socket = told.has_in_arena() ? payloads() : nullptr;
  if (socket == nullptr) return std::nullopt;
  const v1::ArenaSlot& at = told.in_arena();
  std::shared_ptr<KnownArena> arena = socket->Arena(at.arena());
  if (arena == nullptr || !arena->mapping().Has(at.slot(), at.bytes())) return std::nullopt;
  return ResultInArena(std::move(arena), {at.slot(), at.use()}, at.bytes());
}

std::shared_ptr<const HeldResult> Stub::HoldInArena(const v1::Payload& told) {
  const NotCancelled not_cancelled;
  const std::shared_ptr<PayloadSocket> socket = told.has_in_arena() ? payloads() : nullptr;
  if (socket == nullptr) return nullptr;
  const v1::ArenaSlot& at = told.in_arena();
  return socket->Hold(at.arena(), {at.slot(), at.use()}, at.bytes());
}

absl::StatusOr<Downloaded> Stub::Fetch(const v1::DownloadRequest& request, const v1::Payload& told) {
  const NotCancelled not_cancelled;
  if (const std::optional<ResultInArena> result = InArena(told)) {
    Downloaded copy(codec::CopyText(result->view()));
    if (result->StillThere()) return copy;
  }
  if (const std::shared_ptr<PayloadSocket> socket = payloads(); socket != nullptr && request.id().size() == 16) {
    if (auto memory = socket->Fetch(request.id(), request.index())) return Downloaded(*std::move(memory));
  }
  auto text = Download(request);
  if (!text.ok()) return text.status();
  return Downloaded(*std::move(text));
}

absl::StatusOr<std::string> Stub::Upload(std::string_view bytes) {
  if (std::string id = HandOver(wire::Pieces({&bytes, 1})); !id.empty()) return id;
  return SendUp(bytes);
}

absl::StatusOr<std::string> Stub::SendUp(std::string_view bytes) {
  v1::UploadResponse response;
  absl::Status status = Retry([&] {
    if (const auto here = UploadHere(bytes, &response)) return *here;
    return UploadOnce(bytes, &response);
  });
  if (!status.ok()) return status;
  return response.upload_id();
}

grpc::Status Stub::UploadOnce(std::string_view bytes, v1::UploadResponse* response) {
  grpc::ClientContext context;
  auto writer = grpc_->Upload(&context, response);
  v1::UploadRequest request;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kFragmentBytes) {
    request.set_fragment(std::string(bytes.substr(begin, kFragmentBytes)));
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

std::optional<grpc::Status> Stub::UploadHere(std::string_view bytes, v1::UploadResponse* response) {
  const std::shared_ptr<LocalCalls> calls = local_calls();
  const auto call = calls != nullptr ? calls->Begin("Upload", worker_, Deadline(kForever)) : nullptr;
  if (call == nullptr) return std::nullopt;
  if (bytes.empty()) call->Write(v1::UploadRequest(), /*last=*/true);
  bool goes_on = true;
  for (std::size_t begin = 0; goes_on && begin < bytes.size(); begin += kFragmentBytes) {
    goes_on = call->WriteFragment(bytes.substr(begin, kFragmentBytes), /*last=*/begin + kFragmentBytes >= bytes.size());
  }
  call->Read(response);
  return call->Finish();
}

}  // namespace poold::client::internal
