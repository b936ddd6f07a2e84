// FunctionTable: all functions that a worker can run: the program's own and those of loaded modules.
//
// Threads: not thread-safe. Modules stay loaded for the life of the process.
// Errors: FAILED_PRECONDITION in words for the module's author, with the module's name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "poold/worker/current_task.h"
#include "poold/worker/registry.h"

namespace poold::worker {

class FunctionTable {
 public:
  // `host` is lent to modules and must outlive the table.
  explicit FunctionTable(const Host* host) : host_(host) {}

  // Adds the functions that the program itself registered.
  absl::Status AddProgram();
  // Loads a module and adds its functions. `path` is a file.
  absl::Status AddModule(const std::string& path);
  // Adds a function of poold itself.
  absl::Status AddBuiltIn(const Function& function);

  // All functions in the order of their registration; the place is the function's index in RUN.
  const std::vector<Function>& functions() const { return functions_; }
  // Null: there is none.
  const Function* Find(const std::string& name) const;

 private:
  absl::Status Add(const Function& function, const std::string& from);
  absl::Status AddAll(const Registry& registry, const std::string& from);

  const Host* const host_;
  std::vector<Function> functions_;
  // From a function's name to the program or module that registered it.
  std::map<std::string, std::string> from_;
};

}  // namespace poold::worker
