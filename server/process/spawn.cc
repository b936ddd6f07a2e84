#include "process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>

#include "base/descriptors.h"
#include "wire/unique_fd.h"

namespace poold::process {
namespace {

// Everything that posix_spawn wants freed.
struct Actions {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  Actions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

absl::Status Refused(const SpawnOptions& options, const char* what, int error) {
  const auto code = base::IsShortage(error) ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable;
  return absl::Status(code, "cannot start " + options.program + ": " + what + ": " + strerror(error));
}

void ResetSignals(posix_spawnattr_t* attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

// Sources are moved above the targets first, so that no dup2 overwrites one that is still needed.
absl::Status PlaceDescriptors(const SpawnOptions& options, std::vector<wire::UniqueFd>* sources, Actions* actions) {
  const int count = static_cast<int>(options.descriptors.size());
  for (int target = 0; target < count; ++target) {
    if (options.descriptors[target] < 0) {
      posix_spawn_file_actions_addopen(&actions->files, target, "/dev/null", O_RDWR, 0);
      continue;
    }
    wire::UniqueFd source(fcntl(options.descriptors[target], F_DUPFD_CLOEXEC, count));
    if (!source) return Refused(options, "duplicating a descriptor", errno);
    posix_spawn_file_actions_adddup2(&actions->files, source.get(), target);
    sources->push_back(std::move(source));
  }
  posix_spawn_file_actions_addclosefrom_np(&actions->files, count);
  return absl::OkStatus();
}

constexpr char kOfAll[] = "OMP_NUM_THREADS";
constexpr const char* kOfOne[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"};

}  // namespace

absl::StatusOr<pid_t> Spawn(const SpawnOptions& options) {
  Actions actions;
  std::vector<wire::UniqueFd> sources;
  const absl::Status placed = PlaceDescriptors(options, &sources, &actions);
  if (!placed.ok()) return placed;
  if (!options.working_directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions.files, options.working_directory.c_str());
  }
  ResetSignals(&actions.attributes);

  std::vector<std::string> settings;
  for (const auto& [name, value] : options.environment) settings.push_back(name + "=" + value);
  std::vector<char*> environment, arguments;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  std::vector<std::string> words{options.program};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  pid_t pid = 0;
  const int error = posix_spawn(&pid, options.program.c_str(), &actions.files, &actions.attributes, arguments.data(),
                                environment.data());
  if (error != 0) {
    return Refused(options, ("in the folder " + options.working_directory).c_str(), error);
  }
  return pid;
}

std::map<std::string, std::string> BaseEnvironment() {
  std::map<std::string, std::string> environment;
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
                           "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = getenv(name)) environment[name] = value;
  }
  return environment;
}

void DivideComputeThreads(std::uint32_t cpus, std::uint32_t workers, std::map<std::string, std::string>* environment) {
  const std::string threads = std::to_string(std::max(1u, cpus / std::max(1u, workers)));
  if (!environment->emplace(kOfAll, threads).second) return;
  for (const char* const name : kOfOne) environment->emplace(name, threads);
}

}  // namespace poold::process
