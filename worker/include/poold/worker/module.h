// The export of a task module: the C symbol `poold_module`. Including poold/worker.h defines it.
//
// Invariants: the first two fields never change, so that a module of another version is refused in words.
// Errors: a worker refuses a module with another magic, version, or layout of the standard library (START_FAILED).
#pragma once

#include <cstdint>

#include "poold/worker/current_task.h"
#include "poold/worker/registry.h"

#ifndef POOLD_MODULE_ABI_VERSION
// Raised with every change of the types that modules and worker programs hand to each other.
#define POOLD_MODULE_ABI_VERSION 3
#endif

namespace poold::worker {

// "pmod" in ASCII.
inline constexpr std::uint32_t kModuleMagic = 0x706d6f64;

// The exported symbol. Constant.
struct ModuleHeader {
  // kModuleMagic.
  std::uint32_t magic;
  // POOLD_MODULE_ABI_VERSION of the module's build.
  std::uint32_t abi_version;
  // sizeof(std::string) and sizeof(Function). Values are handed over as C++ objects, so both sides need the same
  // layout.
  std::uint32_t string_bytes;
  std::uint32_t function_bytes;
  // Lends the host to the module and returns the module's functions. `host` outlives the module.
  const Registry& (*open)(const Host* host);
};

// The implementation of ModuleHeader::open in this shared object.
[[gnu::visibility("hidden")]] inline const Registry& OpenLocalModule(const Host* host) {
  CurrentHost() = host;
  return Registry::Local();
}

}  // namespace poold::worker

// Weak, because several files of one module may define the symbol.
extern "C" [[gnu::weak, gnu::used, gnu::visibility("default")]] const poold::worker::ModuleHeader poold_module = {
    poold::worker::kModuleMagic, POOLD_MODULE_ABI_VERSION, sizeof(std::string), sizeof(poold::worker::Function),
    &poold::worker::OpenLocalModule};
