// A session without gRPC, through the payload socket (poold/v1/payload_socket.md).
//
// Role: a session::Session whose messages a LocalConnection carries. Threads: as LocalConnection. Ownership: the
// LocalThread and the tables of subscribers share it.
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
  // Sends what the core's answers have left in the encoder. Any thread.
  void Flush() override;

 private:
  void OnStart() override;
  absl::Status OnMessage(const wire::MessageSocket::Message& message) override;
  // Back-pressure: nothing is read while too many answers wait.
  bool Pauses(bool paused) override { return paused ? !EnoughWasSent() : TooMuchWaits(); }
  bool OnHangUp() override;
  void OnCut() override { Leave(); }
  bool PutNext(wire::MessageSocket* socket) override;

  // The message under way, whose memory is used again. The LocalThread's.
  api::Received<v1::SessionRequest> request_;
  // The answer under way. Used by whoever has the turn.
  v1::SessionResponse response_;
};

}  // namespace poold::transport
