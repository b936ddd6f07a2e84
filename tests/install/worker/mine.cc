#include <poold/worker.h>

namespace {
int twice(int x) { return 2 * x; }
POOLD_TASK(twice);
}  // namespace
