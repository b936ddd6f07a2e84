#include "poold/worker.h"

namespace {
extern "C" int defined_nowhere();
POOLD_TASK("call", [] { return defined_nowhere(); });
}  // namespace
