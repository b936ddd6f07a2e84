#include "poold/client/pool.h"

#include "convert.h"
#include "error.h"
#include "poold/client/client.h"

namespace poold::client {

absl::StatusOr<v1::Pool> Pool::Info() const {
  v1::GetPoolRequest request;
  request.set_name(name());
  auto response = connection()->GetPool(request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

absl::StatusOr<v1::PoolStats> Pool::Stats() const {
  v1::GetStatsRequest request;
  request.set_pool(name());
  auto response = connection()->GetStats(request);
  if (!response.ok()) return response.status();
  return (*response->mutable_pools())[name()];
}

absl::StatusOr<v1::Pool> Pool::Resize(Count workers) const {
  v1::ResizeRequest request;
  request.set_pool(name());
  request.set_workers(internal::Bounded32(workers));
  auto response = connection()->Resize(request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

absl::StatusOr<v1::Pool> Pool::Reload() const {
  v1::ReloadRequest request;
  request.set_pool(name());
  auto response = connection()->Reload(request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

absl::Status Pool::Watch(const WatchCallback& take, bool output) const {
  v1::WatchRequest request;
  request.set_pool(name());
  request.set_output(output);
  return connection()->Watch(request, take);
}

absl::StatusOr<std::uint64_t> Pool::Close(bool cancel_queued) const {
  v1::CloseRequest request;
  request.set_pool(name());
  request.set_cancel_queued(cancel_queued);
  auto response = connection()->Close(request);
  if (!response.ok()) return response.status();
  return response->cancelled_tasks();
}

absl::StatusOr<std::uint64_t> Pool::Terminate(Duration grace) const {
  v1::TerminateRequest request;
  request.set_pool(name());
  if (grace > Duration::zero()) internal::ToProto(grace, request.mutable_grace());
  auto response = connection()->Terminate(request);
  if (!response.ok()) return response.status();
  return response->cancelled_tasks();
}

absl::Status Pool::Join(Duration timeout) const {
  v1::JoinRequest request;
  request.set_pool(name());
  auto response = connection()->Join(request, timeout);
  if (!response.ok()) return response.status();
  if (!response->done()) return internal::WaitTimeoutError("pool " + name());
  return absl::OkStatus();
}

absl::Status Pool::Shutdown(bool wait, bool cancel_queued) const {
  if (absl::Status closed = Close(cancel_queued).status(); !closed.ok()) return closed;
  return wait ? Join() : absl::OkStatus();
}

// Where a map names no options of its own for its items, those of the pool hold.
MapOptions Pool::Merged(MapOptions options) const {
  const TaskOptions& own = options.task;
  const bool named = own.queue_timeout || own.run_timeout || own.total_timeout || own.max_attempts || own.retry_delay ||
                     own.max_retry_delay || own.start_delay || own.priority != 0 || !own.retry_on.empty() ||
                     own.streams_output() || own.streams_progress() || own.wait_when_full || own.fresh ||
                     !own.traceparent.empty() || own.id;
  if (!named) options.task = core_->defaults;
  return options;
}

absl::StatusOr<PoolScope> PoolScope::Open(const Client& client, PoolSpec spec, AtScopeEnd at_end) {
  if (spec.on_owner_lost == OwnerLost::kKeep) spec.on_owner_lost = OwnerLost::kTerminate;
  v1::OpenPoolRequest request;
  internal::ToProto(spec, request.mutable_spec());
  request.set_creation_id(HandleId::Random().ToBytes());
  auto response = client.connection()->OpenPool(request);
  if (!response.ok()) return response.status();
  return PoolScope(Pool(client.connection(), spec.name), at_end);
}

PoolScope::~PoolScope() {
  if (!pool_) return;
  if (at_end_ == AtScopeEnd::kTerminate) {
    (void)pool_->Terminate();
  } else if (pool_->Close().ok()) {
    (void)pool_->Join();
  }
}

}  // namespace poold::client
