// Between the SDK's plain values and the contract's messages.
#pragma once

#include "poold/client/options.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::client::internal {

// As many as 32 bits hold.
std::uint32_t Bounded32(Count count);
void ToProto(Duration duration, google::protobuf::Duration* proto);
void ToProto(const TaskOptions& options, v1::TaskOptions* proto);
void ToProto(const PoolSpec& spec, v1::PoolSpec* proto);
// They would give the same message: what stays on this side is not looked at.
bool SameOnWire(const TaskOptions& a, const TaskOptions& b);

}  // namespace poold::client::internal
