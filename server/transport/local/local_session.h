// A session without gRPC, through the payload socket (poold/v1/payload_socket.md).
//
// Threads: as LocalConnection. Ownership: the LocalThread and the tables of subscribers share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "api/received.h"
#include "session/session.h"
#include "transport/local/local_connection.h"

namespace poold::transport {

class LocalSession final : public session::Session, public LocalConnection {
 public:
  // `loop` must outlive it.
  LocalSession(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket);

  bool is_session() const override { return true; }
  void EndForShutdown() override;
  // Subscriber.
  void Flush() override;

 private:
  void OnStart() override;
  absl::Status OnMessage(const wire::MessageSocket::Message& message) override;
  bool Pauses(bool paused) override { return paused ? !EnoughWasSent() : TooMuchWaits(); }
  bool OnHangUp() override;
  void OnCut() override { Leave(); }
  bool PutNext(wire::MessageSocket* socket) override;

  api::Received<v1::SessionRequest> request_;  // the LocalThread's
  v1::SessionResponse response_;               // of the one who has the turn
};

}  // namespace poold::transport
