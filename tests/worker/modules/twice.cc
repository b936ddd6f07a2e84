#include "poold/worker.h"

namespace {
int one() { return 1; }
POOLD_TASK("same", one);
POOLD_TASK("same", one);
}  // namespace
