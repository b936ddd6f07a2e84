#include "poold/worker.h"

static int length(const char* text) { return static_cast<int>(std::strlen(text)); }
POOLD_TASK(length);
