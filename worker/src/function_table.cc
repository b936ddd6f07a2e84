#include "function_table.h"

#include <dlfcn.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "poold/worker/module.h"
#include "wire/readable.h"

namespace poold::worker {
namespace {

constexpr std::size_t kMaxNameBytes = 256;

absl::Status CheckHeader(const std::string& path, const ModuleHeader& header) {
  if (header.magic != kModuleMagic) {
    return absl::FailedPreconditionError(absl::StrCat("module ", path, ": its symbol poold_module is something else"));
  }
  if (header.abi_version != POOLD_MODULE_ABI_VERSION) {
    return absl::FailedPreconditionError(absl::StrCat("module ", path, " has ABI version ", header.abi_version,
                                                      ", this worker program has ", POOLD_MODULE_ABI_VERSION,
                                                      ": rebuild it against this version of poold"));
  }
  if (header.string_bytes != sizeof(std::string) || header.function_bytes != sizeof(Function)) {
    return absl::FailedPreconditionError(
        absl::StrCat("module ", path, " was built with another C++ standard library than this worker program"));
  }
  return absl::OkStatus();
}

// As the daemon wants the names that tasks are submitted with.
bool CanBeCalled(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return name.size() <= kMaxNameBytes && wire::IsReadable(name) && std::none_of(name.begin(), name.end(), is_control);
}

}  // namespace

absl::Status FunctionTable::AddProgram() {
  CurrentHost() = host_;
  return AddAll(Registry::Local(), "this program");
}

absl::Status FunctionTable::AddModule(const std::string& path) {
  void* const module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    const char* const why = dlerror();
    return absl::FailedPreconditionError(
        absl::StrCat("cannot load module ", path, ": ", why == nullptr ? "unknown reason" : why));
  }
  const auto* const header = static_cast<const ModuleHeader*>(dlsym(module, "poold_module"));
  if (header == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "module ", path, " is no task module: it has no symbol poold_module (build it with poold_add_module)"));
  }
  if (absl::Status checked = CheckHeader(path, *header); !checked.ok()) return checked;
  return AddAll(header->open(host_), absl::StrCat("module ", path));
}

absl::Status FunctionTable::AddBuiltIn(const Function& function) { return Add(function, "poold itself"); }

absl::Status FunctionTable::AddAll(const Registry& registry, const std::string& from) {
  absl::Status added;
  for (const Function& function : registry.functions()) {
    if (added.ok()) added = Add(function, from);
  }
  return added;
}

absl::Status FunctionTable::Add(const Function& function, const std::string& from) {
  if (function.name.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(from, " registers a function without a name"));
  }
  if (!CanBeCalled(function.name)) {
    return absl::FailedPreconditionError(absl::StrCat(
        from, " registers a function whose name nobody can call: '", wire::ReadableStart(function.name, kMaxNameBytes),
        "' is not 1 to ", kMaxNameBytes, " bytes of UTF-8 without control characters"));
  }
  const auto [found, added] = from_.emplace(function.name, from);
  if (!added) {
    return absl::FailedPreconditionError(absl::StrCat("function '", function.name, "' is registered twice: by ",
                                                      found->second, " and by ",
                                                      found->second == from ? "the same again" : from));
  }
  functions_.push_back(function);
  return absl::OkStatus();
}

const Function* FunctionTable::Find(const std::string& name) const {
  for (const Function& function : functions_) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

}  // namespace poold::worker
