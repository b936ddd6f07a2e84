#include "transport/grpc/rpc_thread.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "api/calls.h"
#include "transport/grpc/server_stream_call.h"
#include "transport/grpc/tag.h"
#include "transport/grpc/unary_call.h"

namespace poold::transport {
namespace {

// The methods of poold.v1.PoolService with one request.
void AcceptCalls(QueueContext* queue_context) {
  api::ForEachCall([queue_context]<typename Request, typename Response>(
                       const char* name, void (*function)(const std::shared_ptr<api::Call<Request, Response>>&)) {
    UnaryCall<Request, Response>::Accept(queue_context, MethodNamed(name), function);
  });
  api::ForEachStreamCall(
      [queue_context]<typename Request, typename Response>(
          const char* name, void (*function)(const std::shared_ptr<api::StreamCall<Request, Response>>&)) {
        ServerStreamCall<Request, Response>::Accept(queue_context, MethodNamed(name), function);
      });
}

}  // namespace

RpcThread::RpcThread(TransportContext* transport, engine::PollSource* poll_source, AsyncService* service,
                     grpc::AsyncGenericService* generic, std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : service_(transport->service),
      queue_(std::move(queue)),
      busy_poller_(service_.clock, poll_source, transport->spin) {
  queue_context_.transport = transport;
  queue_context_.service = service;
  queue_context_.generic = generic;
  queue_context_.queue = queue_.get();
}

void RpcThread::Start() {
  AcceptCalls(&queue_context_);
  AcceptUploads(&queue_context_);
  AcceptSessions(&queue_context_);
  AcceptStandardCalls(&queue_context_);
  thread_ = std::thread([this] { Run(); });
}

void RpcThread::TellHealth() {
  absl::ReaderMutexLock running(&service_.engine.flushing_mu());
  if (!queue_context_.stopped) Posted::Run(queue_.get(), [this] { DoTellHealth(); });
}

void RpcThread::EndStreams() {
  Posted::Run(queue_.get(), [this] { DoEndStreams(); });
}

void RpcThread::StopQueue() {
  Posted::Run(queue_.get(), [this] { DoStopQueue(); });
}

// How long the RPC thread may sleep.
gpr_timespec RpcThread::NextDue() const {
  core::Nanos wait = core::kNever;
  if (const auto due = queue_context_.due.next()) {
    wait = std::chrono::duration_cast<std::chrono::nanoseconds>(*due - session::DelayQueue::Clock::now()).count();
  }
  const core::Nanos expiry = service_.uploads.next_expiry();
  if (expiry != core::kNever) wait = std::min(wait, expiry - service_.clock->Now());
  if (wait == core::kNever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait, GPR_TIMESPAN));
}

void RpcThread::RunDue() {
  queue_context_.due.RunDue();
  if (service_.uploads.next_expiry() != core::kNever) service_.uploads.DropExpired(service_.clock->Now());
}

void RpcThread::Run() {
  pthread_setname_np(pthread_self(), "poold-rpc");
  void* tag = nullptr;
  bool ok = false;
  while (true) {
    const grpc::CompletionQueue::NextStatus next = Next(&tag, &ok);
    if (next == grpc::CompletionQueue::SHUTDOWN) break;
    if (next == grpc::CompletionQueue::GOT_EVENT) static_cast<Tag*>(tag)->Come(ok);
    RunDue();
  }
  busy_poller_.Rearm();
}

grpc::CompletionQueue::NextStatus RpcThread::Next(void** tag, bool* ok) {
  grpc::CompletionQueue::NextStatus next = grpc::CompletionQueue::TIMEOUT;
  const bool came = busy_poller_.Poll([&] {
    next = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
    return next != grpc::CompletionQueue::TIMEOUT;
  });
  return came ? next : queue_->AsyncNext(tag, ok, NextDue());
}

void RpcThread::DoTellHealth() {
  for (const std::weak_ptr<HealthWatcher>& one : queue_context_.health_watchers) {
    if (const std::shared_ptr<HealthWatcher> watcher = one.lock()) watcher->TellHealth();
  }
}

void RpcThread::DoEndStreams() {
  queue_context_.ending = true;
  const auto streams = std::exchange(queue_context_.streams, {});
  for (const std::weak_ptr<LiveStream>& one : streams) {
    if (const std::shared_ptr<LiveStream> stream = one.lock()) stream->EndForShutdown();
  }
}

// On the thread itself, so that nothing of its own is begun meanwhile; flushers are kept out by the lock.
void RpcThread::DoStopQueue() {
  absl::WriterMutexLock lock(&service_.engine.flushing_mu());
  queue_context_.stopped = true;
  queue_context_.due.Clear();
  queue_->Shutdown();
}

}  // namespace poold::transport
