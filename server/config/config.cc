#include "config/config.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "config/folders.h"
#include "config/keys.h"
#include "wire/absl_text.h"

namespace poold::config {
namespace {

constexpr std::string_view kDefaultPool = "default";
constexpr std::string_view kDefaultModules[] = {"examples"};
constexpr std::size_t kMaxPoolName = 64;

std::string Normal(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

std::string FindWorkerProgram(const std::string& bin_folder) {
  const std::string candidates[] = {bin_folder + "/pool-worker", bin_folder + "/../libexec/poold/pool-worker"};
  for (const std::string& path : candidates) {
    if (::access(path.c_str(), X_OK) == 0) return Normal(path);
  }
  return "";
}

// Of the default pool: what of these is installed.
std::vector<std::string> DefaultModules(const Config& config) {
  const std::vector<std::string> there = Folders(config.module_folders, {}, "").ModuleNames();
  std::vector<std::string> modules;
  for (const std::string_view name : kDefaultModules) {
    if (std::find(there.begin(), there.end(), name) != there.end()) modules.emplace_back(name);
  }
  return modules;
}

bool IsPoolName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxPoolName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// Its form, and that what it names is there: its paths are found now.
absl::Status CheckPool(const Config& config, const Folders& folders, core::PoolSpec& pool) {
  const std::string key = "pools." + pool.name;
  if (!IsPoolName(pool.name)) {
    return absl::InvalidArgumentError(key + ": a pool's name is 1 to 64 letters, digits, '-', '_' or '.'");
  }
  if (pool.workers > config.limits.max_workers_per_pool) {
    return absl::InvalidArgumentError(key + ".workers: " + std::to_string(pool.workers) +
                                      " is above limits.max_workers_per_pool (" +
                                      std::to_string(config.limits.max_workers_per_pool) + ")");
  }
  if (pool.spares > 0 && pool.start_method != core::StartMethod::kFresh) {
    return absl::InvalidArgumentError(key + ".spares: only a pool with start_method = \"fresh\" keeps spares");
  }
  if (pool.spares > config.limits.max_workers_per_pool) {
    return absl::InvalidArgumentError(key + ".spares: " + std::to_string(pool.spares) +
                                      " is above limits.max_workers_per_pool (" +
                                      std::to_string(config.limits.max_workers_per_pool) + ")");
  }
  if (pool.allow_exec && !config.allow_exec) {
    return absl::InvalidArgumentError(key +
                                      ".allow_exec: set allow_exec = true for the daemon too, if whoever can "
                                      "reach it may run any program as its user");
  }
  if (!pool.working_directory.starts_with('/')) {
    return absl::InvalidArgumentError(key + ".working_directory: '" + pool.working_directory +
                                      "' is not an absolute path");
  }
  const absl::Status status = folders.Resolve(&pool);
  if (!status.ok()) return absl::InvalidArgumentError(key + ": " + std::string(wire::ToStd(status.message())));
  return absl::OkStatus();
}

absl::Status CheckFolders(std::string_view key, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (!folder.starts_with('/')) {
      return absl::InvalidArgumentError(std::string(key) + ": '" + folder + "' is not an absolute path");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSpool(const base::SpoolOptions& spool) {
  if (!spool.folder.starts_with('/')) {
    return absl::InvalidArgumentError("spool.folder: '" + spool.folder + "' is not an absolute path");
  }
  return base::Spool(spool).Check();
}

absl::Status Check(Config& config) {
  if (::access(config.worker_program.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError(
        config.worker_program.empty()
            ? "worker_program: pool-worker is neither beside poold nor in ../libexec/poold; name it"
            : "worker_program: '" + config.worker_program + "' is not an executable program");
  }
  absl::Status status = CheckFolders("module_folders", config.module_folders);
  if (status.ok()) status = CheckFolders("program_folders", config.program_folders);
  if (status.ok()) status = CheckSpool(config.spool);
  if (status.ok() && config.pools.size() > config.limits.max_pools) {
    status = absl::InvalidArgumentError("pools: there are more than limits.max_pools (" +
                                        std::to_string(config.limits.max_pools) + ")");
  }
  const Folders folders(config.module_folders, config.program_folders, config.worker_program);
  for (core::PoolSpec& pool : config.pools) {
    if (status.ok()) status = CheckPool(config, folders, pool);
  }
  return status;
}

}  // namespace

Config DefaultConfig(const Surroundings& surroundings) {
  Config config;
  config.module_folders = {Normal(surroundings.bin_folder + "/../lib/poold/modules")};
  config.program_folders = {Normal(surroundings.bin_folder + "/../lib/poold/programs")};
  config.default_workers = std::max(1u, surroundings.cpus);
  config.spin_us = surroundings.cpus > 1 ? 50 : 0;
  config.spool.folder = surroundings.spool_folder;
  return config;
}

core::PoolSpec NewPool(std::string name) {
  core::PoolSpec pool;
  pool.name = std::move(name);
  pool.workers = 0;
  pool.spares = kOpen;
  return pool;
}

absl::Status Finish(const Surroundings& surroundings, Config* config) {
  if (config->listen.empty()) config->listen = {surroundings.default_address};
  if (config->worker_program.empty()) config->worker_program = FindWorkerProgram(surroundings.bin_folder);
  if (!config->pools_named) config->pools = {NewPool(std::string(kDefaultPool))};
  for (core::PoolSpec& pool : config->pools) {
    if (pool.workers == 0) pool.workers = std::min(config->default_workers, config->limits.max_workers_per_pool);
    if (pool.spares == kOpen) pool.spares = pool.start_method == core::StartMethod::kFresh ? pool.workers : 0;
    if (pool.name == kDefaultPool && !config->default_modules_named) pool.modules = DefaultModules(*config);
  }
  return Check(*config);
}

}  // namespace poold::config
