// A process's end of its channel to the daemon: frames in, frames out.
//
// Not thread-safe. Owns the socket. Blocks in Wait and Send, whether the socket is blocking or not.
// Errors: what the daemon would never send, or a broken socket; the process then ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"
#include "wire/fd_socket.h"
#include "wire/frame.h"
#include "wire/unique_fd.h"

namespace poold::worker {

class Channel {
 public:
  explicit Channel(wire::UniqueFd socket);

  // In a clone: becomes the channel of its own. What was read of the zygote's, and came with it, is dropped; the memory
  // is kept, since giving it back would touch more of what is shared.
  void Adopt(wire::UniqueFd socket);

  // A frame that was read already; nothing if there is none. The views are valid until the next call.
  absl::StatusOr<std::optional<wire::Frame>> Next() { return parser_.Next(); }

  enum class Progress { kRead, kNothing, kEndOfFile };
  // Reads what there is.
  absl::StatusOr<Progress> Read() { return ReadOnce(wire::Patience::kNoWait); }
  // Sleeps until there is something, and reads it.
  absl::StatusOr<Progress> Wait();
  // Next and Wait until there is a frame. Nothing: end of file.
  absl::StatusOr<std::optional<wire::Frame>> Receive();

  absl::Status Send(internal::FrameKind kind, const google::protobuf::MessageLite* message = nullptr);
  // One that was made before.
  absl::Status SendFrame(std::string_view frame);
  // A RESULT_ARENA frame with this descriptor.
  absl::Status SendArena(int file);
  // A BELL frame. Where the socket is full there are unread ones already: then nothing is sent. Never blocks.
  absl::Status NotifyDaemon();

  // Descriptors that came so far, in order.
  std::vector<wire::UniqueFd>& descriptors() { return descriptors_; }

 private:
  absl::StatusOr<Progress> ReadOnce(wire::Patience patience);

  wire::UniqueFd socket_;
  wire::FrameParser parser_;
  std::vector<wire::UniqueFd> descriptors_;
  std::string bell_;
};

}  // namespace poold::worker
