// RpcThread: a thread that polls one completion queue and carries the calls of its connections.
//
// Role: accepts the calls of its queue, runs delayed work, and polls its poll source while it does not sleep.
// Threads: posted work runs on the thread; the functions are called by the thread that started it. Ownership: owns the
// queue.
#pragma once

#include <grpcpp/completion_queue.h>

#include <memory>
#include <thread>

#include "engine/poll_source.h"
#include "transport/busy_poller.h"
#include "transport/grpc/queue_context.h"

namespace poold::transport {

class RpcThread {
 public:
  // `poll_source` may be null. All must outlive it.
  RpcThread(TransportContext* transport, engine::PollSource* poll_source, AsyncService* service,
            grpc::AsyncGenericService* generic, std::unique_ptr<grpc::ServerCompletionQueue> queue);

  // Starts the thread. REQUIRES: the server was built.
  void Start();
  // Tells watchers of the server's health.
  void TellHealth();
  // Ends streams behind their waiting messages.
  void EndStreams();
  // Shuts the queue down: nothing more is begun on it.
  void StopQueue();
  // Waits for the thread's end. REQUIRES: StopQueue was called.
  void Join() { thread_.join(); }

 private:
  void Run();
  grpc::CompletionQueue::NextStatus Next(void** tag, bool* ok);
  gpr_timespec NextDue() const;
  void RunDue();
  void DoTellHealth();
  void DoEndStreams();
  void DoStopQueue();

  api::ServiceContext& service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  QueueContext queue_context_;
  std::thread thread_;
  BusyPoller busy_poller_;
};

}  // namespace poold::transport
