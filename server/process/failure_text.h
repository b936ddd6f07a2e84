// Failures and starts as workers tell them, in the core's terms and in words for people.
//
// Pure functions; any thread. Trust: what workers say is made printable and short before anybody sees it.
#pragma once

#include <string>
#include <string_view>

#include "core/core.h"
#include "core/types.h"
#include "poold/internal/worker.pb.h"
#include "wire/frame.h"

namespace poold::process {

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

}  // namespace poold::process
