// Conversion of what every task passes: options and spans of time. proto.h has the rest. Pure functions.
#pragma once

#include "poold/client/options.h"
#include "poold/client/proto.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::client::internal {

using client::FromProto;
using client::ToProto;

// The count, at most what 32 bits hold.
std::uint32_t Bounded32(Count count);
// Unset fields of the SDK's value stay unset in the message.
void ToProto(Duration duration, google::protobuf::Duration* proto);
v1::WaitMode ToProto(WaitMode mode);
void ToProto(const TaskOptions& options, v1::TaskOptions* proto);
// Whether both options give the same message. Callbacks and other options that do not travel are not compared.
bool SameOnWire(const TaskOptions& a, const TaskOptions& b);

}  // namespace poold::client::internal
