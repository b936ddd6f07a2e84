#include "poold/client/proto.h"

#include <algorithm>
#include <limits>

#include "convert.h"
#include "proto_fields.h"

namespace poold::client {
namespace {

// The nearest Duration.
Duration Together(std::int64_t seconds, std::int32_t nanos) {
  return std::chrono::duration<long double>(seconds) + std::chrono::nanoseconds(nanos);
}

template <typename Message, typename Struct>
Message MessageOf(const Struct& value) {
  Message message;
  internal::WritePairs(value, &message);
  return message;
}

template <typename Struct, typename Message>
Struct StructOf(const Message& message) {
  Struct value;
  internal::ReadPairs(message, &value);
  return value;
}

}  // namespace

google::protobuf::Duration ToProto(Duration duration) {
  google::protobuf::Duration message;
  internal::ToProto(duration, &message);
  return message;
}

Duration FromProto(const google::protobuf::Duration& message) { return Together(message.seconds(), message.nanos()); }

google::protobuf::Timestamp ToProto(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp message;
  message.set_seconds(seconds.time_since_epoch().count());
  message.set_nanos(static_cast<std::int32_t>((time - seconds).count()));
  return message;
}

WallTime FromProto(const google::protobuf::Timestamp& message) {
  return WallTime(Together(message.seconds(), message.nanos()));
}

v1::Payload ToProto(const Payload& value) { return MessageOf<v1::Payload>(value); }

Payload FromProto(const v1::Payload& message) { return StructOf<Payload>(message); }

v1::Failure ToProto(const Failure& value) { return MessageOf<v1::Failure>(value); }

Failure FromProto(const v1::Failure& message) { return StructOf<Failure>(message); }

v1::DeathCertificate ToProto(const DeathCertificate& value) { return MessageOf<v1::DeathCertificate>(value); }

DeathCertificate FromProto(const v1::DeathCertificate& message) { return StructOf<DeathCertificate>(message); }

v1::Outcome ToProto(const Outcome& value) { return MessageOf<v1::Outcome>(value); }

Outcome FromProto(const v1::Outcome& message) { return StructOf<Outcome>(message); }

v1::Output ToProto(const Output& value) {
  v1::Output message;
  if (value.id != HandleId{}) message.set_id(value.id.ToBytes());
  message.set_stream(ToProto(value.stream));
  message.set_data(value.text);
  return message;
}

Output FromProto(const v1::Output& message) {
  return {HandleId::FromBytes(message.id()).value_or(HandleId{}), FromProto(message.stream()), message.data()};
}

v1::Progress ToProto(const Progress& value) { return MessageOf<v1::Progress>(value); }

Progress FromProto(const v1::Progress& message) { return StructOf<Progress>(message); }

v1::Task ToProto(const TaskInfo& value) { return MessageOf<v1::Task>(value); }

TaskInfo FromProto(const v1::Task& message) { return StructOf<TaskInfo>(message); }

v1::MapProgress ToProto(const MapProgress& value) { return MessageOf<v1::MapProgress>(value); }

MapProgress FromProto(const v1::MapProgress& message) { return StructOf<MapProgress>(message); }

v1::TaskEntry ToProto(const TaskEntry& value) {
  v1::TaskEntry message;
  if (const auto* task = std::get_if<TaskInfo>(&value)) *message.mutable_task() = ToProto(*task);
  if (const auto* map = std::get_if<MapProgress>(&value)) *message.mutable_map() = ToProto(*map);
  return message;
}

TaskEntry FromProto(const v1::TaskEntry& message) {
  if (message.has_task()) return FromProto(message.task());
  if (message.has_map()) return FromProto(message.map());
  return {};
}

v1::ListTasksRequest ToProto(const TaskQuery& value) { return MessageOf<v1::ListTasksRequest>(value); }

TaskQuery FromProto(const v1::ListTasksRequest& message) { return StructOf<TaskQuery>(message); }

v1::ListTasksResponse ToProto(const TaskPage& value) { return MessageOf<v1::ListTasksResponse>(value); }

TaskPage FromProto(const v1::ListTasksResponse& message) { return StructOf<TaskPage>(message); }

v1::Attempt ToProto(const Attempt& value) { return MessageOf<v1::Attempt>(value); }

Attempt FromProto(const v1::Attempt& message) { return StructOf<Attempt>(message); }

v1::TaskOptions ToProto(const TaskOptions& value) {
  v1::TaskOptions message;
  internal::ToProto(value, &message);
  return message;
}

TaskOptions FromProto(const v1::TaskOptions& message) {
  auto value = StructOf<TaskOptions>(message);
  value.watch_progress = message.stream_output();
  return value;
}

v1::ExplainResponse ToProto(const Explanation& value) { return MessageOf<v1::ExplainResponse>(value); }

Explanation FromProto(const v1::ExplainResponse& message) { return StructOf<Explanation>(message); }

v1::PoolSpec ToProto(const PoolSpec& value) {
  auto message = MessageOf<v1::PoolSpec>(value);
  for (const auto& [kind, limit] : value.resource_limits) {
    v1::ResourceLimit* const added = message.add_resource_limits();
    added->set_kind(ToProto(kind));
    added->set_value(limit);
  }
  return message;
}

PoolSpec FromProto(const v1::PoolSpec& message) {
  auto value = StructOf<PoolSpec>(message);
  for (const v1::ResourceLimit& limit : message.resource_limits()) {
    value.resource_limits.emplace(FromProto(limit.kind()), limit.value());
  }
  return value;
}

v1::Worker ToProto(const WorkerInfo& value) { return MessageOf<v1::Worker>(value); }

WorkerInfo FromProto(const v1::Worker& message) { return StructOf<WorkerInfo>(message); }

v1::FunctionState ToProto(const FunctionState& value) { return MessageOf<v1::FunctionState>(value); }

FunctionState FromProto(const v1::FunctionState& message) { return StructOf<FunctionState>(message); }

v1::FunctionInfo ToProto(const FunctionInfo& value) { return MessageOf<v1::FunctionInfo>(value); }

FunctionInfo FromProto(const v1::FunctionInfo& message) { return StructOf<FunctionInfo>(message); }

v1::PoolStats ToProto(const PoolStats& value) { return MessageOf<v1::PoolStats>(value); }

PoolStats FromProto(const v1::PoolStats& message) { return StructOf<PoolStats>(message); }

v1::Pool ToProto(const PoolInfo& value) { return MessageOf<v1::Pool>(value); }

PoolInfo FromProto(const v1::Pool& message) { return StructOf<PoolInfo>(message); }

v1::GetPoolResponse ToProto(const PoolDescription& value) { return MessageOf<v1::GetPoolResponse>(value); }

PoolDescription FromProto(const v1::GetPoolResponse& message) { return StructOf<PoolDescription>(message); }

v1::ServerLimits ToProto(const ServerLimits& value) { return MessageOf<v1::ServerLimits>(value); }

ServerLimits FromProto(const v1::ServerLimits& message) { return StructOf<ServerLimits>(message); }

v1::MemoryPart ToProto(const MemoryPart& value) { return MessageOf<v1::MemoryPart>(value); }

MemoryPart FromProto(const v1::MemoryPart& message) { return StructOf<MemoryPart>(message); }

v1::MemoryBudget ToProto(const MemoryBudget& value) { return MessageOf<v1::MemoryBudget>(value); }

MemoryBudget FromProto(const v1::MemoryBudget& message) { return StructOf<MemoryBudget>(message); }

v1::ServerInfo ToProto(const ServerInfo& value) { return MessageOf<v1::ServerInfo>(value); }

ServerInfo FromProto(const v1::ServerInfo& message) { return StructOf<ServerInfo>(message); }

v1::HeldUpClient ToProto(const HeldUpClient& value) { return MessageOf<v1::HeldUpClient>(value); }

HeldUpClient FromProto(const v1::HeldUpClient& message) { return StructOf<HeldUpClient>(message); }

v1::GetStatsResponse ToProto(const Stats& value) { return MessageOf<v1::GetStatsResponse>(value); }

Stats FromProto(const v1::GetStatsResponse& message) { return StructOf<Stats>(message); }

v1::WatchResponse ToProto(const WatchEvent& value) {
  v1::WatchResponse message;
  if (value.time) *message.mutable_time() = ToProto(*value.time);
  if (const auto* task = std::get_if<TaskInfo>(&value.what)) *message.mutable_task() = ToProto(*task);
  if (const auto* map = std::get_if<MapProgress>(&value.what)) *message.mutable_map() = ToProto(*map);
  if (const auto* output = std::get_if<Output>(&value.what)) *message.mutable_output() = ToProto(*output);
  if (const auto* pool = std::get_if<PoolInfo>(&value.what)) *message.mutable_pool() = ToProto(*pool);
  if (const auto* dropped = std::get_if<DroppedOutput>(&value.what)) message.set_dropped_output_bytes(dropped->bytes);
  if (const auto* progress = std::get_if<Progress>(&value.what)) *message.mutable_progress() = ToProto(*progress);
  if (const auto* resync = std::get_if<WatchResync>(&value.what)) {
    message.mutable_resync()->set_lost_events(resync->lost_events);
  }
  return message;
}

WatchEvent FromProto(const v1::WatchResponse& message) {
  WatchEvent value;
  if (message.has_time()) value.time = FromProto(message.time());
  if (message.has_task()) value.what = FromProto(message.task());
  if (message.has_map()) value.what = FromProto(message.map());
  if (message.has_output()) value.what = FromProto(message.output());
  if (message.has_pool()) value.what = FromProto(message.pool());
  if (message.has_dropped_output_bytes()) value.what = DroppedOutput{message.dropped_output_bytes()};
  if (message.has_progress()) value.what = FromProto(message.progress());
  if (message.has_resync()) value.what = WatchResync{message.resync().lost_events()};
  return value;
}

namespace internal {

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

}  // namespace internal
}  // namespace poold::client
