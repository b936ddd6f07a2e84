// Registers a name that the module `examples` has, too.
#include <cstdint>

#include "poold/worker.h"

static std::int64_t square(std::int64_t x) { return x * x; }
POOLD_TASK(square);
