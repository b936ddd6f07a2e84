#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "poold/v1/pool.pb.h"

// What the kernel limits for a process, as the command line says it: "open-files=64", "address-space=2G", "cpu=10s".
namespace poold::cli {

struct NamedLimit {
  std::string kind;
  uint64_t value = 0;
};

// InvalidArgument names the kinds.
absl::StatusOr<NamedLimit> ResourceLimitFromText(const std::string& text);

// REQUIRES: a kind that ResourceLimitFromText gave.
v1::ResourceKind ResourceKindOf(const std::string& name);

// "address-space, cpu, ...".
std::string ResourceKindList();

}  // namespace poold::cli
