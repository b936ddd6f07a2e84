// One life of the stream: gRPC's objects, and which of its operations are under way.
#pragma once

#include "session.h"

namespace poold::client::internal {

// What comes back from the completion queue. There is one stream at a time, so these say everything.
enum class Tag : std::uintptr_t { kStarted = 1, kRead, kWritten, kFinished, kWoken };

inline void* ToPointer(Tag tag) { return reinterpret_cast<void*>(tag); }

// Guarded by the session's mutex, but for `response` (whoever handles the read has it) and the calls of `rw`.
struct Session::Stream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncReaderWriterInterface<v1::SessionRequest, v1::SessionResponse>> rw;
  v1::SessionRequest hello;
  v1::SessionResponse response;
  grpc::Status status;
  // Requests of this stream that the daemon has told to have taken; the first is the hello.
  std::uint64_t taken = 0;
  bool reading = false;
  bool writing = false;
  bool finishing = false;
  bool finished = false;

  bool over() const { return finished && !reading && !writing; }
};

}  // namespace poold::client::internal
