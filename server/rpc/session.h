// One session, whatever carries its messages: what its client says goes to the cores that it concerns, what they have
// for the client waits in the outbox.
//
// Role: subscribes, greets, takes requests one after the other, acknowledges. Non-role: reads and writes nothing.
// Threads: one thread reads for it, and calls everything here but Subscriber's functions, which are as there says.
// Ownership: the tables of subscribers share it from Enter to Leave.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "poold/v1/session.pb.h"
#include "rpc/backend.h"
#include "rpc/due_list.h"
#include "rpc/peer.h"
#include "rpc/session_intake.h"
#include "rpc/session_outbox.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

class Session : public Subscriber, public std::enable_shared_from_this<Session> {
 public:
  void OnOutcome(core::HandleId task, core::OutcomePtr outcome) final { outbox_.AddOutcome(task, std::move(outcome)); }
  void OnSuccess(core::HandleId task, const core::PlainSuccess& success) final { outbox_.AddSuccess(task, success); }
  void OnItems(core::HandleId map, core::ItemBlockPtr items) final { outbox_.AddItems(map, std::move(items)); }
  void OnMapEnd(const core::MapView& map) final { outbox_.AddMapEnd(map); }
  void OnOutput(const core::OutputEvent& output) final { outbox_.AddOutput(output); }
  void OnProgress(const core::ProgressEvent& progress) final { outbox_.AddProgress(progress); }
  bool OnRoom() final {
    outbox_.TellRoom();
    return true;
  }

 protected:
  // Both must outlive it.
  Session(Backend* backend, DueList* due);

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

  Backend& backend() const { return backend_; }
  // Who is at the other end. After Enter.
  const Peer& peer() const { return peer_; }
  SessionOutbox& outbox() { return outbox_; }

 private:
  void Apply(Shard& shard, core::SubscriberId me, core::Core& core, core::Nanos now);
  void AnswerWith(Shard& shard);
  void Greet(const v1::SessionHello& hello);
  void AcknowledgeLater();
  void AcknowledgeUpTo(std::uint64_t requests);

  Backend& backend_;
  DueList& due_;
  Peer peer_;

  // Of the thread that reads.
  std::vector<core::SubscriberId> ids_;  // in each shard
  SessionIntake intake_;
  std::uint64_t taken_ = 0;
  bool present_ = false;  // it counts as a session of its client
  bool acknowledge_due_ = false;

  SessionOutbox outbox_;
};

}  // namespace poold::rpc
