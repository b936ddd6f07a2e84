// Session: one session, whatever carries its messages. Requests go to the cores that they concern; answers of the cores
// wait in the encoder until the transport sends them.
//
// Role: subscribes, greets, takes requests one after the other, acknowledges. Non-role: reads and writes no bytes.
// Threads: one thread reads for the session and calls all its functions, except those of Subscriber (see there).
// Ownership: the tables of subscribers share it from Enter to Leave.
// Errors: an error of Take ends the session.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/service_context.h"
#include "engine/session_port.h"
#include "engine/subscriber.h"
#include "poold/v1/session.pb.h"
#include "session/delay_queue.h"
#include "session/request_decoder.h"
#include "session/response_encoder.h"

namespace poold::session {

class Session : public engine::Subscriber, public std::enable_shared_from_this<Session> {
 public:
  void OnOutcome(core::HandleId task, core::OutcomePtr outcome) final { encoder_.AddOutcome(task, std::move(outcome)); }
  void OnSuccess(core::HandleId task, const core::CompactSuccess& success) final { encoder_.AddSuccess(task, success); }
  void OnItems(core::HandleId map, core::ItemBlockPtr items) final { encoder_.AddItems(map, std::move(items)); }
  void OnMapEnd(const core::MapView& map) final { encoder_.AddMapEnd(map); }
  void OnOutput(const core::OutputEvent& output) final { encoder_.AddOutput(output); }
  void OnProgress(const core::ProgressEvent& progress) final { encoder_.AddProgress(progress); }
  void OnRoom(bool is_short) final {
    short_rooms_ += is_short ? 1 : -1;
    encoder_.TellRoom();
  }

 protected:
  // `service` and `due` must outlive it.
  Session(api::ServiceContext* service, DelayQueue* due);

  // Subscribes. Call before the first request.
  void Enter(const core::ClientOrigin& origin);
  // Takes one request and moves its bytes out. An error ends the session.
  absl::Status Take(v1::SessionRequest* request);
  // Unsubscribes. The last call; the cores send nothing after it.
  void Leave();

  // The name of a client that gives none in its hello.
  virtual std::string OtherName() const { return ""; }
  // Whether so many answers wait that nothing more is to be read from the client; and whether so few wait that reading
  // may go on.
  bool TooMuchWaits() const;
  bool EnoughWasSent() const;
  // Whether the client is to be cut off: its waiting answers are over their quota, and it has read nothing since this
  // time, in ns. Unread outcomes stay with the cores. Thread-safe.
  bool MustGo(core::Nanos stuck_since) const;

  api::ServiceContext& service() const { return service_; }
  ResponseEncoder& outbox() { return encoder_; }

 private:
  // Acknowledges the request inside its last event. True: the session is to be flushed after it.
  bool Acknowledge();
  // Sends the refusals of the request, with suggestions for mistyped names.
  void TellRefused();
  // Answers the hello. Called before anything of its request is done.
  void Greet(const v1::SessionHello& hello);
  // Acknowledges a moment later, so that one message covers several requests.
  void AcknowledgeLater();
  void AcknowledgeUpTo(std::uint64_t requests);

  api::ServiceContext& service_;
  DelayQueue& due_;

  // Owned by the thread that reads.
  engine::SessionPort port_;
  RequestDecoder decoder_;
  // Requests of the stream that were taken so far.
  std::uint64_t taken_ = 0;
  // AcknowledgeLater has asked for a delayed acknowledgement.
  bool acknowledge_due_ = false;

  // The number of cores in which the client's quota of outcomes is short.
  std::atomic<std::uint32_t> short_rooms_ = 0;
  ResponseEncoder encoder_;
};

}  // namespace poold::session
