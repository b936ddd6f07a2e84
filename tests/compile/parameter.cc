#include "poold/worker.h"

struct Opaque {
  void* handle = nullptr;
};
static int use(const std::vector<Opaque>& list) { return static_cast<int>(list.size()); }
POOLD_TASK(use);
