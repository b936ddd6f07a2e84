#include "transport/local/local_calls.h"

#include <sys/epoll.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "base/worker_mark.h"
#include "transport/local/carried_calls.h"

namespace poold::transport {
namespace {

// Calls that may take longer have no timer.
constexpr core::Nanos kLongest = 365 * 24 * 3600 * core::kSecond;

}  // namespace

LocalCalls::LocalCalls(LocalLoop* loop, wire::UniqueFd socket, Ticket its_ticket)
    : LocalConnection(loop, std::move(socket), std::move(its_ticket), EPOLLRDHUP),
      unsent_(loop->transport->service.options.memory->unsent) {
  // It was in use to ask for this.
  ticket()->EndCall();
}

api::Caller LocalCalls::CallerOf(const v1::CallHead& head) const {
  const Peer& peer = ticket()->peer();
  return {ClientNamed(head.client(), absl::StrCat("connection-", peer.connection), &services()), OriginOf(peer)};
}

core::WorkerId LocalCalls::TaskWorkerOf(const v1::CallHead& head) const {
  if (head.worker().empty()) return {};
  return core::WorkerId{base::WorkerOfMark(head.worker(), services().options.worker_secret)};
}

std::shared_ptr<CarriedCall> LocalCalls::call() {
  absl::MutexLock lock(&call_mu_);
  return call_;
}

void LocalCalls::SetCall(std::shared_ptr<CarriedCall> call) {
  absl::MutexLock lock(&call_mu_);
  call_.swap(call);
}

absl::Status LocalCalls::OnMessage(const wire::MessageSocket::Message& message) {
  const std::shared_ptr<CarriedCall> under_way = call();
  if (under_way == nullptr)
    return message.last ? api::InvalidField("head", "head: a request must follow it") : Begin(message.bytes);
  if (message.last) asked_ = true;
  return under_way->Take(message.bytes, message.last);
}

absl::Status LocalCalls::Begin(std::string_view bytes) {
  if (stopping_) return api::ShuttingDown();
  v1::CallHead head;
  if (!head.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return api::InvalidField("head", "what came is no poold.v1.CallHead");
  }
  absl::StatusOr<core::Nanos> timeout = kLongest;
  if (head.has_timeout()) timeout = api::ReadDuration(head.timeout(), "head.timeout");
  if (!timeout.ok()) return timeout.status();
  const std::string method = head.method();
  std::shared_ptr<CarriedCall> call = MakeCarriedCall(shared_from_this(), std::move(head));
  if (call == nullptr) return absl::UnimplementedError(absl::StrCat("there is no call of this name here: ", method));
  if (*timeout < kLongest) {
    const auto until = LocalLoop::Clock::now() + std::chrono::nanoseconds(*timeout);
    timer_ = loop().timers.emplace(until, [this] { GiveUp(); });
  }
  SetCall(std::move(call));
  ticket()->BeginCall();
  return absl::OkStatus();
}

void LocalCalls::BeforeNext() {
  if (!over_) return;
  Finish();
  if (stopping_) End(api::ShuttingDown());
}

void LocalCalls::Finish() {
  const std::shared_ptr<CarriedCall> call = this->call();
  SetCall(nullptr);
  asked_ = over_ = false;
  if (timer_) loop().timers.erase(*std::exchange(timer_, std::nullopt));
  ticket()->EndCall();
  call->Forget();
}

// Its time is over.
void LocalCalls::GiveUp() {
  timer_.reset();
  asked_ ? call()->Cancel() : End(absl::CancelledError("the request has not come in time"));
}

void LocalCalls::OnCut() {
  const std::shared_ptr<CarriedCall> call = this->call();
  if (call == nullptr) return;
  if (!over_) call->Cancel();
  Finish();
}

void LocalCalls::EndForShutdown() {
  stopping_ = true;
  if (const std::shared_ptr<CarriedCall> call = this->call()) {
    call->EndForShutdown();
  } else {
    End(api::ShuttingDown());
  }
}

bool LocalCalls::PutNext(wire::MessageSocket* socket) {
  if (put_last_ || over_) return false;  // before the call is looked at: Finish changes them the other way round
  const std::shared_ptr<CarriedCall> call = this->call();
  if (call == nullptr) return false;
  const CarriedCall::Part part = call->Put(socket);
  put_last_ = part == CarriedCall::Part::kLast;
  return part != CarriedCall::Part::kNone;
}

void LocalCalls::OnSent() {
  unsent_.Resize(0);
  if (std::exchange(put_last_, false)) over_ = true;
}

}  // namespace poold::transport
