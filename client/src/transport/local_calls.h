// LocalCalls: calls without gRPC, to a daemon that answers sessions without it (poold/v1/payload_socket.md, "calls").
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "google/rpc/status.pb.h"
#include "poold/client/internal/deadline.h"
#include "wire/message_socket.h"

namespace poold::client::internal {

class LocalCalls;

// One call under way. Used by one thread at a time; every method blocks, until the deadline at most. A call that is
// destroyed before its status came is cancelled. Ownership: must not outlive the LocalCalls.
class LocalCall {
 public:
  // For LocalCalls::Begin, which has packed the head.
  LocalCall(LocalCalls* calls, std::unique_ptr<wire::MessageSocket> socket, Deadline deadline)
      : calls_(*calls), socket_(std::move(socket)), deadline_(deadline) {}
  ~LocalCall();
  LocalCall(const LocalCall&) = delete;
  LocalCall& operator=(const LocalCall&) = delete;

  // Sends a message; `last`: the last one of the request. False: the call is over, Finish tells why.
  bool Write(const google::protobuf::MessageLite& message, bool last);
  // The same, of an UploadRequest with this fragment, which is not copied. REQUIRES: the fragment is not empty.
  bool WriteFragment(std::string_view fragment, bool last);
  // Reads the next message of the answer; null: passes over it. False: there is none, Finish tells why.
  bool Read(google::protobuf::MessageLite* message);
  // The status of the call. UNAVAILABLE: the connection ended before the status came.
  grpc::Status Finish();

 private:
  bool SendPacked();
  bool SendSome(std::string_view bytes, int flags);
  bool Await(short events);
  bool Fail(grpc::Status status);

  LocalCalls& calls_;
  std::unique_ptr<wire::MessageSocket> socket_;  // null: over, and the connection is not to be used again
  const Deadline deadline_;
  bool told_ = false;  // status_ came from the daemon
  grpc::Status status_;
};

// Threads: thread-safe. Bounds: keeps a few idle connections; each call that is under way has its own.
class LocalCalls {
 public:
  // `address`: as ConnectToDaemon takes it.
  explicit LocalCalls(std::string address) : address_(std::move(address)) {}

  // Begins a call of the method of PoolService. `worker`: of the task that calls; empty: no task calls. Null: the
  // daemon takes no call this way, or not now: use gRPC.
  std::unique_ptr<LocalCall> Begin(std::string_view method, const std::string& worker, Deadline deadline);

  // The daemon that answers now may be another one.
  void TryAgain();

 private:
  friend class LocalCall;

  std::unique_ptr<wire::MessageSocket> TakeIdle();
  std::unique_ptr<wire::MessageSocket> Connect(Deadline deadline);
  void Keep(std::unique_ptr<wire::MessageSocket> socket);

  const std::string address_;
  absl::Mutex mu_;
  // No connection is tried before this: the daemon knows no calls, or had no room for one.
  Deadline::Clock::time_point again_at_ ABSL_GUARDED_BY(mu_){};
  // The one that was used last is used next.
  std::vector<std::unique_ptr<wire::MessageSocket>> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
