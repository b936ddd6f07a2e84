// LocalStream: a session's stream without gRPC, to a daemon on this host (poold/v1/payload_socket.md).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "transport/session_stream.h"
#include "wire/message_socket.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

// Threads as SessionStream. Owns the socket and an eventfd for Wake.
class LocalStream final : public SessionStream {
 public:
  // `address`: as ConnectToDaemon takes it. Null: no daemon listens there.
  static std::shared_ptr<LocalStream> Connect(const std::string& address);
  // For Connect.
  LocalStream(wire::UniqueFd socket, wire::UniqueFd wake);

  void Start() override;
  void Read() override { wants_ = Done::kRead; }
  std::optional<bool> Write(const v1::SessionRequest& request) override;
  void Finish() override { wants_ = Done::kFinish; }
  void Cancel() override { socket_.Shut(); }
  Event Next(Clock::time_point until) override;
  void Wake() override;
  bool is_local() const override { return true; }

 private:
  Event TakeWanted();
  Event TakeAnswer();
  Event TakeMessage();
  Event End(std::string_view why);
  // Waits for the socket or a wake. False: nothing came until this moment.
  bool Poll(Clock::time_point until);
  void DrainWakes();

  wire::MessageSocket socket_;
  const wire::UniqueFd wake_;
  // The last write is not over. Only the leader continues it.
  std::atomic<bool> full_ = false;

  // The operation that the leader has begun. This and the members below belong to the leader.
  Done wants_ = Done::kNothing;
  wire::PayloadAnswer answer_{};
  std::size_t answer_bytes_ = 0;
  bool readable_ = false;
  bool writable_ = false;
  bool woken_ = false;
};

}  // namespace poold::client::internal
