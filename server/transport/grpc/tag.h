// The tag that gRPC's completion queue gives back when an operation is done.
//
// Ownership, in one rule: a call lives as long as gRPC holds one of its tags, or the table of subscribers names it. An
// Op keeps its call from Begin until it comes back; nothing else does, so nothing is freed by hand.
#pragma once

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "api/errors.h"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace poold::transport {

// An entry of the completion queue.
class Tag {
 public:
  // The operation is done. `ok`: it succeeded, as grpc::CompletionQueue::Next says. Called by the RPC thread.
  virtual void Come(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// One operation of a call, at most once under way at a time. `Then` is called by the RPC thread when it is done.
template <typename Call, void (Call::*Then)(bool ok)>
class Op final : public Tag {
 public:
  // The tag for an operation that is begun now; keeps the call until it comes back.
  void* Begin(std::shared_ptr<Call> call) {
    call_ = std::move(call);
#if defined(__SANITIZE_THREAD__)
    __tsan_release(this);  // gRPC, which carries it to the RPC thread, is not instrumented
#endif
    return static_cast<Tag*>(this);
  }
  // For AsyncNotifyWhenDone, whose tag comes back only if the call was accepted: Keep it then.
  void* AsTag() { return static_cast<Tag*>(this); }
  void Keep(std::shared_ptr<Call> call) { call_ = std::move(call); }

  void Come(bool ok) override {
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(this);
#endif
    const std::shared_ptr<Call> call = std::move(call_);
    if (call != nullptr) (call.get()->*Then)(ok);
  }

 private:
  std::shared_ptr<Call> call_;
};

// Runs `work` on the RPC thread. Thread-safe, until the queue is shut down.
class Posted final : public Tag {
 public:
  static void Run(grpc::CompletionQueue* queue, std::function<void()> work) {
    auto* posted = new Posted(std::move(work));  // deletes itself when it comes
    // Long past, so that it comes at once: gRPC's timers wait by the wall clock, which may be set meanwhile.
    posted->alarm_.Set(queue, gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(posted));
  }
  void Come(bool) override {
    work_();
    delete this;
  }

 private:
  explicit Posted(std::function<void()> work) : work_(std::move(work)) {}
  std::function<void()> work_;
  grpc::Alarm alarm_;
};

// The status with its details (ErrorInfo and the like) as gRPC sends them.
inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status proto = api::ToProto(status);
  return grpc::Status(static_cast<grpc::StatusCode>(proto.code()), proto.message(), proto.SerializeAsString());
}

}  // namespace poold::transport
