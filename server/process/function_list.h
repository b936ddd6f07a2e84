// The functions of a READY frame, as the core takes them.
//
// Pure functions; any thread. Trust: what a READY says is checked by WhatIsWrong.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/types.h"
#include "poold/internal/worker.pb.h"

namespace poold::process {

// The functions of a worker, in its order. Immutable: the clones of a zygote share its.
using FunctionList = std::shared_ptr<const std::vector<core::FunctionInfo>>;

// Takes the names out of `ready`.
FunctionList TakeFunctions(internal::Ready* ready);
// Whether the names are such that a client can submit to them. "": they are. Else what is wrong, for people: a
// predicate whose subject is the worker.
std::string WhatIsWrong(const std::vector<core::FunctionInfo>& functions);

}  // namespace poold::process
