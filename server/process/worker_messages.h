// The messages of worker.proto in the core's terms: SETUP, READY, Starting, StartFailed and Failure.
//
// Threads: pure functions. Trust: texts of workers are made printable and short before anybody sees them; the names in
// a READY are
//   checked by WhatIsWrong.
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

// ---- READY ----

// The functions of a worker, in its order. Immutable: the clones of a zygote share the zygote's.
using FunctionList = std::shared_ptr<const std::vector<core::FunctionInfo>>;

// Moves the functions out of `ready`.
FunctionList TakeFunctions(internal::Ready* ready);
// Checks that a client can submit to these names. "": it can. Otherwise the fault in words for people: a predicate
// whose subject is the worker.
std::string WhatIsWrong(const std::vector<core::FunctionInfo>& functions);

// ---- Failures and the steps of a start ----

// The failure in the core's terms.
core::Failure ToCore(internal::Failure failure);
// As ToCore, from the bytes of a poold.internal.Failure. Bytes that do not parse become a failure that says so.
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
// The ns that a process of the pool may take until READY: the pool's own limit, else the daemon's.
core::Nanos StartTimeout(const core::PoolSpec& spec, const core::Limits& limits);

// ---- SETUP ----

// The first frame to a zygote or fresh worker, with the facts of its pool. `max_result_bytes`: a worker makes a failure
// of a larger result. `exec_path`: the program of the workers, only for the zygote of a pool whose workers are fresh
// programs; else "". `limits`: what clones set for themselves, only for a zygote; else empty.
std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits);

}  // namespace poold::process
