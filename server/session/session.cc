#include "session/session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/errors.h"
#include "base/log.h"

namespace poold::session {
namespace {

constexpr std::size_t kMaxWaiting = 65'536;
// A result of so many bytes comes faster as shared memory than by messages.
constexpr std::uint64_t kSharedFrom = 256 << 10;
// Who reads nothing for so long does not read.
constexpr core::Nanos kStuckFor = core::kSecond;

}  // namespace

Session::Session(api::ServiceContext* service, DelayQueue* due)
    : service_(*service),
      due_(*due),
      port_(&service->engine, [service](const core::HandleId& id) { return service->uploads.Drop(id); }),
      decoder_(service->options, &service->uploads),
      encoder_(service->options, *service->clock, service->client_names, short_rooms_) {}

bool Session::TooMuchWaits() const { return encoder_.waiting() >= kMaxWaiting; }

bool Session::EnoughWasSent() const { return encoder_.waiting() < kMaxWaiting / 2; }

bool Session::MustGo(core::Nanos stuck_since) const {
  if (!encoder_.over_quota() || stuck_since == 0) return false;
  return service_.clock->Now() - stuck_since > kStuckFor;
}

void Session::Enter(const core::ClientOrigin& origin) {
  ++service_.sessions;
  port_.Enter(shared_from_this(), origin);
}

absl::Status Session::Take(v1::SessionRequest* request) {
  if (absl::Status status = decoder_.Read(request); !status.ok()) return status;
  ++taken_;
  if (decoder_.greeting()) Greet(request->hello());
  port_.Apply(shared_from_this(), decoder_.batch(), [this] { return Acknowledge(); });
  decoder_.GiveBackUploads(service_.clock->Now());
  if (decoder_.TakeLarge()) v1::SessionRequest().Swap(request);
  if (decoder_.has_refused()) TellRefused();
  if (taken_ > encoder_.acknowledged()) AcknowledgeLater();
  return absl::OkStatus();
}

// All of the request was taken. Inside the last of its events, so that what that event brings goes along. True: with
// what is to be sent now.
bool Session::Acknowledge() {
  if (decoder_.has_refused()) return false;
  const std::uint64_t quarter = std::max<std::uint64_t>(1, service_.options.session_window / 4);
  const bool send_now = decoder_.greeting() || taken_ - encoder_.acknowledged() >= quarter;
  encoder_.SetTaken(taken_, send_now);
  return send_now;
}

// After the last of its events: suggestions ask the cores once more.
void Session::TellRefused() {
  std::vector<RefusedHandle> refused = decoder_.TakeRefused();
  api::OneSuggestion suggestion(service_);
  for (RefusedHandle& one : refused) suggestion.AddTo(&one.why);
  encoder_.AddRefused(std::move(refused));
  encoder_.SetTaken(taken_, true);
  Flush();
}

// Before anything of the request is done: the greeting comes first, and tells how outcomes are told.
void Session::Greet(const v1::SessionHello& hello) {
  service_.client_names.Learn(decoder_.client(), hello.client_name().empty() ? OtherName() : hello.client_name());
  port_.Greet(decoder_.client());
  const bool shares = hello.takes_shared_memory() && !service_.server_info.payload_socket().empty();
  if (shares) encoder_.ShareMemory(std::min(kSharedFrom - 1, service_.options.max_inline_result_bytes));
  encoder_.AddGreeting(service_.server_info);
}

// A lone acknowledgement waits a moment for company.
void Session::AcknowledgeLater() {
  if (std::exchange(acknowledge_due_, true)) return;
  due_.Add([weak = weak_from_this(), upto = taken_] {
    if (const auto self = weak.lock()) self->AcknowledgeUpTo(upto);
  });
}

void Session::AcknowledgeUpTo(std::uint64_t requests) {
  acknowledge_due_ = false;
  if (encoder_.acknowledged() < requests) {
    encoder_.SetTaken(taken_, true);
    Flush();
  } else if (encoder_.acknowledged() < taken_) {
    AcknowledgeLater();
  }
}

void Session::Leave() {
  --service_.sessions;
  port_.Leave();
  if (encoder_.dropped_output_bytes() == 0) return;
  base::Log(base::Level::kWarning, "session_lost_output", {{"bytes", encoder_.dropped_output_bytes()}});
}

}  // namespace poold::session
