// MemoryReturn: gives memory back to the system after a peak.
//
// The C library keeps freed memory, so a daemon that once used much memory would stay large. This class compares
// resident memory with memory in use, and makes the library give back the difference, while that helps. That takes time
// for each MiB, in which allocations of other threads may wait: call from a thread that serves no client.
// Thread safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

namespace poold::base {

class MemoryReturn {
 public:
  // The functions of the system; tests have others.
  struct System {
    std::function<std::uint64_t()> resident_bytes;
    std::function<void()> give_back;
  };
  MemoryReturn();
  explicit MemoryReturn(System system) : system_(std::move(system)) {}

  // Gives memory back where that is worth it (32 MiB). Call once in a while. `now`: monotonic ns. `used_bytes`: the
  // memory that all users of the budget count. Returns the ns until the next call is useful, at most kNoHurry.
  std::int64_t Look(std::int64_t now, std::uint64_t used_bytes);
  // In ns.
  static constexpr std::int64_t kNoHurry = 10'000'000'000;

 private:
  const System system_;
  bool looked_ = false;
  // Resident bytes at the first look, beside the used ones.
  std::uint64_t baseline_ = 0;
  // `used_bytes` when memory was given back last.
  std::uint64_t used_then_ = 0;
  // The pause after giving back, and its end, in ns.
  std::int64_t pause_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace poold::base
