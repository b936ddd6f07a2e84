// The batching stream. One message is read, brought to the cores that it concerns, and only then the next is read;
// whatever has accumulated for the client goes into the next message to it.
//
// Threads: reads and the end of the call are the RPC thread's; outcomes are packed and written by whichever thread
// flushes. Ownership: see tag.h.
#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "rpc/accept.h"
#include "rpc/server_stream_call.h"
#include "rpc/session_intake.h"
#include "rpc/session_outbox.h"
#include "rpc/tag.h"
#include "rpc/waiter.h"

namespace poold::rpc {
namespace {

// A lone acknowledgement waits so long for company.
constexpr auto kAcknowledgeDelay = std::chrono::milliseconds(1);
// While so much waits for the client, nothing more is read from it.
constexpr std::size_t kMaxWaiting = 65'536;
// A result of so many bytes comes faster as shared memory than through gRPC.
constexpr std::uint64_t kSharedFrom = 256 << 10;

class SessionCall final : public Subscriber, public LiveStream, public std::enable_shared_from_this<SessionCall> {
 public:
  static void Accept(Wiring* wiring) {
    auto call = std::shared_ptr<SessionCall>(new SessionCall(wiring));
    call->context_.AsyncNotifyWhenDone(call->done_op_.AsTag());
    wiring->service->RequestSession(&call->context_, &call->stream_, wiring->queue, wiring->queue,
                                    call->accepted_op_.Begin(call));
  }

  // Subscriber.
  void OnOutcome(core::HandleId task, core::OutcomePtr outcome) override {
    outbox_.AddOutcome(task, std::move(outcome));
  }
  void OnSuccess(core::HandleId task, const core::PlainSuccess& success) override { outbox_.AddSuccess(task, success); }
  void OnItems(core::HandleId map, core::ItemBlockPtr items) override { outbox_.AddItems(map, std::move(items)); }
  void OnMapEnd(const core::MapView& map) override { outbox_.AddMapEnd(map); }
  void OnOutput(const core::OutputEvent& output) override { outbox_.AddOutput(output); }
  void OnProgress(const core::ProgressEvent& progress) override { outbox_.AddProgress(progress); }
  bool OnRoom() override {
    outbox_.TellRoom();
    return true;
  }
  void Flush() override {
    if (turn_.TryBegin()) Drive();
  }

  void EndForShutdown() override { End(ShuttingDown()); }

 private:
  explicit SessionCall(Wiring* wiring)
      : wiring_(wiring),
        backend_(*wiring->backend),
        stream_(&context_),
        intake_(backend_.options, &backend_.uploads, *backend_.gates),
        outbox_(backend_.options, *backend_.clock, backend_.client_names, backend_.commons.short_rooms) {}

  void Accepted(bool ok) {
    if (!ok) return;
    done_op_.Keep(shared_from_this());
    if (!wiring_->stopped) Accept(wiring_);
    ++backend_.sessions;
    for (const std::unique_ptr<Shard>& shard : backend_.shards) {
      ids_.push_back(
          shard->Enter([&](core::Core&, core::Nanos) { return shard->subscribers().Add(shared_from_this()); }));
    }
    wiring_->AddStream(shared_from_this());
    ReadNext();
  }

