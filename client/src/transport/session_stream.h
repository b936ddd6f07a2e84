// SessionStream: one stream to the daemon, over gRPC or over the payload socket, and the operations that are under way.
//
// Threads: any thread calls Start, Wake and Cancel; any thread, one at a time, calls Write; the leader calls the rest.
//   The plain members are guarded by the session's mutex, except `response`, which belongs to the handler of the read.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <optional>

#include "poold/client/internal/deadline.h"
#include "poold/v1/session.pb.h"

namespace poold::client::internal {

class SessionStream {
 public:
  using Clock = Deadline::Clock;

  // The operations that Event reports as finished.
  enum class Done : std::uintptr_t { kNothing, kStart, kRead, kWrite, kFinish, kWake };
  // `ok` is false when the operation failed, which means that the stream is ending.
  struct Event {
    Done done = Done::kNothing;
    bool ok = false;
  };

  virtual ~SessionStream() = default;

  // Opens the stream; kStart comes, with or without success.
  virtual void Start() = 0;
  // Reads the next message into `response`; kRead comes. Not ok: there is none, call Finish.
  virtual void Read() = 0;
  // Writes a request. Returns whether that went well; nothing: kWrite will come, and `request` must not change until
  // then.
  virtual std::optional<bool> Write(const v1::SessionRequest& request) = 0;
  // kFinish comes when `status` is set.
  virtual void Finish() = 0;
  // Makes every operation that is under way end soon.
  virtual void Cancel() = 0;
  // Waits for an event until this moment; kNothing: none came.
  virtual Event Next(Clock::time_point until) = 0;
  // Makes Next return with kWake. Does not block.
  virtual void Wake() = 0;
  // Whether the stream uses the payload socket. There a write is over as soon as the system has the bytes, so the
  // session must pace its writes.
  virtual bool is_local() const = 0;

  // The first request of the stream.
  v1::SessionRequest hello;
  // The message that was read last.
  v1::SessionResponse response;
  // Why the stream ended; set when kFinish came.
  grpc::Status status;
  // Requests of this stream that the daemon has acknowledged; the first is the hello.
  std::uint64_t taken = 0;
  // Operations that are under way or over.
  bool reading = false;
  bool writing = false;
  bool finishing = false;
  bool finished = false;

  // The session keeps this stream, though it is not local and a local one may be possible.
  bool stays = false;

  // Whether no operation is under way any more.
  bool over() const { return finished && !reading && !writing; }
};

}  // namespace poold::client::internal
