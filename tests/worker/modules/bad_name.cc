#include "poold/worker.h"

namespace {
int one() { return 1; }
POOLD_TASK("bell\a", one);
}  // namespace
