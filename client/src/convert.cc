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

}  // namespace

std::uint32_t Bounded32(Count count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

void ToProto(Duration duration, google::protobuf::Duration* proto) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  proto->set_seconds(seconds.count());
  proto->set_nanos(static_cast<std::int32_t>((duration - seconds).count()));
}

v1::WaitMode ToProto(WaitMode mode) {
  switch (mode) {
    case WaitMode::kFirstCompleted:
      return v1::WAIT_MODE_FIRST_COMPLETED;
    case WaitMode::kFirstException:
      return v1::WAIT_MODE_FIRST_EXCEPTION;
    default:
      return v1::WAIT_MODE_ALL_COMPLETED;
  }
}

void ToProto(const TaskOptions& options, v1::TaskOptions* proto) {
  if (options.queue_timeout) ToProto(*options.queue_timeout, proto->mutable_queue_timeout());
  if (options.run_timeout) ToProto(*options.run_timeout, proto->mutable_run_timeout());
  if (options.total_timeout) ToProto(*options.total_timeout, proto->mutable_total_timeout());
  if (options.max_attempts) proto->set_max_attempts(Bounded32(*options.max_attempts));
  for (TaskState state : options.retry_on) proto->add_retry_on(client::ToProto(state));
  if (options.retry_delay) ToProto(*options.retry_delay, proto->mutable_retry_delay());
  if (options.max_retry_delay) ToProto(*options.max_retry_delay, proto->mutable_max_retry_delay());
  proto->set_priority(options.priority);
  if (options.start_delay) ToProto(*options.start_delay, proto->mutable_start_delay());
  proto->set_stream_output(options.streams_output() || options.streams_progress());
  proto->set_fresh(options.fresh);
  if (!options.traceparent.empty()) proto->set_traceparent(options.traceparent);
}

bool SameOnWire(const TaskOptions& a, const TaskOptions& b) {
  const auto streams = [](const TaskOptions& o) { return o.streams_output() || o.streams_progress(); };
  return streams(a) == streams(b) && OnWire(a) == OnWire(b);
}

}  // namespace poold::client::internal
