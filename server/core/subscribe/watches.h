// Watchers: streams of events about a pool and everything in it, or about a few handles.
//
// Role: who watches what, and the end of a watch. A watch of handles ends with the last of them, a watch of a pool with
// the pool. Non-role: makes no event; its callers do.
// Invariants (Check): a watch of handles has handles, and each of these knows its watcher.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "core/ports.h"
#include "core/types.h"

namespace poold::core {

// Those that watch one handle.
class HandleWatchers {
 public:
  bool empty() const { return all_.empty(); }

 private:
  friend class Watches;
  std::vector<SubscriberId> all_;
};

// Those that watch one pool and everything in it.
class PoolWatchers {
 public:
  bool empty() const { return all_.empty(); }

 private:
  friend class Watches;
  struct Watcher {
    SubscriberId id = kNobody;
    bool output = false;  // also what tasks write
  };
  std::vector<Watcher> all_;
};

class Watches {
 public:
  using MakeEvent = absl::FunctionRef<WatchEvent()>;

  explicit Watches(ClientPort* port) : port_(port) {}

  // `output`: also what tasks write. The pool and the handles stay where they are until their end was told here.
  void WatchPool(PoolWatchers& pool, SubscriberId watcher, bool output);
  // Of handles that have not ended. Of none: the watch ends at once.
  void WatchHandles(std::vector<HandleWatchers*> handles, SubscriberId watcher, bool output);

  // `event` is called once for each watcher. `handle`: null if it has no watchers of its own.
  void Tell(const PoolWatchers& pool, const HandleWatchers* handle, MakeEvent event) const;
  // To those that asked for output.
  void TellOutput(const PoolWatchers& pool, const HandleWatchers& handle, const OutputEvent& output) const;

  // Whatever was to be told of it was told.
  void HandleEnded(HandleWatchers& handle);
  void PoolEnded(PoolWatchers& pool);
  void WatcherGone(SubscriberId watcher);

  std::size_t size() const { return of_handles_.size() + of_pools_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  struct HandleWatch {
    std::vector<HandleWatchers*> handles;  // that have not ended
    bool output = false;
  };

  ClientPort* const port_;
  absl::flat_hash_map<SubscriberId, HandleWatch> of_handles_;
  absl::flat_hash_map<SubscriberId, PoolWatchers*> of_pools_;
};

}  // namespace poold::core
