// Calls without gRPC, one after the other on one connection (poold/v1/payload_socket.md, "calls").
//
// Role: reads the head of a call, lets a CarriedCall of that method have the request, and sends its answer; gives the
// call up when its time is over or the client hangs up. Non-role: decides nothing about tasks or pools. Bounds: one
// call at a time on a connection; an answer that waits for its client to read counts as unsent. Threads: as
// LocalConnection. Ownership: the LocalThread and the call under way share it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/call.h"
#include "base/quota.h"
#include "core/types.h"
#include "poold/v1/call.pb.h"
#include "transport/local/local_connection.h"

namespace poold::transport {

// One call, without its types. LocalCalls calls it; the derived class knows request and answer.
class CarriedCall {
 public:
  virtual ~CarriedCall() = default;

  // ---- By the LocalThread ----
  // Takes the next message of the request. `last`: all of the request is there. An error ends the connection.
  virtual absl::Status Take(std::string_view message, bool last) = 0;
  // The client does not wait for the answer any more.
  virtual void Cancel() = 0;
  // The call is over. Called once, last.
  virtual void Forget() = 0;
  // The server stops: a call with many answers ends soon.
  virtual void EndForShutdown() {}

  // ---- By the one who has the connection's turn ----
  // What Put has packed: nothing; a message, after which more come; the last message of the answer.
  enum class Part { kNone, kSome, kLast };
  // Packs the message that is to be sent next.
  virtual Part Put(wire::MessageSocket* socket) = 0;
};

class LocalCalls final : public LocalConnection, public std::enable_shared_from_this<LocalCalls> {
 public:
  // `loop` must outlive it.
  LocalCalls(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket);

  // A connection with calls never is one.
  bool is_session() const override { return false; }
  void EndForShutdown() override;

  // ---- For the call under way ----
  api::ServiceContext* service() const { return &services(); }
  // See api::Call.
  api::Caller CallerOf(const v1::CallHead& head) const;
  core::WorkerId TaskWorkerOf(const v1::CallHead& head) const;
  void Post(std::function<void()> work) const { loop().post(std::move(work)); }
  // Tells that the call has something to send. Thread-safe.
  void Answer() { Pump(); }
  // Cuts the connection: others need what the call holds, and its client does not go on. Thread-safe.
  void CutStalled() { CutOff("call_stalled"); }

 private:
  void OnStart() override {}
  void BeforeNext() override;
  absl::Status OnMessage(const wire::MessageSocket::Message& message) override;
  // A client that hangs up does not want the answer: the connection is over.
  bool OnHangUp() override { return false; }
  void OnCut() override;
  // Reads nothing while a call is under way whose request is there.
  bool Pauses(bool) override { return asked_ && !over_; }
  bool PutNext(wire::MessageSocket* socket) override;
  void OnSent() override;
  bool OnFull(std::size_t bytes) override { return unsent_.Resize(bytes); }

  // Begins the call that this head names.
  absl::Status Begin(std::string_view head);
  // All of the answer is sent: the next call may begin.
  void Finish();
  // The time of the call is over.
  void GiveUp();
  std::shared_ptr<CarriedCall> call() ABSL_LOCKS_EXCLUDED(call_mu_);
  void SetCall(std::shared_ptr<CarriedCall> call) ABSL_LOCKS_EXCLUDED(call_mu_);

  // The LocalThread's: no further call is begun.
  bool stopping_ = false;
  // The time limit of the call under way; none: it has none.
  std::optional<LocalLoop::Timers::iterator> timer_;

  // The whole request of the call under way is there.
  std::atomic<bool> asked_ = false;
  // All of its answer is sent.
  std::atomic<bool> over_ = false;

  absl::Mutex call_mu_;
  // The call under way; null: none is.
  std::shared_ptr<CarriedCall> call_ ABSL_GUARDED_BY(call_mu_);

  // The last message of the answer was packed. Used by whoever has the turn, as `unsent_`.
  bool put_last_ = false;
  // Memory for an answer that its client does not read.
  base::Reservation unsent_;
};

}  // namespace poold::transport
