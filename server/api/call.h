// A call as the functions of api/ see it, whatever carries it: gRPC, or a socket of this host.
//
// Role: the request, who calls, and the place where the answer goes. A transport derives from it, brings the request
// and sends what is answered; it decides nothing about tasks or pools. Threads: the thread that brings a call handles
// and cancels it (the "call's thread"). A call is answered by any thread, once: what comes later is dropped. Ownership:
// shared by the transport and by what the call waits for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "api/errors.h"
#include "api/received.h"
#include "api/service_context.h"
#include "core/types.h"
#include "engine/pending_call.h"

namespace poold::api {

// The maker of a call.
struct Caller {
  // Whom fairness counts the call for.
  core::ClientId client{};
  core::ClientOrigin origin;
};

// One request, one answer, now or later.
template <typename RequestType, typename ResponseType>
class Call : public std::enable_shared_from_this<Call<RequestType, ResponseType>> {
 public:
  using Request = RequestType;
  using Response = ResponseType;
  // Answers the call, or sees to it that somebody will. Called by the call's thread.
  using Function = void (*)(const std::shared_ptr<Call>& call);

  // `service` must outlive it.
  explicit Call(ServiceContext* service) : service_(*service), received_(service->options) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Request& request() { return received_.message(); }
  // The request was read: a call that waits keeps nothing of it.
  void DropRequest() { Request().Swap(&received_.message()); }
  ServiceContext& service() const { return service_; }

  // By the call's thread. The name that the caller gives itself is remembered.
  virtual Caller caller() const = 0;
  // The worker on which the task runs that makes the call. None: it is no task of this daemon.
  virtual core::WorkerId task_worker() const = 0;
  // Runs `work` on the call's thread, outside of an event. By a thread that flushes.
  virtual void Post(std::function<void()> work) = 0;

  void Answer(const Response& response) {
    if (TakeTurn()) Send(response);
  }
  // A name that is not there is told with the nearest one that is.
  void Refuse(const absl::Status& status) {
    if (!TakeTurn()) return;
    if (!IsUnknownName(status)) return SendRefusal(status);
    Post([self = this->shared_from_this(), status] { self->SendRefusal(WithSuggestion(status, self->service())); });
  }
  // `then` is called by the call's thread if the client cancels, vanishes, or its deadline passes, before the answer.
  void OnCancelled(std::function<void()> then) { cancelled_ = std::move(then); }

  // ---- For the transport ----
  Received<Request>& received() { return received_; }
  // When the request is there.
  void Run(Function function) {
    if (!received_.status().ok()) return Refuse(received_.status());
    function(this->shared_from_this());
  }
  // Nobody waits for the answer any more. By the call's thread.
  void Cancel() {
    if (const std::function<void()> cancelled = std::exchange(cancelled_, nullptr)) cancelled();
    Refuse(absl::CancelledError("the client went away"));
  }
  // The call is over; what waited for its cancellation is let go. By the call's thread.
  void Forget() { cancelled_ = nullptr; }
  bool answered() const { return answered_; }

 protected:
  // Each is called once at most, one of both.
  virtual void Send(const Response& response) = 0;
  virtual void SendRefusal(const absl::Status& status) = 0;

 private:
  bool TakeTurn() { return !answered_.exchange(true); }

  ServiceContext& service_;
  Received<Request> received_;
  std::atomic<bool> answered_ = false;
  std::function<void()> cancelled_;
};

// Tells the core that nobody waits for `pending` any more if `call` is cancelled before its answer.
template <typename CallType>
void DropWhenCancelled(const std::shared_ptr<CallType>& call, const engine::PendingCall& pending) {
  call->OnCancelled([pending] { pending.Drop(); });
}

// Where the messages of a stream come from.
template <typename Response>
class Source {
 public:
  virtual ~Source() = default;
  // The next message, into a cleared one. False: nothing now. Called by one thread at a time.
  virtual bool Fill(Response* message) = 0;
};

// One request, many answers. What is sent comes from a Source; the transport asks it for the next message when it can
// send one. Pump and End may be called by any thread.
template <typename RequestType, typename ResponseType>
class StreamCall : public std::enable_shared_from_this<StreamCall<RequestType, ResponseType>> {
 public:
  using Request = RequestType;
  using Response = ResponseType;
  // Calls Start, or End. Called by the call's thread.
  using Function = void (*)(const std::shared_ptr<StreamCall>& call);

  // `service` must outlive it.
  explicit StreamCall(ServiceContext* service) : service_(*service), received_(service->options) {}
  virtual ~StreamCall() = default;
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  Request& request() { return received_.message(); }
  ServiceContext& service() const { return service_; }

  // Messages come from `source` from now on. `stop` is called by the call's thread when the call is over, however it
  // ended.
  void Start(std::shared_ptr<Source<Response>> source, std::function<void()> stop) {
    source_ = std::move(source);
    stop_ = std::move(stop);
    Pump();
  }
  // After what the source still has. The first one counts.
  void End(const absl::Status& status) {
    if (ending_.exchange(true)) return;
    status_ = status;
    ended_ = true;
    Pump();
  }
  // The source has something, perhaps.
  virtual void Pump() = 0;
  // Runs `work` on the call's thread. By whoever fills.
  virtual void Post(std::function<void()> work) = 0;

  // ---- For the transport ----
  Received<Request>& received() { return received_; }
  void Run(Function function) {
    if (!received_.status().ok()) return End(received_.status());
    function(this->shared_from_this());
  }
  // As Source.
  bool Fill(Response* message) { return source_ != nullptr && source_->Fill(message); }
  // Look at it before Fill: once it is set, and Fill has nothing, the call is over with this status.
  bool ended() const { return ended_; }
  const absl::Status& status() const { return status_; }
  // By the call's thread, when nothing more is sent.
  void Stop() {
    if (stop_) std::exchange(stop_, nullptr)();
  }

 private:
  ServiceContext& service_;
  Received<Request> received_;
  std::shared_ptr<Source<Response>> source_;
  std::function<void()> stop_;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> ended_ = false;
  absl::Status status_;  // constant after ended_
};

}  // namespace poold::api
