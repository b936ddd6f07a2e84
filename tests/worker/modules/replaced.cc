// A module, and a library beside it, of which there are two versions: one is written over the other while it is loaded.
#include <cstdint>
#include <stdexcept>
#include <string>

#ifdef IS_LIBRARY

extern "C" std::int64_t replaced_part() { return VERSION; }

#else

#include "poold/worker.h"

#ifndef IS_ALONE
extern "C" std::int64_t replaced_part();
POOLD_TASK("part", [] { return replaced_part(); });
#endif

namespace {

// Hardly any of it is in memory before it is asked for.
constexpr std::size_t kTableBytes = 1 << 20;
alignas(4096) const volatile unsigned char table[kTableBytes] = {VERSION};
std::int64_t counted = VERSION;

POOLD_TASK("version", [] { return std::int64_t{VERSION}; });
POOLD_TASK("table_sum", [] {
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < kTableBytes; at += 512) sum += table[at];
  return sum;
});
POOLD_TASK("count", [] { return ++counted; });

void fail() { throw std::runtime_error("version " + std::to_string(VERSION)); }
POOLD_TASK(fail);

void crash() { *reinterpret_cast<volatile int*>(16) = 1; }
POOLD_TASK(crash);

}  // namespace

#endif
