#include "rpc/rpc_thread.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "rpc/accept.h"
#include "rpc/tag.h"

namespace poold::rpc {

RpcThread::RpcThread(Backend* backend, gate::Companion* companion, AsyncService* service,
                     grpc::AsyncGenericService* generic, std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : backend_(*backend), queue_(std::move(queue)), lookout_(backend->clock, companion, backend->options.spin) {
  wiring_.backend = backend;
  wiring_.service = service;
  wiring_.generic = generic;
  wiring_.queue = queue_.get();
}

void RpcThread::Start() {
  AcceptPoolCalls(&wiring_);
  AcceptTaskCalls(&wiring_);
  AcceptWaits(&wiring_);
  AcceptListCalls(&wiring_);
  AcceptStreamCalls(&wiring_);
  AcceptUploads(&wiring_);
  AcceptSessions(&wiring_);
  AcceptStandardCalls(&wiring_);
  thread_ = std::thread([this] { Run(); });
}

void RpcThread::TellHealth() {
  absl::ReaderMutexLock running(&backend_.commons.stopping_mu);
  if (!wiring_.stopped) Posted::Run(queue_.get(), [this] { DoTellHealth(); });
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
  if (const auto due = wiring_.due.next()) {
    wait = std::chrono::duration_cast<std::chrono::nanoseconds>(*due - DueList::Clock::now()).count();
  }
  const core::Nanos expiry = backend_.uploads.next_expiry();
  if (expiry != core::kNever) wait = std::min(wait, expiry - backend_.clock->Now());
  if (wait == core::kNever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait, GPR_TIMESPAN));
}

void RpcThread::RunDue() {
  wiring_.due.RunDue();
  if (backend_.uploads.next_expiry() != core::kNever) backend_.uploads.DropExpired(backend_.clock->Now());
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
  lookout_.Rest();
}

grpc::CompletionQueue::NextStatus RpcThread::Next(void** tag, bool* ok) {
  grpc::CompletionQueue::NextStatus next = grpc::CompletionQueue::TIMEOUT;
  const bool came = lookout_.Looks([&] {
    next = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
    return next != grpc::CompletionQueue::TIMEOUT;
  });
  return came ? next : queue_->AsyncNext(tag, ok, NextDue());
}

void RpcThread::DoTellHealth() {
  for (const std::weak_ptr<HealthWatcher>& one : wiring_.health_watchers) {
    if (const std::shared_ptr<HealthWatcher> watcher = one.lock()) watcher->TellHealth();
  }
}

void RpcThread::DoEndStreams() {
  wiring_.ending = true;
  const auto streams = std::exchange(wiring_.streams, {});
  for (const std::weak_ptr<LiveStream>& one : streams) {
    if (const std::shared_ptr<LiveStream> stream = one.lock()) stream->EndForShutdown();
  }
}

// On the thread itself, so that nothing of its own is begun meanwhile; flushers are kept out by the lock.
void RpcThread::DoStopQueue() {
  absl::WriterMutexLock lock(&backend_.commons.stopping_mu);
  wiring_.stopped = true;
  wiring_.due.Clear();
  queue_->Shutdown();
}

}  // namespace poold::rpc
