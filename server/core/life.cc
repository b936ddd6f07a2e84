#include "core/life.h"

#include <cstdio>
#include <cstdlib>

namespace poold::core {

void RefuseTransition(int from, int to) {
  std::fprintf(stderr, "poold: a life went from state %d to %d, which does not follow\n", from, to);
  std::abort();
}

}  // namespace poold::core
