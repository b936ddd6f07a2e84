// What the daemon is told: options with their units and defaults.
//
// Plain values. From the least to the most: the defaults, the configuration file (toml.h), flags (flags.h); then Finish
// fills in what depends on the others. keys.h lists every key with its range.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "base/spool.h"
#include "core/core.h"
#include "core/types.h"

namespace poold::config {

// By what means a worker's whole process tree dies with it.
enum class Containment : std::uint8_t { kAuto, kCgroup, kPidNamespace, kSubreaper };

struct Config {
  // As transport::ParseListenAddress takes them. Empty: the default socket.
  std::vector<std::string> listen;
  // Where the modules and the worker programs that clients name are looked for, in this order.
  std::vector<std::string> module_folders;
  std::vector<std::string> program_folders;
  // The program that loads modules. Empty: pool-worker beside poold, or in ../libexec/poold.
  std::string worker_program;
  base::Level log_level = base::Level::kInfo;
  Containment containment = Containment::kAuto;
  // How long SIGTERM lets tasks end before they are terminated.
  core::Nanos drain_limit = 30 * core::kSecond;
  std::uint32_t max_connections = 1024;
  std::uint32_t max_connections_per_peer = 256;
  // Memory for what clients send and have not fetched. 0: half of what there is.
  std::uint64_t memory_budget_bytes = 0;
  // How many microseconds a thread looks again for something to do before it sleeps.
  std::uint32_t spin_us = 0;
  // Among how many threads and mutexes the pools are divided.
  std::uint32_t shards = 1;
  // Pools may have the built-in function "exec", which runs any program.
  bool allow_exec = false;
  // Variables that clients' specs may set although they are code (base/environment_names.h).
  std::vector<std::string> allowed_environment;
  core::Limits limits;
  // Where payloads lie that are too large for memory.
  base::SpoolOptions spool;
  // Of a pool that does not say, here or in OpenPool.
  std::uint32_t default_workers = 1;
  // Opened at start.
  std::vector<core::PoolSpec> pools;

  // Something said which pools there are: no `default` one by itself.
  bool pools_named = false;
  // Something said what the `default` pool loads.
  bool default_modules_named = false;
};

// What the defaults depend on.
struct Surroundings {
  // Where the running poold lies.
  std::string bin_folder;
  // What `listen` is by default.
  std::string default_address;
  // CPUs that this process may use, by its affinity and the quota of its cgroup: the workers of a pool that does not
  // say.
  std::uint32_t cpus = 1;
  // Where large files that go with their program belong.
  std::string spool_folder = "/var/tmp";
};

Config DefaultConfig(const Surroundings& surroundings);

// Of a pool whose spares nothing has said yet.
inline constexpr std::uint32_t kOpen = 0xffffffff;

// A pool of which only the name is known. Finish sets its workers and spares if nothing else does.
core::PoolSpec NewPool(std::string name);

// Fills in what was left open (the address, the worker program, the `default` pool), finds the modules and programs of
// the pools, and checks what concerns several keys at once.
// Errors: names the key, and what to do.
absl::Status Finish(const Surroundings& surroundings, Config* config);

// With less memory, nothing of a useful size fits into a part of it.
inline constexpr std::uint64_t kLeastBudget = 32ull << 20;

// Lowers the bounds that are above their parts of the budget.
void FitToMemory(const base::MemoryBudget& memory, Config* config);

}  // namespace poold::config
