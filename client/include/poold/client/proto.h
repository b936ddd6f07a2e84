// Conversion between the SDK's plain structs and the contract's messages, for programs that have protobuf's headers. No
// other header of the SDK includes them.
//
// Nothing is lost: a message that was converted and converted back is the same, but for fields that this version of the
// contract does not know, and for Payload's upload_id and in_arena, which only travel.
// Programs link poold::client_proto (pkg-config poold-client-proto; -lpoold-client-proto -lpoold-client -lprotobuf): it
// holds the messages, without descriptors, for this program alone. One program (or shared library) has either these
// messages or its own, compiled from poold/v1, and not both.
// Threads: pure functions. Errors: none; an enumerator of a newer contract keeps its number.
// Example:
//   absl::StatusOr<PoolInfo> pool = client.GetPool("demo")->Info();
//   if (pool.ok()) Store(ToProto(*pool).SerializeAsString());
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "poold/client/connection.h"
#include "poold/client/duration.h"
#include "poold/client/options.h"
#include "poold/client/outcome.h"
#include "poold/client/payload.h"
#include "poold/client/pool_info.h"
#include "poold/client/server_info.h"
#include "poold/client/task_info.h"
#include "poold/client/watch_event.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::client {

// A Duration that does not hold what it is given is the nearest that fits: 292 years.
google::protobuf::Duration ToProto(Duration duration);
Duration FromProto(const google::protobuf::Duration& message);
google::protobuf::Timestamp ToProto(WallTime time);
WallTime FromProto(const google::protobuf::Timestamp& message);

inline v1::Encoding ToProto(Encoding value) { return static_cast<v1::Encoding>(value); }
inline Encoding FromProto(v1::Encoding value) { return static_cast<Encoding>(value); }
inline v1::TaskState ToProto(TaskState value) { return static_cast<v1::TaskState>(value); }
inline TaskState FromProto(v1::TaskState value) { return static_cast<TaskState>(value); }
inline v1::KilledBy ToProto(KilledBy value) { return static_cast<v1::KilledBy>(value); }
inline KilledBy FromProto(v1::KilledBy value) { return static_cast<KilledBy>(value); }
inline v1::OutputStream ToProto(OutputStream value) { return static_cast<v1::OutputStream>(value); }
inline OutputStream FromProto(v1::OutputStream value) { return static_cast<OutputStream>(value); }
inline v1::StartMethod ToProto(StartMethod value) { return static_cast<v1::StartMethod>(value); }
inline StartMethod FromProto(v1::StartMethod value) { return static_cast<StartMethod>(value); }
inline v1::OwnerLost ToProto(OwnerLost value) { return static_cast<v1::OwnerLost>(value); }
inline OwnerLost FromProto(v1::OwnerLost value) { return static_cast<OwnerLost>(value); }
inline v1::DeathPolicy ToProto(DeathPolicy value) { return static_cast<v1::DeathPolicy>(value); }
inline DeathPolicy FromProto(v1::DeathPolicy value) { return static_cast<DeathPolicy>(value); }
inline v1::ResourceKind ToProto(ResourceKind value) { return static_cast<v1::ResourceKind>(value); }
inline ResourceKind FromProto(v1::ResourceKind value) { return static_cast<ResourceKind>(value); }
inline v1::PoolState ToProto(PoolState value) { return static_cast<v1::PoolState>(value); }
inline PoolState FromProto(v1::PoolState value) { return static_cast<PoolState>(value); }
inline v1::WorkerState ToProto(WorkerState value) { return static_cast<v1::WorkerState>(value); }
inline WorkerState FromProto(v1::WorkerState value) { return static_cast<WorkerState>(value); }
inline v1::Containment ToProto(Containment value) { return static_cast<v1::Containment>(value); }
inline Containment FromProto(v1::Containment value) { return static_cast<Containment>(value); }

v1::Payload ToProto(const Payload& value);
Payload FromProto(const v1::Payload& message);
v1::Failure ToProto(const Failure& value);
Failure FromProto(const v1::Failure& message);
v1::DeathCertificate ToProto(const DeathCertificate& value);
DeathCertificate FromProto(const v1::DeathCertificate& message);
v1::Outcome ToProto(const Outcome& value);
Outcome FromProto(const v1::Outcome& message);
v1::Output ToProto(const Output& value);
Output FromProto(const v1::Output& message);
v1::Progress ToProto(const Progress& value);
Progress FromProto(const v1::Progress& message);
v1::Task ToProto(const TaskInfo& value);
TaskInfo FromProto(const v1::Task& message);
v1::MapProgress ToProto(const MapProgress& value);
MapProgress FromProto(const v1::MapProgress& message);
v1::TaskEntry ToProto(const TaskEntry& value);
TaskEntry FromProto(const v1::TaskEntry& message);
v1::ListTasksRequest ToProto(const TaskQuery& value);
TaskQuery FromProto(const v1::ListTasksRequest& message);
v1::ListTasksResponse ToProto(const TaskPage& value);
TaskPage FromProto(const v1::ListTasksResponse& message);
v1::Attempt ToProto(const Attempt& value);
Attempt FromProto(const v1::Attempt& message);
v1::TaskOptions ToProto(const TaskOptions& value);
TaskOptions FromProto(const v1::TaskOptions& message);
v1::ExplainResponse ToProto(const Explanation& value);
Explanation FromProto(const v1::ExplainResponse& message);
v1::PoolSpec ToProto(const PoolSpec& value);
PoolSpec FromProto(const v1::PoolSpec& message);
v1::Worker ToProto(const WorkerInfo& value);
WorkerInfo FromProto(const v1::Worker& message);
v1::FunctionState ToProto(const FunctionState& value);
FunctionState FromProto(const v1::FunctionState& message);
v1::FunctionInfo ToProto(const FunctionInfo& value);
FunctionInfo FromProto(const v1::FunctionInfo& message);
v1::PoolStats ToProto(const PoolStats& value);
PoolStats FromProto(const v1::PoolStats& message);
v1::Pool ToProto(const PoolInfo& value);
PoolInfo FromProto(const v1::Pool& message);
v1::GetPoolResponse ToProto(const PoolDescription& value);
PoolDescription FromProto(const v1::GetPoolResponse& message);
v1::ServerLimits ToProto(const ServerLimits& value);
ServerLimits FromProto(const v1::ServerLimits& message);
v1::MemoryPart ToProto(const MemoryPart& value);
MemoryPart FromProto(const v1::MemoryPart& message);
v1::MemoryBudget ToProto(const MemoryBudget& value);
MemoryBudget FromProto(const v1::MemoryBudget& message);
v1::ServerInfo ToProto(const ServerInfo& value);
ServerInfo FromProto(const v1::ServerInfo& message);
v1::HeldUpClient ToProto(const HeldUpClient& value);
HeldUpClient FromProto(const v1::HeldUpClient& message);
v1::GetStatsResponse ToProto(const Stats& value);
Stats FromProto(const v1::GetStatsResponse& message);
v1::WatchResponse ToProto(const WatchEvent& value);
WatchEvent FromProto(const v1::WatchResponse& message);

}  // namespace poold::client
