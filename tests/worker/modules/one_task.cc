#include "poold/worker.h"

namespace {
int square(int number) { return number * number; }
POOLD_TASK(square);
}  // namespace
