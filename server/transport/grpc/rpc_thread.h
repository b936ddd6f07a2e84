// A thread that polls one completion queue and carries what its connections bring.
//
// Role: accepts the calls of its queue, runs what is due, and looks for what its poll source has while it does not
// sleep. Threads: Run and what is posted happen on it; the other functions are called by the one that started it.
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

  // When the server was built.
  void Start();
  // Tells watchers of the server's health.
  void TellHealth();
  // Streams get what waits for them and end.
  void EndStreams();
  // Nothing more is begun on the queue.
  void StopQueue();
  // After StopQueue.
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
