// A call as the functions of api/ see it, whatever carries it: gRPC, or a socket of this host.
//
// Role: holds the request, names the caller, and takes the answer. A transport derives from Call, brings the request
// and sends the answer. Non-role: decides nothing about tasks or pools.
// Threads: the thread that brings a call handles and cancels it (the "call's thread"). Any thread answers, once; later
// answers are dropped. Ownership: shared by the transport and by the questions that the call waits for. Errors: a
// refusal is a status of the form that api/errors.h describes.
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
  // The client for which fairness counts the call.
  core::ClientId client{};
  core::ClientOrigin origin;
};

// A call with one request and one answer, which comes now or later.
template <typename RequestType, typename ResponseType>
class Call : public std::enable_shared_from_this<Call<RequestType, ResponseType>> {
 public:
  using Request = RequestType;
  using Response = ResponseType;
  // Answers the call, or hands the call to somebody that will. Called by the call's thread.
  using Function = void (*)(const std::shared_ptr<Call>& call);

  // `service` must outlive it.
  explicit Call(ServiceContext* service) : service_(*service), received_(service->options) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Request& request() { return received_.message(); }
  // Frees the request once it was read, so that a call that waits keeps nothing of it.
  void DropRequest() { Request().Swap(&received_.message()); }
  ServiceContext& service() const { return service_; }

  // The caller. Remembers the name that the caller gives itself. Called by the call's thread.
  virtual Caller caller() const = 0;
  // The worker on which the task runs that makes the call. None: it is no task of this daemon.
  virtual core::WorkerId task_worker() const = 0;
  // Runs `work` on the call's thread, outside of an event. Called by a thread that flushes.
  virtual void Post(std::function<void()> work) = 0;

  // Sends the answer, unless the call was answered before. Any thread.
  void Answer(const Response& response) {
    if (TakeTurn()) Send(response);
  }
  // Sends a refusal, unless the call was answered before. To an unknown name it adds the nearest known one. Any thread.
  void Refuse(const absl::Status& status) {
    if (!TakeTurn()) return;
    if (!IsUnknownName(status)) return SendRefusal(status);
    Post([self = this->shared_from_this(), status] { self->SendRefusal(WithSuggestion(status, self->service())); });
  }
  // `then` is called by the call's thread if the client cancels, vanishes, or its deadline passes, before the answer.
  void OnCancelled(std::function<void()> then) { cancelled_ = std::move(then); }

  // ---- For the transport ----
  Received<Request>& received() { return received_; }
  // Runs `function`, or refuses a request that is not well-formed. REQUIRES: the request has come.
  void Run(Function function) {
    if (!received_.status().ok()) return Refuse(received_.status());
    function(this->shared_from_this());
  }
  // Ends the call because nobody waits for the answer any more. Called by the call's thread.
  void Cancel() {
    if (const std::function<void()> cancelled = std::exchange(cancelled_, nullptr)) cancelled();
    Refuse(absl::CancelledError("the client went away"));
  }
  // Drops the function that waits for a cancellation, because the call is over. Called by the call's thread.
  void Forget() { cancelled_ = nullptr; }
  bool answered() const { return answered_; }

 protected:
  // Of these two one is called, once.
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

// A source of the messages of a stream.
template <typename Response>
class Source {
 public:
  virtual ~Source() = default;
  // Fills a cleared message with the next one. False: there is none now. Called by one thread at a time.
  virtual bool Fill(Response* message) = 0;
};

// A call with one request and many answers. The answers come from a Source, which the transport asks for the next
// message when it can send one. Threads: as Call; Pump and End may be called by any thread.
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
  // Ends the stream with `status` once the source is empty. The first call counts.
  void End(const absl::Status& status) {
    if (ending_.exchange(true)) return;
    status_ = status;
    ended_ = true;
    Pump();
  }
  // Makes the transport ask the source for messages. Any thread.
  virtual void Pump() = 0;
  // Runs `work` on the call's thread. Called by the thread that fills.
  virtual void Post(std::function<void()> work) = 0;

  // ---- For the transport ----
  Received<Request>& received() { return received_; }
  void Run(Function function) {
    if (!received_.status().ok()) return End(received_.status());
    function(this->shared_from_this());
  }
  // As Source.
  bool Fill(Response* message) { return source_ != nullptr && source_->Fill(message); }
  // Whether End was called. Look before Fill: once it is true and Fill has nothing, the call is over with status().
  bool ended() const { return ended_; }
  const absl::Status& status() const { return status_; }
  // Calls `stop` of Start, once. Called by the call's thread when nothing more is sent.
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
