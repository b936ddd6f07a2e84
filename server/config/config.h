// Config: the daemon's options with their units and defaults.
//
// Plain values. Later sources win: the defaults, the configuration file (toml.h), flags (flags.h); then Finish derives
// the options that depend on others. keys.h lists every key with its range.
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

// The means by which a worker's whole process tree dies with the worker.
enum class Containment : std::uint8_t { kAuto, kCgroup, kPidNamespace, kSubreaper };

struct Config {
  // Addresses as transport::ParseListenAddress takes them. Empty: the default socket.
  std::vector<std::string> listen;
  // Folders in which modules and worker programs are looked for by name, in this order.
  std::vector<std::string> module_folders;
  std::vector<std::string> program_folders;
  // The program that loads modules. Empty: pool-worker beside poold, or in ../libexec/poold.
  std::string worker_program;
  // The least level of lines that are logged.
  base::Level log_level = base::Level::kInfo;
  // kAuto: the best that the machine has. Any other one: the daemon does not start without it.
  Containment containment = Containment::kAuto;
  // The time that SIGTERM leaves tasks to end before they are terminated, in ns.
  core::Nanos drain_limit = 30 * core::kSecond;
  // Client connections at one time; max_connections_per_peer: of one process or one TCP address.
  std::uint32_t max_connections = 1024;
  std::uint32_t max_connections_per_peer = 256;
  // Memory for what clients send and have not fetched. 0: half of what there is.
  std::uint64_t memory_budget_bytes = 0;
  // Microseconds for which a thread polls before it sleeps.
  std::uint32_t spin_us = 0;
  // Parts of the daemon, each with its threads and mutexes, among which the pools are divided.
  std::uint32_t shards = 1;
  // Pools may have the built-in function "exec", which runs any program.
  bool allow_exec = false;
  // Variables that clients' specs may set although they are code (base/names.h).
  std::vector<std::string> allowed_environment;
  // The bounds of the core, of all shards together.
  core::Limits limits;
  // The place of payloads that are too large for memory.
  base::SpoolOptions spool;
  // Workers of a pool whose spec, here or in OpenPool, names no number.
  std::uint32_t default_workers = 1;
  // Pools that are opened at start.
  std::vector<core::PoolSpec> pools;

  // A source named the pools: none named `default` is added.
  bool pools_named = false;
  // A source named the modules of the pool `default`.
  bool default_modules_named = false;
};

// Facts about the process and the machine that the defaults depend on.
struct Surroundings {
  // The folder of the running poold.
  std::string bin_folder;
  // The default of `listen`.
  std::string default_address;
  // CPUs that this process may use, by its affinity and the quota of its cgroup: the default of default_workers.
  std::uint32_t cpus = 1;
  // The default folder of the spool.
  std::string spool_folder = "/var/tmp";
};

// The options before any source was read.
Config DefaultConfig(const Surroundings& surroundings);

// Workers or spares that no source has named yet.
inline constexpr std::uint32_t kOpen = 0xffffffff;

// A pool of which only the name is known. Finish sets its workers and spares where no source does.
core::PoolSpec NewPool(std::string name);

// Derives what no source named (the address, the worker program, the pool `default`), finds the modules and programs of
// the pools, and checks conditions over several keys. Errors name the key and what to do.
absl::Status Finish(const Surroundings& surroundings, Config* config);

// The least budget, in bytes: with less, nothing of a useful size fits into a part of it.
inline constexpr std::uint64_t kLeastBudget = 32ull << 20;

// Lowers limits that are above their parts of the budget.
void FitToMemory(const base::MemoryBudget& memory, Config* config);

}  // namespace poold::config