  // ---- In ----
  void ReadNext() {
    if (wiring_->stopped) return;
    stream_.Read(&request_, read_op_.Begin(shared_from_this()));
  }
  void ReadDone(bool ok) {
    if (ending_) return;
    if (!ok) return End(absl::OkStatus());  // the client has said everything, or is gone
    if (absl::Status status = intake_.Read(&request_); !status.ok()) return End(status);
    ++taken_;
    if (intake_.greeting()) Greet();
    while (const std::optional<std::size_t> next = intake_.Next()) {
      Shard& shard = *backend_.shards[*next];
      shard.Enter([&](core::Core& core, core::Nanos now) { Take(shard, ids_[*next], core, now); });
    }
    if (taken_ > outbox_.told_taken()) AcknowledgeLater();
    paused_ = outbox_.waiting() >= kMaxWaiting;
    if (!paused_) ReadNext();
  }
  void LearnName() {
    const std::string& name = request_.hello().client_name();
    backend_.client_names.Learn(intake_.client(), name.empty() ? ClientName(context_) : name);
  }
  // Inside the event.
  void Take(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now) {
    if (intake_.greeting() && shard.present().Come(intake_.client())) core.OnClientPresent(now, intake_.client());
    intake_.Apply(core, now, me);
    if (!intake_.Next()) AnswerWith(shard);
  }
  // All of the request was taken. Inside the last of its events, so that what that event brings goes along.
  void AnswerWith(Shard& shard) {
    std::vector<RefusedHandle> refused = intake_.TakeRefused();
    const std::uint64_t quarter = std::max<std::uint64_t>(1, backend_.options.session_window / 4);
    const bool send_now = intake_.greeting() || !refused.empty() || taken_ - outbox_.told_taken() >= quarter;
    if (!refused.empty()) outbox_.AddRefused(std::move(refused));
    outbox_.SetTaken(taken_, send_now);
    if (send_now) shard.subscribers().MarkDirty(shared_from_this());
  }
  // Before anything of the request is done: the greeting comes first, and tells how outcomes are told.
  void Greet() {
    LearnName();
    present_ = true;
    const bool shares = request_.hello().takes_shared_memory() && !backend_.server_info.payload_socket().empty();
    if (shares) outbox_.ShareMemory(std::min(kSharedFrom - 1, backend_.options.max_inline_result_bytes));
    outbox_.AddGreeting(backend_.server_info);
    if (backend_.room_is_short()) outbox_.TellRoom();
  }
  void AcknowledgeLater() {
    if (acknowledge_due_) return;
    acknowledge_due_ = true;
    wiring_->due.push_back(
        {std::chrono::steady_clock::now() + kAcknowledgeDelay, [weak = weak_from_this(), upto = taken_] {
           if (const auto self = weak.lock()) self->AcknowledgeUpTo(upto);
         }});
  }
  void AcknowledgeUpTo(std::uint64_t requests) {
    acknowledge_due_ = false;
    if (outbox_.told_taken() < requests) {
      outbox_.SetTaken(taken_, true);
      Flush();
    } else if (outbox_.told_taken() < taken_) {
      AcknowledgeLater();
    }
  }

  // ---- Out ----
  // Has the turn. Keeps it while a message is with gRPC, and for ever after the end.
  void Drive() {
    do {
      if (wiring_->stopped) return;
      const bool ended = ended_;
      if (outbox_.Fill(&response_)) {
        stream_.Write(response_, written_op_.Begin(shared_from_this()));
        return;
      }
      if (ended) {
        stream_.Finish(ToGrpc(status_), finished_op_.Begin(shared_from_this()));
        return;
      }
    } while (!turn_.TryEnd());
  }
  void Written(bool ok) {
    if (!ok) return;
    Drive();
    if (!paused_ || outbox_.waiting() >= kMaxWaiting / 2) return;
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
    --backend_.sessions;
    ending_ = true;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      Shard& shard = *backend_.shards[i];
      shard.Enter([&](core::Core& core, core::Nanos now) {
        shard.Unsubscribe(core, now, ids_[i]);
        if (present_ && shard.present().Go(intake_.client())) core.OnClientAbsent(now, intake_.client());
      });
    }
    if (outbox_.dropped_output_bytes() == 0) return;
    base::Log(base::Level::kWarning, "session_lost_output", {{"bytes", outbox_.dropped_output_bytes()}});
  }

  Wiring* const wiring_;
  Backend& backend_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<v1::SessionResponse, v1::SessionRequest> stream_;

  // The RPC thread's.
  std::vector<core::SubscriberId> ids_;  // in each shard
  v1::SessionRequest request_;
  SessionIntake intake_;
  std::uint64_t taken_ = 0;
  bool present_ = false;  // it counts as a session of its client
  bool acknowledge_due_ = false;
  bool paused_ = false;
  bool ending_ = false;

  SessionOutbox outbox_;
  WriteTurn turn_;
  v1::SessionResponse response_;  // of the one who has the turn
  std::atomic<bool> ended_ = false;
  absl::Status status_;  // constant after ended_

  Op<SessionCall, &SessionCall::Accepted> accepted_op_;
  Op<SessionCall, &SessionCall::ReadDone> read_op_;
  Op<SessionCall, &SessionCall::Written> written_op_;
  Op<SessionCall, &SessionCall::Finished> finished_op_;
  Op<SessionCall, &SessionCall::Done> done_op_;
};

}  // namespace

void AcceptSessions(Wiring* wiring) { SessionCall::Accept(wiring); }

}  // namespace poold::rpc
