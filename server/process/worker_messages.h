// The functions of a READY frame, as the core takes them.
//
// Pure functions; any thread. Trust: what a READY says is checked by WhatIsWrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "core/types.h"
#include "poold/internal/worker.pb.h"
#include "process/resource_limits.h"
#include "wire/frame.h"

namespace poold::process {

// The functions of a worker, in its order. Immutable: the clones of a zygote share its.
using FunctionList = std::shared_ptr<const std::vector<core::FunctionInfo>>;

// Takes the names out of `ready`.
FunctionList TakeFunctions(internal::Ready* ready);
// Whether the names are such that a client can submit to them. "": they are. Else what is wrong, for people: a
// predicate whose subject is the worker.
std::string WhatIsWrong(const std::vector<core::FunctionInfo>& functions);

// Failures and starts as workers tell them, in the core's terms and in words for people.
//
// Pure functions; any thread. Trust: what workers say is made printable and short before anybody sees it.

// The same in the core's terms.
core::Failure ToCore(internal::Failure failure);
// Of the bytes of a poold.internal.Failure; what does not parse becomes a failure that says so.
core::Failure ParseFailure(std::string_view bytes);
// "initializer failed: std::runtime_error: no such table", in the worker's own words.
std::string DescribeStartFailure(const internal::StartFailed& failed);

// The present step of a process that is starting, in its own words, short and printable: "loading the module
// /lib/a.so".
std::string ParseStarting(const wire::Frame& frame);
// ", while it was loading the module /lib/a.so"; empty where it never said.
std::string While(const std::string& doing);
// "did not become ready within 60 s (start_timeout), while it was ...".
std::string StartTimeText(core::Nanos start_timeout, const std::string& doing);
// How long a process of the pool may take until READY, in ns: what the pool says, else the daemon's own limit.
core::Nanos StartTimeout(const core::PoolSpec& spec, const core::Limits& limits);

// The SETUP frame: what a zygote or a fresh worker needs to know of its pool (Setup in worker.proto).
//
// A pure function; any thread.

// The whole frame, to be written first. `max_result_bytes`: a worker makes a failure of a larger result.
// `exec_path`: the program of the workers, only for the zygote of a pool whose workers are fresh programs; else "".
// `limits`: what clones set for themselves, only for a zygote; else empty.
std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits);

}  // namespace poold::process
