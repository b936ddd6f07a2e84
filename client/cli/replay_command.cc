#include "cli/replay_command.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/text/console.h"

namespace poold::cli {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

fs::path OurFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

absl::StatusOr<std::string> FindProgram(const ReplayPlan& plan, const ReplayOptions& options) {
  if (!options.program.empty()) {
    if (Exists(options.program)) return fs::absolute(options.program).string();
    return absl::NotFoundError(absl::StrCat("--program: there is no ", options.program));
  }
  if (!plan.spec.program().empty()) {
    return absl::NotFoundError(absl::StrCat("the pool ", plan.spec.name(), " has a worker program of its own, ",
                                            plan.spec.program(), "; --program says where it is here"));
  }
  const fs::path ours = OurFolder();
  for (const fs::path& path : {ours / "pool-worker", ours / "../libexec/poold/pool-worker"}) {
    if (Exists(path)) return path.lexically_normal().string();
  }
  return absl::NotFoundError(absl::StrCat("there is no pool-worker beside ", ours.string(), "; --program names it"));
}

absl::StatusOr<std::string> FindModule(const std::string& name, const ReplayOptions& options) {
  Words folders = options.module_folders;
  if (folders.empty()) folders.push_back((OurFolder() / "../lib/poold/modules").lexically_normal().string());
  for (const std::string& folder : folders) {
    const fs::path path = fs::path(folder) / (name + ".so");
    if (Exists(path)) return fs::absolute(path).string();
  }
  return absl::NotFoundError(absl::StrCat("the module ", name, " (", name, ".so) is not in ",
                                          absl::StrJoin(folders, " or "), "; --module-dir names another folder"));
}

// Where a process that inherits it reads these bytes.
absl::StatusOr<std::string> FileOf(const std::string& bytes, const char* name) {
  const int fd = memfd_create(name, 0);
  const auto size = static_cast<ssize_t>(bytes.size());
  if (fd < 0 || write(fd, bytes.data(), bytes.size()) != size || lseek(fd, 0, SEEK_SET) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no room for the arguments: ", std::strerror(errno)));
  }
  return absl::StrCat("/proc/self/fd/", fd);
}

const char* EncodingWord(v1::Encoding encoding) {
  switch (encoding) {
    case v1::ENCODING_PROTOBUF:
      return "protobuf";
    case v1::ENCODING_RAW:
      return "raw";
    default:
      return "msgpack";
  }
}

absl::Status AddPayload(const std::string& option, const std::string& encoding, const v1::Payload& payload,
                        Words& words) {
  if (payload.encoding() == v1::ENCODING_UNSPECIFIED) return absl::OkStatus();
  auto file = FileOf(payload.data(), "poold-arguments");
  if (!file.ok()) return file.status();
  words.insert(words.end(), {option, *file, encoding, EncodingWord(payload.encoding())});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Words> ReplayCommand(const ReplayPlan& plan, const ReplayOptions& options) {
  auto program = FindProgram(plan, options);
  if (!program.ok()) return program.status();
  Words words{*program, "--run", plan.function};
  for (const std::string& name : plan.spec.modules()) {
    auto path = FindModule(name, options);
    if (!path.ok()) return path.status();
    words.insert(words.end(), {"--module", *path});
  }
  for (const std::string& function : plan.spec.preload()) words.insert(words.end(), {"--preload", function});
  if (!plan.spec.initializer().empty()) {
    words.insert(words.end(), {"--initializer", plan.spec.initializer()});
    absl::Status added =
        AddPayload("--initializer-arguments", "--initializer-encoding", plan.spec.initializer_args(), words);
    if (!added.ok()) return added;
  }
  absl::Status added = AddPayload("--arguments", "--encoding", plan.arguments, words);
  if (!added.ok()) return added;
  if (!plan.arguments.type_name().empty()) words.insert(words.end(), {"--type-name", plan.arguments.type_name()});
  if (plan.spec.allow_exec()) words.emplace_back("--allow-exec");
  if (options.debugger) words.insert(words.begin(), {"gdb", "--args"});
  return words;
}

void PrintCommand(const Words& words) { Warn(absl::StrJoin(words, " ")); }

}  // namespace poold::cli
