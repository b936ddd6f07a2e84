// Folders: resolves names of modules and worker programs, which clients send, into paths; nothing else does.
//
// Threads: thread-safe: constant after construction. Every call looks at the disk, so that a module that was just
//   installed is found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/types.h"

namespace poold::config {

class Folders {
 public:
  // `worker_program`: the path of the program that loads modules.
  Folders(std::vector<std::string> module_folders, std::vector<std::string> program_folders,
          std::string worker_program);

  // Fills module_paths and program_path from modules and program.
  // Errors, by core::MakeError: INVALID_ARGUMENT (INVALID_FIELD): a path in place of a name; NOT_FOUND
  //   (MODULE_NOT_FOUND, PROGRAM_NOT_FOUND) with the name, the folders, and the nearest name that exists.
  absl::Status Resolve(core::PoolSpec* spec) const;

  // The names of the modules in the folders.
  std::vector<std::string> ModuleNames() const;

 private:
  absl::StatusOr<std::string> FindModule(const std::string& name) const;
  absl::StatusOr<std::string> FindProgram(const std::string& name) const;

  const std::vector<std::string> module_folders_;
  const std::vector<std::string> program_folders_;
  const std::string worker_program_;
};

}  // namespace poold::config
