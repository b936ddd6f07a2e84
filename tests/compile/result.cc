#include "poold/worker.h"

struct Opaque {
  void* handle = nullptr;
};
static absl::StatusOr<std::map<int, Opaque>> make() { return std::map<int, Opaque>(); }
POOLD_TASK(make);
