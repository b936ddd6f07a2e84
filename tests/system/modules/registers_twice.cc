// Registers one name twice.
#include "poold/worker.h"

POOLD_TASK("same_name", [] { return 1; });
POOLD_TASK("same_name", [] { return 2; });
