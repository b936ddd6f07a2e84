// MemoryBudget: the memory that the daemon may take for what clients send and have not fetched, and its parts.
//
// Role: finds out how much memory there is, and holds the tree of quotas from which memory is taken before it is used.
//   The budget is about half of the memory: the other half is for the allocator, gRPC, messages that are being parsed,
//   and peaks. The cores count their own memory; their parts, `tasks` and `outcomes`, are bounds that they are told.
// Threads: thread-safe: constant after construction, except the quotas, which synchronise themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/quota.h"

namespace poold::base {

// Limits of this process's memory in bytes; kUnlimited: there is no such limit.
struct MemoryBounds {
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
  // The least limit of its cgroup and of the cgroups above.
  std::uint64_t cgroup = kUnlimited;
  // The physical memory.
  std::uint64_t machine = kUnlimited;
  // RLIMIT_AS, less the memory that is mapped now.
  std::uint64_t address_space = kUnlimited;
};

// Call at start, before much memory is mapped. `root`: the folder of /proc and /sys, for tests.
MemoryBounds FindMemoryBounds(const std::string& root = "");
// Half of the least bound, in bytes.
std::uint64_t AutomaticBudget(const MemoryBounds& bounds);
// The resident memory of this process in bytes, without file pages.
std::uint64_t ResidentBytes();

// The budget, and its parts in sixteenths. Each part is a quota of its own, so that a full part takes nothing of the
// others.
class MemoryBudget {
 public:
  // Divides so many bytes.
  explicit MemoryBudget(std::uint64_t bytes);

  std::uint64_t bytes() const { return all->max(); }
  // The cores' parts in bytes, of all shards together.
  std::uint64_t tasks() const { return Sixteenths(2); }
  std::uint64_t outcomes() const { return Sixteenths(3); }

  const std::shared_ptr<Quota> all;
  // Arguments of tasks and items, in the messages that brought them: 4/16.
  const std::shared_ptr<Quota> arguments;
  // Messages that have not come completely: 2/16.
  const std::shared_ptr<Quota> half_read;
  // Uploads in memory, and the cost of each beside its bytes: 1/16.
  const std::shared_ptr<Quota> uploads;
  // Answers that clients have not read: 1/16.
  const std::shared_ptr<Quota> unsent;
  // Events that wait for watchers, and calls that wait: 1/16.
  const std::shared_ptr<Quota> watchers;
  // Shared memory in which payloads are handed over: 2/16.
  const std::shared_ptr<Quota> arenas;

 private:
  std::uint64_t Sixteenths(std::uint64_t count) const { return bytes() / 16 * count; }
  std::shared_ptr<Quota> Part(std::uint64_t sixteenths) const;
};

// MemoryReturn: gives memory back to the system after a peak of the budget's use.
//
// The C library keeps freed memory, so a daemon that once used much memory would stay large. This class compares
// resident memory with memory in use, and makes the library give back the difference, while that helps. That takes time
// for each MiB, in which allocations of other threads may wait: call from a thread that serves no client.
// Thread safety: none.
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
  // Look was called: `baseline_` is valid.
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
