// What a task module exports: one C symbol, `poold_module`. Including poold/worker.h defines it.
//
// The first two fields never change, so that a module of another version is refused in words.
#pragma once

#include <cstdint>

#include "poold/worker/current_task.h"
#include "poold/worker/registry.h"

// Raised with every change of what modules and worker programs hand each other.
#ifndef POOLD_MODULE_ABI_VERSION
#define POOLD_MODULE_ABI_VERSION 3
#endif

namespace poold::worker {

inline constexpr std::uint32_t kModuleMagic = 0x706d6f64;  // "pmod"

struct ModuleHeader {
  std::uint32_t magic;
  std::uint32_t abi_version;
  // Values are handed over as C++ objects: the standard library must be laid out the same way.
  std::uint32_t string_bytes;
  std::uint32_t function_bytes;
  // Lends it the host, and asks for its functions.
  const Registry& (*open)(const Host* host);
};

[[gnu::visibility("hidden")]] inline const Registry& OpenLocalModule(const Host* host) {
  CurrentHost() = host;
  return Registry::Local();
}

}  // namespace poold::worker

// Weak: several files of one module may define it.
extern "C" [[gnu::weak, gnu::used, gnu::visibility("default")]] const poold::worker::ModuleHeader poold_module = {
    poold::worker::kModuleMagic, POOLD_MODULE_ABI_VERSION, sizeof(std::string), sizeof(poold::worker::Function),
    &poold::worker::OpenLocalModule};
