// ClientNames: the names that clients give themselves, so that lists show a name in place of a number.
//
// Bounds: of more than kMaxNames clients, the one whose name was learnt longest ago is forgotten, and shown by its
// number. Threads: thread-safe, by a mutex of its own.
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

  // Remembers a client's name. An empty name is ignored; a long one is cut; bytes that are not printable become '?'.
  void Learn(core::ClientId client, std::string_view name);
  // The client's name, else its number as 16 hexadecimal digits; "" for the client zero, which is nobody.
  std::string Shown(core::ClientId client) const;
  // All clients that Shown shows so.
  std::vector<core::ClientId> WithName(std::string_view shown) const;

 private:
  struct Known {
    core::ClientId client;
    std::string name;
  };

  mutable absl::Mutex mu_;
  // In the order of learning, the last one in front.
  std::list<Known> known_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<core::ClientId, std::list<Known>::iterator> places_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::engine
