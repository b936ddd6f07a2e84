// The stream without gRPC: through the payload socket of a daemon on this host (poold/v1/payload_socket.md).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "session_stream.h"
#include "wire/message_socket.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

class LocalStream final : public SessionStream {
 public:
  // Null: nobody listens there.
  static std::shared_ptr<LocalStream> Connect(const std::string& path);
  // Use Connect.
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
  // False: nothing happened until then.
  bool Poll(Clock::time_point until);
  void DrainWakes();

  wire::MessageSocket socket_;
  const wire::UniqueFd wake_;
  // The last write is not over; the leader's from here on.
  std::atomic<bool> full_ = false;

  // The leader's.
  Done wants_ = Done::kNothing;
  wire::PayloadAnswer answer_{};
  std::size_t answer_bytes_ = 0;
  bool readable_ = false;
  bool writable_ = false;
  bool woken_ = false;
};

}  // namespace poold::client::internal
