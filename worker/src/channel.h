// Channel: a process's end of its socket to the daemon: frames in, frames out.
//
// Threads: not thread-safe; OutcomeWriter's lock guards NotifyDaemon and SendArena while a task runs. Owns the socket.
//   Wait and Send block, whether the socket is blocking or not.
// Errors: the daemon sent bytes that it never sends, or the socket is broken; the process then ends.
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
  // Takes the socket over.
  explicit Channel(wire::UniqueFd socket);

  // In a clone: replaces the zygote's socket by the clone's own. Drops bytes and descriptors that were read for the
  // zygote, but keeps the memory: giving it back would touch more shared pages.
  void Adopt(wire::UniqueFd socket);

  // Returns a frame that was read already; nothing: there is none. The views are valid until the next call.
  absl::StatusOr<std::optional<wire::Frame>> Next() { return parser_.Next(); }

  // The result of a read: bytes; nothing now; the daemon has closed its end.
  enum class Progress { kRead, kNothing, kEndOfFile };
  // Reads what there is. Does not block.
  absl::StatusOr<Progress> Read() { return ReadOnce(wire::Patience::kNoWait); }
  // Blocks until there is something, and reads it.
  absl::StatusOr<Progress> Wait();
  // Blocks until there is a frame. Nothing: the daemon has closed its end.
  absl::StatusOr<std::optional<wire::Frame>> Receive();

  // Sends a frame. `message` is null for kinds without one.
  absl::Status Send(internal::FrameKind kind, const google::protobuf::MessageLite* message = nullptr);
  // Sends the bytes of a frame that was made before.
  absl::Status SendFrame(std::string_view frame);
  // Sends a RESULT_ARENA frame with this descriptor.
  absl::Status SendArena(int file);
  // Sends a BELL frame. Never blocks: where the socket is full the daemon has unread frames already, and nothing is
  // sent.
  absl::Status NotifyDaemon();

  // Descriptors that have come, in order; the caller takes them out.
  std::vector<wire::UniqueFd>& descriptors() { return descriptors_; }

 private:
  absl::StatusOr<Progress> ReadOnce(wire::Patience patience);

  wire::UniqueFd socket_;
  wire::FrameParser parser_;
  std::vector<wire::UniqueFd> descriptors_;
  std::string bell_;
};

}  // namespace poold::worker
