#include "rpc/session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "rpc/suggest.h"

namespace poold::rpc {
namespace {

constexpr std::size_t kMaxWaiting = 65'536;
// A result of so many bytes comes faster as shared memory than by messages.
constexpr std::uint64_t kSharedFrom = 256 << 10;
// Who reads nothing for so long does not read.
constexpr core::Nanos kStuckFor = core::kSecond;

}  // namespace

Session::Session(ServiceContext* service_context, DelayQueue* due)
    : service_context_(*service_context),
      due_(*due),
      decoder_(service_context->options, &service_context->uploads, *service_context->gates),
      encoder_(service_context->options, *service_context->clock, service_context->client_names, short_rooms_) {}

bool Session::TooMuchWaits() const { return encoder_.waiting() >= kMaxWaiting; }

bool Session::EnoughWasSent() const { return encoder_.waiting() < kMaxWaiting / 2; }

bool Session::MustGo(core::Nanos stuck_since) const {
  if (!encoder_.over_quota() || stuck_since == 0) return false;
  return service_context_.clock->Now() - stuck_since > kStuckFor;
}

void Session::Enter(const Peer& peer) {
  peer_ = peer;
  ++service_context_.sessions;
  for (const std::unique_ptr<Shard>& shard : service_context_.shards) {
    ids_.push_back(
        shard->Enter([&](core::Core&, core::Nanos) { return shard->subscribers().Add(shared_from_this()); }));
  }
}

absl::Status Session::Take(v1::SessionRequest* request) {
  if (absl::Status status = decoder_.Read(request); !status.ok()) return status;
  ++taken_;
  if (decoder_.greeting()) Greet(request->hello());
  while (const std::optional<std::size_t> next = decoder_.Next()) {
    Shard& shard = *service_context_.shards[*next];
    shard.Enter([&](core::Core& core, core::Nanos now) { Apply(shard, ids_[*next], core, now); });
  }
  if (decoder_.TakeLarge()) v1::SessionRequest().Swap(request);
  if (decoder_.has_refused()) TellRefused();
  if (taken_ > encoder_.acknowledged()) AcknowledgeLater();
  return absl::OkStatus();
}

// Inside the event.
void Session::Apply(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now) {
  if (decoder_.greeting()) BePresent(shard, me, core, now);
  decoder_.Apply(core, now, me, OriginOf(peer_));
  if (!decoder_.Next()) AnswerWith(shard);
}

// Inside the event.
void Session::BePresent(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now) {
  const bool first = shard.present().Come(decoder_.client(), me);
  if (first) core.OnClientPresent(now, decoder_.client(), OriginOf(peer_));
  if (!first && core.ViewClient(decoder_.client()).room_is_short) OnRoom(true);
}

// All of the request was taken. Inside the last of its events, so that what that event brings goes along.
void Session::AnswerWith(Shard& shard) {
  if (decoder_.has_refused()) return;
  const std::uint64_t quarter = std::max<std::uint64_t>(1, service_context_.options.session_window / 4);
  const bool send_now = decoder_.greeting() || taken_ - encoder_.acknowledged() >= quarter;
  encoder_.SetTaken(taken_, send_now);
  if (send_now) shard.subscribers().MarkDirty(shared_from_this());
}

// After the last of its events: suggestions ask the cores once more.
void Session::TellRefused() {
  std::vector<RefusedHandle> refused = decoder_.TakeRefused();
  OneSuggestion suggestion(service_context_);
  for (RefusedHandle& one : refused) suggestion.AddTo(&one.why);
  encoder_.AddRefused(std::move(refused));
  encoder_.SetTaken(taken_, true);
  Flush();
}

// Before anything of the request is done: the greeting comes first, and tells how outcomes are told.
void Session::Greet(const v1::SessionHello& hello) {
  service_context_.client_names.Learn(decoder_.client(),
                                      hello.client_name().empty() ? OtherName() : hello.client_name());
  present_ = true;
  const bool shares = hello.takes_shared_memory() && !service_context_.server_info.payload_socket().empty();
  if (shares) encoder_.ShareMemory(std::min(kSharedFrom - 1, service_context_.options.max_inline_result_bytes));
  encoder_.AddGreeting(service_context_.server_info);
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
  --service_context_.sessions;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    Shard& shard = *service_context_.shards[i];
    shard.Enter([&](core::Core& core, core::Nanos now) {
      shard.Unsubscribe(core, now, ids_[i]);
      if (present_ && shard.present().Go(decoder_.client(), ids_[i])) core.OnClientAbsent(now, decoder_.client());
    });
  }
  if (encoder_.dropped_output_bytes() == 0) return;
  base::Log(base::Level::kWarning, "session_lost_output", {{"bytes", encoder_.dropped_output_bytes()}});
}

}  // namespace poold::rpc
