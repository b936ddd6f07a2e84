#include "config/keys.h"

#include <vector>

namespace poold::config {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};
constexpr std::string_view kContainments[] = {"auto", "cgroup", "pid_namespace", "subreaper"};
constexpr std::int64_t kHundredYearsInSeconds = 3'155'760'000;
// The claim page has 1024 slots for what is sent ahead.
constexpr std::int64_t kMaxPrefetch = 768;

const Choice<Config> kLogLevel = {
    kLevels,
    [](Config& config, std::size_t word) { config.log_level = static_cast<base::Level>(word); },
    [](const Config& config) { return static_cast<std::size_t>(config.log_level); },
};

const Choice<Config> kContainment = {
    kContainments,
    [](Config& config, std::size_t word) { config.containment = static_cast<Containment>(word); },
    [](const Config& config) { return static_cast<std::size_t>(config.containment); },
};

// What people are told of an option's key.
std::string HelpOf(const option::Option& option) {
  std::string help(option.help);
  help += '.';
  if (option.unset.empty()) return help;
  return help + (option.zero_is_unset ? " 0: " : " Default: ") + std::string(option.unset) + '.';
}

Key<core::PoolSpec> KeyOf(const core::OptionField<core::PoolSpec>& row) {
  const option::Option& option = *row.option;
  Key<core::PoolSpec> key{option.key, row.field, HelpOf(option), option.min, option.max};
  if (option.zero_is_unset) key.min = 0;
  if (option.kind == option::Kind::kDuration) key.max = kHundredYearsInSeconds;
  return key;
}

}  // namespace

std::span<const Key<Config>> ConfigKeys() {
  static const Key<Config> keys[] = {
      {"listen", &Config::listen,
       "Where clients reach the daemon: \"unix:PATH\", or \"HOST:PORT\" on loopback, which trusts every local user."},
      {"module_folders", &Config::module_folders, "Where the task modules that clients name are looked for."},
      {"program_folders", &Config::program_folders, "Where the worker programs that clients name are looked for."},
      {"worker_program", &Config::worker_program,
       "The program that loads modules. Default: pool-worker, as installed with poold."},
      {"log_level", kLogLevel, "What is logged to stderr: debug, info, warning or error."},
      {"containment", kContainment,
       "How a worker's process tree is held together: auto, cgroup, pid_namespace or subreaper."},
      {"drain_limit_seconds", &Config::drain_limit, "How long SIGTERM lets tasks end before they are terminated.", 0,
       kHundredYearsInSeconds},
      {"default_workers", &Config::default_workers,
       "Worker processes of a pool that does not say. Default: one for each CPU that poold may use, by its "
       "affinity and the CPU quota of its cgroup.",
       1, 65'536},
      {"max_connections", &Config::max_connections,
       "Client connections at one time, and as many sessions of this host beside them.", 1, 1'000'000},
      {"max_connections_per_peer", &Config::max_connections_per_peer,
       "Of these, how many may come from one process of this host, or from one address of TCP.", 1, 1'000'000},
      {"memory_budget_bytes", &Config::memory_budget_bytes,
       "Memory for all that clients send and have not fetched yet: what is above it is refused, to be tried again. "
       "0: half of the least of the cgroup's limit, the machine's memory and the address space.",
       0},
      {"spin_us", &Config::spin_us,
       "Microseconds that a thread of poold looks again for work and results before it sleeps: a lone task takes about "
       "half as long. It takes a core meanwhile, and pauses by itself while others want that core, or nothing comes. "
       "0: not at all. Default: 50, with one CPU 0.",
       0, 1000},
      {"shards", &Config::shards,
       "Among how many independent parts of the daemon the pools are divided, each with its own threads: worth it "
       "where "
       "several busy pools share a machine of many CPUs. A pool uses one of them. The room for outcomes is divided, "
       "too.",
       1, 64},
      {"allow_exec", &Config::allow_exec,
       "Whether pools may have the function exec: then whoever can reach a socket runs any program as poold's user."},
      {"allowed_environment", &Config::allowed_environment,
       "Variables that clients may set for the pools that they open although these are code: LD_*, PATH, PYTHON*, "
       "MALLOC_*, GCONV_PATH and their like are refused unless they stand here by name. Pools of this file may set "
       "any."},
  };
  return keys;
}

std::span<const Key<core::Limits>> LimitKeys() {
  using core::Limits;
  static const Key<Limits> keys[] = {
      {"max_payload_bytes", &Limits::max_payload_bytes, "The arguments or the result of one task.", 1},
      {"max_kept_outcome_bytes", &Limits::max_kept_outcome_bytes,
       "Outcomes that nobody released yet; whose part is full is held up, or loses the oldest.", 1},
      {"outcome_ttl_seconds", &Limits::outcome_ttl, "How long an outcome is kept when nobody releases it.", 1,
       kHundredYearsInSeconds},
      {"remembered_ids", &Limits::remembered_ids,
       "Ids of released tasks that are remembered, so that a repeated submission is not run again."},
      {"max_wait_seconds", &Limits::max_wait, "The longest wait of one call.", 1, kHundredYearsInSeconds},
      {"max_pools", &Limits::max_pools, "Pools at one time.", 1, 65'536},
      {"max_workers_per_pool", &Limits::max_workers_per_pool, "Worker processes of one pool.", 1, 65'536},
      {"output_tail_bytes", &Limits::output_tail_bytes,
       "How much of the end of a task's stdout, and of its stderr, its outcome keeps.", 0, 1 << 20},
      {"max_queued_tasks", &Limits::max_queued_tasks, "Tasks waiting in a pool that does not say.", 1},
      {"max_queued_bytes", &Limits::max_queued_bytes, "Bytes of arguments waiting in a pool that does not say.", 1},
      {"owner_grace_seconds", &Limits::owner_grace,
       "How long the owner of a pool may be without a session before it counts as gone.", 0, kHundredYearsInSeconds},
      {"start_timeout_seconds", &Limits::start_timeout,
       "How long a pool's modules may take to load, and a worker to get ready, in pools that do not say.", 1,
       kHundredYearsInSeconds},
      {"max_prefetch", &Limits::max_prefetch, "Tasks sent ahead to one worker.", 1, kMaxPrefetch},
  };
  return keys;
}

std::span<const Key<base::SpoolOptions>> SpoolKeys() {
  using base::SpoolOptions;
  static const Key<SpoolOptions> keys[] = {
      {"folder", &SpoolOptions::folder,
       "Where payloads lie that are too large for memory, in files without a name. Default: $TMPDIR, or /var/tmp."},
      {"max_bytes", &SpoolOptions::max_bytes, "Of all payloads on disk together; what does not fit is refused."},
      {"max_memory_bytes", &SpoolOptions::max_memory_bytes,
       "Of shared memory in which workers and clients hand over payloads; what does not fit goes to disk."},
      {"threshold_bytes", &SpoolOptions::threshold_bytes, "A payload that comes in pieces goes to disk above this.", 1},
      {"max_files", &SpoolOptions::max_files, "Payloads in files, at most: each costs a descriptor."},
  };
  return keys;
}

std::span<const Key<core::PoolSpec>> PoolKeys() {
  static const std::vector<Key<core::PoolSpec>> keys = [] {
    std::vector<Key<core::PoolSpec>> of_options;
    for (const auto& row : core::PoolFields()) {
      if (!row.option->key.empty()) of_options.push_back(KeyOf(row));
    }
    return of_options;
  }();
  return keys;
}

}  // namespace poold::config
