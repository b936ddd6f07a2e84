// A module whose own function has the name of a built-in one.
#include "poold/worker.h"

namespace {

void exec() {}
POOLD_TASK(exec);

}  // namespace
