#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "driver.h"
#include "figures.h"
#include "options.h"

namespace poold::bench {

using Drivers = std::vector<std::unique_ptr<Driver>>;

// Whether this subject is asked for.
bool Wanted(const BenchOptions& options, const std::string& subject);

// Every job of `kind` by every driver that can do it, in alternating rounds, after one that does not count.
absl::Status Compare(const BenchOptions& options, const std::string& kind, const Drivers& drivers, Figures& figures);

}  // namespace poold::bench
