// The names that clients give themselves, so that lists show a name in place of a number.
//
// Bounded: of more than kMaxNames clients the one that was heard of longest ago is forgotten, and shown by its number.
// Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "core/types.h"

namespace poold::engine {

class ClientNames {
 public:
  static constexpr std::size_t kMaxNames = 4096;
  static constexpr std::size_t kMaxNameBytes = 64;

  // An empty name says nothing. A long one is cut, and what is not printable becomes '?'.
  void Learn(core::ClientId client, std::string_view name);
  // The name that it gave, else 16 hexadecimal digits; of the client zero, that is nobody, nothing.
  std::string Shown(core::ClientId client) const;
  // Everybody that is shown so.
  std::vector<core::ClientId> WithName(std::string_view shown) const;

 private:
  struct Known {
    core::ClientId client;
    std::string name;
  };

  mutable absl::Mutex mu_;
  // The one that was heard of last is in front.
  std::list<Known> known_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<core::ClientId, std::list<Known>::iterator> places_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::engine
