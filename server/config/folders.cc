#include "config/folders.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/names.h"
#include "core/errors.h"

namespace poold::config {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kModuleSuffix = ".so";

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

std::string Join(const std::vector<std::string>& folders) {
  std::string out;
  for (const std::string& folder : folders) out += (out.empty() ? "" : ", ") + folder;
  return out.empty() ? "none is configured" : out;
}

// The first folder's file of that name, or "".
std::string FindIn(const std::vector<std::string>& folders, const std::string& file, int access_mode) {
  for (const std::string& folder : folders) {
    std::error_code error;
    const fs::path path = fs::path(folder) / file;
    if (fs::is_regular_file(path, error) && ::access(path.c_str(), access_mode) == 0) return path.string();
  }
  return "";
}

// Names of the files in `folders` that end in `suffix`, without it.
std::vector<std::string> NamesIn(const std::vector<std::string>& folders, std::string_view suffix) {
  std::vector<std::string> names;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (file.ends_with(suffix)) names.push_back(file.substr(0, file.size() - suffix.size()));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::Status NotAName(std::string_view what, const std::string& name, std::string_view field) {
  return core::MakeError(reason::kInvalidField,
                         std::string(what) + " '" + name + "' is not a plain name: the daemon looks for it in the " +
                             "folders of its configuration, a path is refused",
                         field);
}

}  // namespace

Folders::Folders(std::vector<std::string> module_folders, std::vector<std::string> program_folders,
                 std::string worker_program)
    : module_folders_(std::move(module_folders)),
      program_folders_(std::move(program_folders)),
      worker_program_(std::move(worker_program)) {}

absl::Status Folders::Resolve(core::PoolSpec* spec) const {
  std::vector<std::string> paths;
  for (const std::string& name : spec->modules) {
    absl::StatusOr<std::string> path = FindModule(name);
    if (!path.ok()) return path.status();
    paths.push_back(*std::move(path));
  }
  absl::StatusOr<std::string> program = FindProgram(spec->program);
  if (!program.ok()) return program.status();
  spec->module_paths = std::move(paths);
  spec->program_path = *std::move(program);
  return absl::OkStatus();
}

std::vector<std::string> Folders::ModuleNames() const { return NamesIn(module_folders_, kModuleSuffix); }

absl::StatusOr<std::string> Folders::FindModule(const std::string& name) const {
  if (!IsPlainName(name)) return NotAName("module", name, "modules");
  std::string path = FindIn(module_folders_, name + std::string(kModuleSuffix), R_OK);
  if (!path.empty()) return path;
  return core::MakeError(reason::kModuleNotFound,
                         "module '" + name + "' (" + name + std::string(kModuleSuffix) +
                             ") is not in the module folders (" + Join(module_folders_) + ")" +
                             base::DidYouMean(name, ModuleNames()),
                         name);
}

absl::StatusOr<std::string> Folders::FindProgram(const std::string& name) const {
  if (name.empty()) return worker_program_;
  if (!IsPlainName(name)) return NotAName("worker program", name, "program");
  std::string path = FindIn(program_folders_, name, X_OK);
  if (!path.empty()) return path;
  return core::MakeError(reason::kProgramNotFound,
                         "worker program '" + name + "' is not in the program folders (" + Join(program_folders_) +
                             ")" + base::DidYouMean(name, NamesIn(program_folders_, "")),
                         name);
}

}  // namespace poold::config
