#include "meter.h"

#include <valgrind/callgrind.h>

#include <cinttypes>
#include <cstdio>
#include <utility>

namespace poold::cost {

Meter::Meter(std::string part) : part_(std::move(part)) { CALLGRIND_ZERO_STATS; }

Meter::~Meter() {
  CALLGRIND_DUMP_STATS_AT(part_.c_str());
  std::printf("{\"part\": \"%s\", \"units\": %" PRIu64 "}\n", part_.c_str(), units_);
}

void Meter::Toggle() { CALLGRIND_TOGGLE_COLLECT; }

}  // namespace poold::cost
