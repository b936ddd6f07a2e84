// Failures as workers tell them.
#pragma once

#include <string>
#include <string_view>

#include "core/types.h"
#include "poold/internal/worker.pb.h"

namespace poold::process {

core::Failure ToCore(internal::Failure failure);
// Of the bytes of a poold.internal.Failure; what does not parse becomes a failure that says so.
core::Failure ParseFailure(std::string_view bytes);
// "initializer failed: std::runtime_error: no such table", in the worker's own words.
std::string DescribeStartFailure(const internal::StartFailed& failed);

}  // namespace poold::process
