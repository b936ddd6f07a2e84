// One session, whatever carries its messages: what its client says goes to the cores that it concerns, what they have
// for the client waits in the outbox.
//
// Role: subscribes, greets, takes requests one after the other, acknowledges. Non-role: reads and writes nothing.
// Threads: one thread reads for it, and calls everything here but Subscriber's functions, which are as there says.
// Ownership: the tables of subscribers share it from Enter to Leave.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "poold/v1/session.pb.h"
#include "rpc/delay_queue.h"
#include "rpc/peer.h"
#include "rpc/request_decoder.h"
#include "rpc/response_encoder.h"
#include "rpc/service_context.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

class Session : public Subscriber, public std::enable_shared_from_this<Session> {
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
  // Both must outlive it.
  Session(ServiceContext* service_context, DelayQueue* due);

  // Before the first request.
  void Enter(const Peer& peer);
  // One request. It is cleared of what it brought. An error ends the session.
  absl::Status Take(v1::SessionRequest* request);
  // The last. Nothing comes from the cores after it.
  void Leave();

  // What a client is called that says nothing in its hello.
  virtual std::string OtherName() const { return ""; }
  // While so much waits for the client, nothing more is to be read from it; and from when on it is again.
  bool TooMuchWaits() const;
  bool EnoughWasSent() const;
  // There is no memory for what waits for the client, and it has read nothing since this time: it is to be cut off.
  // What it did not read stays with the cores. Thread-safe.
  bool MustGo(core::Nanos stuck_since) const;

  ServiceContext& service_context() const { return service_context_; }
  // Who is at the other end. After Enter.
  const Peer& peer() const { return peer_; }
  ResponseEncoder& outbox() { return encoder_; }

 private:
  void Apply(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now);
  void BePresent(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now);
  void AnswerWith(Shard& shard);
  void TellRefused();
  void Greet(const v1::SessionHello& hello);
  void AcknowledgeLater();
  void AcknowledgeUpTo(std::uint64_t requests);

  ServiceContext& service_context_;
  DelayQueue& due_;
  Peer peer_;

  // Of the thread that reads.
  std::vector<core::SubscriberId> ids_;  // in each shard
  RequestDecoder decoder_;
  std::uint64_t taken_ = 0;
  bool present_ = false;  // it counts as a session of its client
  bool acknowledge_due_ = false;

  // In how many cores the room of its client is short.
  std::atomic<std::uint32_t> short_rooms_ = 0;
  ResponseEncoder encoder_;
};

}  // namespace poold::rpc
