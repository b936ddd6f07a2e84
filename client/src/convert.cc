#include "convert.h"

#include <algorithm>
#include <limits>

#include "proto_fields.h"

namespace poold::client::internal {

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
  WritePairs(options, proto);
  proto->set_stream_output(options.streams_output() || options.streams_progress());
}

bool SameOnWire(const TaskOptions& a, const TaskOptions& b) {
  const auto streams = [](const TaskOptions& o) { return o.streams_output() || o.streams_progress(); };
  bool same = streams(a) == streams(b);
  VisitPairs(a, [&](const auto& field, const auto& access) { same = same && field == access.of(b); });
  return same;
}

}  // namespace poold::client::internal
