// MemoryBudget: the memory that the daemon may take for what clients send and have not fetched, and its parts.
//
// Role: finds out how much memory there is, and holds the tree of quotas from which memory is taken before it is used.
//   The budget is about half of the memory: the other half is for the allocator, gRPC, messages that are being parsed,
//   and peaks. The cores count their own memory; their parts, `tasks` and `outcomes`, are bounds that they are told.
// Threads: thread-safe: constant after construction, except the quotas, which synchronise themselves.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

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

}  // namespace poold::base
