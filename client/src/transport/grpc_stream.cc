#include "transport/grpc_stream.h"

#include <chrono>

#include "session/cancellation.h"
#include "transport/grpc_time.h"

namespace poold::client::internal {
namespace {

using Done = SessionStream::Done;

// There is one stream at a time, so what is done says everything.
void* ToTag(Done done) { return reinterpret_cast<void*>(done); }

}  // namespace

GrpcEvents::Event GrpcEvents::Next(SessionStream::Clock::time_point until) {
  using Clock = SessionStream::Clock;
  const Duration left = until == Clock::time_point::max() ? kForever : Duration(until - Clock::now());
  void* tag = nullptr;
  Event event;
  if (queue_.AsyncNext(&tag, &event.ok, GrpcIn(left)) != grpc::CompletionQueue::GOT_EVENT) return event;
  event.done = static_cast<Done>(reinterpret_cast<std::uintptr_t>(tag));
  if (event.done == Done::kWake) waking_ = false;
  return event;
}

void GrpcEvents::Wake() {
  const NotCancelled not_cancelled;
  if (!waking_.exchange(true)) wake_.Set(&queue_, gpr_time_0(GPR_CLOCK_MONOTONIC), ToTag(Done::kWake));
}

void GrpcEvents::Shutdown() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) continue;
}

GrpcStream::GrpcStream(v1::PoolService::StubInterface* stub, GrpcEvents* events) : events_(*events) {
  // The channel connects again by itself.
  context_.set_wait_for_ready(true);
  rw_ = stub->PrepareAsyncSession(&context_, events->queue());
}

// Starting calls nobody back.
void GrpcStream::Start() { rw_->StartCall(ToTag(Done::kStart)); }

void GrpcStream::Read() { rw_->Read(&response, ToTag(Done::kRead)); }

std::optional<bool> GrpcStream::Write(const v1::SessionRequest& request) {
  rw_->Write(request, ToTag(Done::kWrite));
  return std::nullopt;
}

void GrpcStream::Finish() { rw_->Finish(&status, ToTag(Done::kFinish)); }

}  // namespace poold::client::internal
