#include "drivers/unary_calls.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "stopwatch.h"
#include "trip_times.h"

namespace poold::bench {
namespace {

struct Call {
  grpc::ClientContext context;
  v1::SubmitResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::SubmitResponse>> reader;
};

absl::Status Check(const Call& call) {
  if (!call.status.ok()) return absl::UnavailableError(call.status.error_message());
  const bool done = call.response.tasks_size() == 1 && call.response.tasks(0).state() == v1::TASK_STATE_SUCCEEDED;
  return done ? absl::OkStatus() : absl::InternalError(call.response.ShortDebugString());
}

}  // namespace

absl::Status UnaryCalls::Start() {
  absl::Status opened =
      pool_.Open({.name = absl::StrCat("bench-unary-", getpid()), .workers = workers_, .modules = {"testing"}});
  if (!opened.ok()) return opened;
  request_.set_pool(pool_.name());
  request_.clear_tasks();
  request_.add_tasks()->set_function("noop");
  request_.mutable_wait_timeout()->set_seconds(10);
  stub_ = v1::PoolService::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  return absl::OkStatus();
}

void UnaryCalls::Stop() {
  stub_.reset();
  pool_.Terminate();
}

Samples UnaryCalls::Measure(const Job& job) {
  if (job.shape == Shape::kTrips) return MeasureTrips(job.count, [this] { return Run(1, 1); });
  const Stopwatch watch;
  if (absl::Status status = Run(job.count, job.outstanding); !status.ok()) return status;
  return TasksPerSecond(job.count, watch.Seconds());
}

absl::Status UnaryCalls::Run(std::uint64_t count, std::uint64_t outstanding) {
  grpc::CompletionQueue queue;
  const auto start = [&] {
    Call* call = new Call;
    call->reader = stub_->AsyncSubmit(&call->context, request_, &queue);
    call->reader->Finish(&call->response, &call->status, call);
  };
  absl::Status status;
  std::uint64_t started = std::min(count, outstanding);
  for (std::uint64_t i = 0; i < started; ++i) start();
  for (std::uint64_t done = 0; done < started; ++done) {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    status.Update(Check(*call));
    if (started < count && status.ok()) {
      start();
      ++started;
    }
  }
  return status;
}

}  // namespace poold::bench
