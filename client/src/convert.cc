#include "convert.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace poold::client::internal {
namespace {

auto OnWire(const TaskOptions& o) {
  return std::tie(o.queue_timeout, o.run_timeout, o.total_timeout, o.max_attempts, o.retry_on, o.retry_delay,
                  o.max_retry_delay, o.priority, o.start_delay, o.fresh, o.traceparent);
}

v1::StartMethod ToProto(StartMethod method) {
  switch (method) {
    case StartMethod::kSpawn:
      return v1::START_METHOD_SPAWN;
    case StartMethod::kFresh:
      return v1::START_METHOD_FRESH;
    default:
      return v1::START_METHOD_FORK;
  }
}

// Unset where it is the default: the spec is the same as one that knows nothing of it.
v1::OwnerLost ToProto(OwnerLost lost) {
  switch (lost) {
    case OwnerLost::kClose:
      return v1::OWNER_LOST_CLOSE;
    case OwnerLost::kTerminate:
      return v1::OWNER_LOST_TERMINATE;
    default:
      return v1::OWNER_LOST_UNSPECIFIED;
  }
}

}  // namespace

std::uint32_t Bounded32(Count count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

void ToProto(Duration duration, google::protobuf::Duration* proto) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  proto->set_seconds(seconds.count());
  proto->set_nanos(static_cast<std::int32_t>((duration - seconds).count()));
}

void ToProto(const TaskOptions& options, v1::TaskOptions* proto) {
  if (options.queue_timeout) ToProto(*options.queue_timeout, proto->mutable_queue_timeout());
  if (options.run_timeout) ToProto(*options.run_timeout, proto->mutable_run_timeout());
  if (options.total_timeout) ToProto(*options.total_timeout, proto->mutable_total_timeout());
  if (options.max_attempts) proto->set_max_attempts(Bounded32(*options.max_attempts));
  for (TaskState state : options.retry_on) proto->add_retry_on(state);
  if (options.retry_delay) ToProto(*options.retry_delay, proto->mutable_retry_delay());
  if (options.max_retry_delay) ToProto(*options.max_retry_delay, proto->mutable_max_retry_delay());
  proto->set_priority(options.priority);
  if (options.start_delay) ToProto(*options.start_delay, proto->mutable_start_delay());
  proto->set_stream_output(options.streams_output() || options.streams_progress());
  proto->set_fresh(options.fresh);
  if (!options.traceparent.empty()) proto->set_traceparent(options.traceparent);
}

void ToProto(const PoolSpec& spec, v1::PoolSpec* proto) {
  proto->set_name(spec.name);
  if (spec.workers) proto->set_workers(Bounded32(*spec.workers));
  for (const auto& module : spec.modules) proto->add_modules(module);
  proto->set_program(spec.program);
  proto->set_start_method(ToProto(spec.start_method));
  for (const auto& function : spec.preload) proto->add_preload(function);
  proto->set_initializer(spec.initializer);
  if (spec.initializer_args) {
    proto->mutable_initializer_args()->set_encoding(spec.initializer_args->encoding);
    proto->mutable_initializer_args()->set_type_name(spec.initializer_args->type_name);
    proto->mutable_initializer_args()->set_data(spec.initializer_args->data);
  }
  if (spec.max_tasks_per_worker) proto->set_max_tasks_per_worker(Bounded32(*spec.max_tasks_per_worker));
  if (spec.max_queued_tasks) proto->set_max_queued_tasks(*spec.max_queued_tasks);
  if (spec.max_queued_bytes) proto->set_max_queued_bytes(*spec.max_queued_bytes);
  if (spec.stop_grace) ToProto(*spec.stop_grace, proto->mutable_stop_grace());
  if (spec.start_timeout) ToProto(*spec.start_timeout, proto->mutable_start_timeout());
  proto->mutable_environment()->insert(spec.environment.begin(), spec.environment.end());
  proto->set_working_directory(spec.working_directory);
  proto->set_nice(spec.nice);
  if (spec.max_worker_rss_bytes) proto->set_max_worker_rss_bytes(*spec.max_worker_rss_bytes);
  if (spec.max_worker_age) ToProto(*spec.max_worker_age, proto->mutable_max_worker_age());
  if (spec.memory_limit_bytes) proto->set_memory_limit_bytes(*spec.memory_limit_bytes);
  for (const auto& [kind, value] : spec.resource_limits) {
    v1::ResourceLimit* limit = proto->add_resource_limits();
    limit->set_kind(kind);
    limit->set_value(value);
  }
  proto->set_on_owner_lost(ToProto(spec.on_owner_lost));
  if (spec.death_policy == DeathPolicy::kStrict) proto->set_death_policy(v1::DEATH_POLICY_STRICT);
  if (spec.spares) proto->set_spares(Bounded32(*spec.spares));
  proto->set_allow_exec(spec.allow_exec);
}

bool SameOnWire(const TaskOptions& a, const TaskOptions& b) {
  const auto streams = [](const TaskOptions& o) { return o.streams_output() || o.streams_progress(); };
  return streams(a) == streams(b) && OnWire(a) == OnWire(b);
}

}  // namespace poold::client::internal
