// Conversion of the SDK's plain values into the contract's messages. Pure functions.
#pragma once

#include "poold/client/options.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::client::internal {

// The count, at most what 32 bits hold.
std::uint32_t Bounded32(Count count);
// Unset fields of the SDK's value stay unset in the message.
void ToProto(Duration duration, google::protobuf::Duration* proto);
void ToProto(const TaskOptions& options, v1::TaskOptions* proto);
void ToProto(const PoolSpec& spec, v1::PoolSpec* proto);
// Whether both options give the same message. Callbacks and other options that do not travel are not compared.
bool SameOnWire(const TaskOptions& a, const TaskOptions& b);

}  // namespace poold::client::internal
