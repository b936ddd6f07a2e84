#include <cstdio>

#include "drivers/stream_echo.h"

namespace poold::bench {
namespace {

// The one stream: reads, writes, reads, ... Its tag is itself; what comes next is its state.
class EchoCall {
 public:
  EchoCall(Echo::AsyncService* service, grpc::ServerCompletionQueue* queue) : stream_(&context_) {
    service->RequestRun(&context_, &stream_, queue, queue, this);
  }

  // False: it is over.
  bool Advance(bool ok) {
    if (state_ == State::kFinishing) return false;
    if (!ok) {
      state_ = State::kFinishing;
      stream_.Finish(grpc::Status::OK, this);
    } else if (state_ == State::kReading) {
      state_ = State::kWriting;
      stream_.Write(batch_, this);
    } else {
      state_ = State::kReading;
      stream_.Read(&batch_, this);
    }
    return true;
  }

 private:
  enum class State { kStarting, kReading, kWriting, kFinishing };

  State state_ = State::kStarting;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<Batch, Batch> stream_;
  Batch batch_;
};

}  // namespace

int ServeStreamEcho(const std::vector<std::string>& arguments) {
  Echo::AsyncService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(arguments.at(0), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (!server) return 69;
  EchoCall call(&service, queue.get());
  std::puts("ready");
  std::fflush(stdout);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok) && call.Advance(ok)) {
  }
  server->Shutdown();
  queue->Shutdown();
  while (queue->Next(&tag, &ok)) {
  }
  return 0;
}

}  // namespace poold::bench
