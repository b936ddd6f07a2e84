// The methods of poold.v1.PoolService as calls that a LocalCalls connection carries: those of api/calls.h, and Upload.
#pragma once

#include <memory>

#include "poold/v1/call.pb.h"
#include "transport/local/local_calls.h"

namespace poold::transport {

// The call that this head begins. Null: the head names no method, or one that is not carried this way.
std::shared_ptr<CarriedCall> MakeCarriedCall(const std::shared_ptr<LocalCalls>& connection, v1::CallHead head);

}  // namespace poold::transport
