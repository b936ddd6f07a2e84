// Limits of a process in words of the command line: "open-files=64", "address-space=2G", "cpu=10s".
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "poold/v1/pool.pb.h"

namespace poold::cli {

// A limit in the unit of its kind: bytes, seconds or a count.
struct NamedLimit {
  std::string kind;
  uint64_t value = 0;
};

// INVALID_ARGUMENT names the kinds, or the value that is wanted.
absl::StatusOr<NamedLimit> ResourceLimitFromText(const std::string& text);

// REQUIRES: ResourceLimitFromText gave the name.
v1::ResourceKind ResourceKindOf(const std::string& name);

// "address-space, cpu, ...".
std::string ResourceKindList();

}  // namespace poold::cli
