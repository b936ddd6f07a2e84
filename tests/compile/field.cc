#include "poold/worker.h"

struct Outer {
  long double precise = 0;
};
POOLD_FIELDS(Outer, precise);
static int use(const Outer& outer) { return outer.precise > 0; }
POOLD_TASK(use);
