// All functions that a worker can run: the program's own and those of the modules that were loaded.
//
// Not thread-safe. Modules stay loaded for the life of the process.
// Errors: in words for whoever wrote the module, naming it.
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
  // Functions of the program itself. `host` is lent to modules and must outlive the table.
  explicit FunctionTable(const Host* host) : host_(host) {}

  // What the program itself has registered.
  absl::Status AddProgram();
  // Loads the file and adds what it registers. The error names the module and says what is wrong with it.
  absl::Status AddModule(const std::string& path);
  // A function that poold itself brings.
  absl::Status AddBuiltIn(const Function& function);

  // In order of registration: a place in it is a function's index in RUN.
  const std::vector<Function>& functions() const { return functions_; }
  // Null if there is none.
  const Function* Find(const std::string& name) const;

 private:
  absl::Status Add(const Function& function, const std::string& from);
  absl::Status AddAll(const Registry& registry, const std::string& from);

  const Host* const host_;
  std::vector<Function> functions_;
  std::map<std::string, std::string> from_;  // name -> who registered it
};

}  // namespace poold::worker
