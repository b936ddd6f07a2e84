// Calls without gRPC, one after the other on one connection (poold/v1/payload_socket.md, "calls").
//
// Role: reads who calls what, lets a CarriedCall of that method have the request, and sends what it answers; gives the
// call up when its time is over or the client hangs up. Non-role: decides nothing about tasks or pools. Bounded: one
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

// One call, whatever its types.
class CarriedCall {
 public:
  virtual ~CarriedCall() = default;

  // ---- By the LocalThread ----
  // The next message of the request. `last`: all of the request is there. An error ends the connection.
  virtual absl::Status Take(std::string_view message, bool last) = 0;
  // Nobody waits for the answer any more.
  virtual void Cancel() = 0;
  // The call is over. Once.
  virtual void Forget() = 0;
  // The server stops: a call with many answers ends.
  virtual void EndForShutdown() {}

  // ---- By the one who has the connection's turn ----
  enum class Part { kNone, kSome, kLast };
  // Packs what there is to send next.
  virtual Part Put(wire::MessageSocket* socket) = 0;
};

class LocalCalls final : public LocalConnection, public std::enable_shared_from_this<LocalCalls> {
 public:
  // `loop` must outlive it.
  LocalCalls(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket);

  bool is_session() const override { return false; }
  void EndForShutdown() override;

  // ---- For the call under way ----
  api::ServiceContext* service() const { return &services(); }
  // See api::Call.
  api::Caller CallerOf(const v1::CallHead& head) const;
  core::WorkerId TaskWorkerOf(const v1::CallHead& head) const;
  void Post(std::function<void()> work) const { loop().post(std::move(work)); }
  // The call has something to send. Thread-safe.
  void Answer() { Pump(); }
  // Others need what the call holds, and its client does not go on. Thread-safe.
  void CutStalled() { CutOff("call_stalled"); }

 private:
  void OnStart() override {}
  void BeforeNext() override;
  absl::Status OnMessage(const wire::MessageSocket::Message& message) override;
  // Whoever hangs up does not want the answer.
  bool OnHangUp() override { return false; }
  void OnCut() override;
  bool Pauses(bool) override { return asked_ && !over_; }
  bool PutNext(wire::MessageSocket* socket) override;
  void OnSent() override;
  bool OnFull(std::size_t bytes) override { return unsent_.Resize(bytes); }

  absl::Status Begin(std::string_view head);
  void Finish();
  void GiveUp();
  std::shared_ptr<CarriedCall> call() ABSL_LOCKS_EXCLUDED(call_mu_);
  void SetCall(std::shared_ptr<CarriedCall> call) ABSL_LOCKS_EXCLUDED(call_mu_);

  // The LocalThread's.
  bool stopping_ = false;
  std::optional<LocalLoop::Timers::iterator> timer_;  // of the call under way

  // The whole request of the call under way is there.
  std::atomic<bool> asked_ = false;
  // All of its answer is sent.
  std::atomic<bool> over_ = false;

  absl::Mutex call_mu_;
  std::shared_ptr<CarriedCall> call_ ABSL_GUARDED_BY(call_mu_);

  // Of the one who has the turn.
  bool put_last_ = false;
  base::Reservation unsent_;
};

}  // namespace poold::transport
