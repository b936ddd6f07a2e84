// A thread that polls one completion queue and carries what its connections bring.
//
// Role: accepts the calls of its queue, runs what is due, and looks for what its companion has while it does not sleep.
// Threads: Run and what is posted happen on it; the other functions are called by the one that started it.
#pragma once

#include <grpcpp/completion_queue.h>

#include <memory>
#include <thread>

#include "gate/companion.h"
#include "rpc/lookout.h"
#include "rpc/wiring.h"

namespace poold::rpc {

class RpcThread {
 public:
  // `companion` may be null. All must outlive it.
  RpcThread(Backend* backend, gate::Companion* companion, AsyncService* service, grpc::AsyncGenericService* generic,
            std::unique_ptr<grpc::ServerCompletionQueue> queue);

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

  Backend& backend_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Wiring wiring_;
  std::thread thread_;
  Lookout lookout_;
};

}  // namespace poold::rpc
