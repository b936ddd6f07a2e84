// A library as GnuTLS is one: random numbers from a state that is seeded once, and anew in the child of a fork.
#include <pthread.h>
#include <sys/random.h>

#include <cstdint>

namespace {

std::uint64_t state = 0;

void Seed() {
  if (getrandom(&state, sizeof state, 0) != sizeof state) state = 0;
}

[[gnu::constructor]] void Begin() {
  Seed();
  pthread_atfork(nullptr, nullptr, Seed);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] std::uint64_t reseeds_draw() {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state;
}
