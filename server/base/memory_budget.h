// How much memory the daemon may take for what others send it and want from it, and how that is divided.
//
// Role: finds out what there is, and holds the tree of quotas that everybody takes from before memory is taken. The
// budget is about half of what there is: the other half is for the allocator, gRPC, what is being parsed, and peaks.
// What the cores have is counted by them: their parts, `tasks` and `outcomes`, are bounds that they are told.
// Thread-safe: constant after construction, but for the quotas, which synchronise themselves.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/quota.h"

namespace poold::base {

// In bytes; kUnlimited where there is no such bound.
struct MemoryBounds {
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t cgroup = kUnlimited;         // the least of its own cgroup and those above
  std::uint64_t machine = kUnlimited;        // physical
  std::uint64_t address_space = kUnlimited;  // RLIMIT_AS, less what is mapped now
};

// To be called at start, before much is mapped. `root`: where /proc and /sys are; tests have others.
MemoryBounds FindMemoryBounds(const std::string& root = "");
// Half of the least of them.
std::uint64_t AutomaticBudget(const MemoryBounds& bounds);
// What this process has in memory now: resident, without what lies in files.
std::uint64_t ResidentBytes();

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes);

  std::uint64_t bytes() const { return all->max(); }
  // The cores' parts, of all shards together.
  std::uint64_t tasks() const { return Sixteenths(2); }
  std::uint64_t outcomes() const { return Sixteenths(3); }

  const std::shared_ptr<Quota> all;
  // Arguments of tasks and items, in messages that brought them.
  const std::shared_ptr<Quota> arguments;
  // Messages that have not wholly come.
  const std::shared_ptr<Quota> half_read;
  // Uploads in memory, and what each costs beside its bytes.
  const std::shared_ptr<Quota> uploads;
  // Answers that clients have not read.
  const std::shared_ptr<Quota> unsent;
  // What waits for watchers, and calls that wait.
  const std::shared_ptr<Quota> watchers;
  // Shared memory in which payloads are handed over.
  const std::shared_ptr<Quota> arenas;

 private:
  std::uint64_t Sixteenths(std::uint64_t count) const { return bytes() / 16 * count; }
  std::shared_ptr<Quota> Part(std::uint64_t sixteenths) const;
};

}  // namespace poold::base
