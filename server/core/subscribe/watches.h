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

// The watchers of one handle. Stays where it is until HandleEnded.
class HandleWatchers {
 public:
  bool empty() const { return all_.empty(); }

 private:
  friend class Watches;
  std::vector<SubscriberId> all_;
};

// The watchers of one pool and everything in it. Stays where it is until PoolEnded.
class PoolWatchers {
 public:
  bool empty() const { return all_.empty(); }

 private:
  friend class Watches;
  struct Watcher {
    SubscriberId id = kNobody;
    // The watcher also gets what tasks write.
    bool output = false;
  };
  std::vector<Watcher> all_;
};

class Watches {
 public:
  using MakeEvent = absl::FunctionRef<WatchEvent()>;

  explicit Watches(ClientPort* port) : port_(port) {}

  // `output`: also what tasks write. The pool and the handles stay where they are until their end was told here.
  void WatchPool(PoolWatchers& pool, SubscriberId watcher, bool output);
  // A watch of handles that have not ended. Of none: the watch ends at once.
  void WatchHandles(std::vector<HandleWatchers*> handles, SubscriberId watcher, bool output);

  // `event` is called once for each watcher. `handle`: null if it has no watchers of its own.
  void Tell(const PoolWatchers& pool, const HandleWatchers* handle, MakeEvent event) const;
  // As Tell, to those watchers that asked for output.
  void TellOutput(const PoolWatchers& pool, const HandleWatchers& handle, const OutputEvent& output) const;

  // REQUIRES: everything that was to be told of the handle was told. Ends the watches that have no other handle.
  void HandleEnded(HandleWatchers& handle);
  // Ends all watches of the pool. REQUIRES as above.
  void PoolEnded(PoolWatchers& pool);
  // Forgets the watcher; nothing happens if it is not known.
  void WatcherGone(SubscriberId watcher);

  std::size_t size() const { return of_handles_.size() + of_pools_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  struct HandleWatch {
    // Those of the watched handles that have not ended.
    std::vector<HandleWatchers*> handles;
    bool output = false;
  };

  ClientPort* const port_;
  absl::flat_hash_map<SubscriberId, HandleWatch> of_handles_;
  absl::flat_hash_map<SubscriberId, PoolWatchers*> of_pools_;
};

}  // namespace poold::core
