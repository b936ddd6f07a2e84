// Gives memory back to the system after a peak.
//
// The C library keeps what was freed, so that a daemon that once had much would be large for ever. This compares what
// is resident with what is in use, and has the library give back the rest, while that helps. It takes some time for
// each MiB, in which allocations of others may wait: so it happens as soon as it is worth it, and by a thread that
// serves nobody. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

namespace poold::base {

class MemoryReturn {
 public:
  // What it looks at and does; tests have others.
  struct System {
    std::function<std::uint64_t()> resident_bytes;
    std::function<void()> give_back;
  };
  MemoryReturn();
  explicit MemoryReturn(System system) : system_(std::move(system)) {}

  // To be called now and then. `used_bytes`: what all users of the budget have in memory. Returns the nanoseconds until
  // it wants to look again, at most kNoHurry.
  std::int64_t Look(std::int64_t now, std::uint64_t used_bytes);
  static constexpr std::int64_t kNoHurry = 10'000'000'000;

 private:
  const System system_;
  bool looked_ = false;
  std::uint64_t baseline_ = 0;   // resident at the start, beside what was used
  std::uint64_t used_then_ = 0;  // when it gave back last
  std::int64_t pause_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace poold::base
