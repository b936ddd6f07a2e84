// One life of the stream to the daemon, whatever carries it, and which of its operations are under way.
//
// Threads: Start, Wake and Cancel by any thread; Write by any thread, one at a time; the others by the leader. The
// plain members are guarded by the session's mutex, but for `response` (whoever handles the read has it).
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

  // What was begun, and is done.
  enum class Done : std::uintptr_t { kNothing, kStart, kRead, kWrite, kFinish, kWake };
  struct Event {
    Done done = Done::kNothing;
    bool ok = false;
  };

  virtual ~SessionStream() = default;

  // kStart comes, whether it is possible or not.
  virtual void Start() = 0;
  // The next message into `response`. kRead without ok: there is none, call Finish.
  virtual void Read() = 0;
  // Whether it went well. Nothing: kWrite will come, until when `request` must stay as it is.
  virtual std::optional<bool> Write(const v1::SessionRequest& request) = 0;
  // kFinish comes when `status` is there.
  virtual void Finish() = 0;
  // Whatever is under way ends soon.
  virtual void Cancel() = 0;
  // Waits for an event until then.
  virtual Event Next(Clock::time_point until) = 0;
  // kWake comes.
  virtual void Wake() = 0;
  // A write is over as soon as the system has it, whether the daemon is ready for it or not: it must be held back.
  virtual bool is_local() const = 0;

  v1::SessionRequest hello;
  v1::SessionResponse response;
  grpc::Status status;
  // Requests of this stream that the daemon has told to have taken; the first is the hello.
  std::uint64_t taken = 0;
  bool reading = false;
  bool writing = false;
  bool finishing = false;
  bool finished = false;

  // Though it is not local, it is not left for one that is.
  bool stays = false;

  bool over() const { return finished && !reading && !writing; }
};

}  // namespace poold::client::internal
