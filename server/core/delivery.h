// What is told of handles, to the streams that subscribed to them and to watchers, as it comes about.
//
// Role: who has subscribed to what, and the form in which it is sent. Non-role: changes no task and no map; calls that
// wait are in subscribe/waits.h.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/handles.h"
#include "core/pool.h"
#include "core/ports.h"
#include "core/subscribe/subscribers.h"
#include "core/subscribe/watches.h"

namespace poold::core {

class Delivery {
 public:
  // `tail_bytes`: what is kept of what a task writes. The port outlives it.
  Delivery(ClientPort* port, std::uint32_t tail_bytes) : port_(port), tail_bytes_(tail_bytes), watches_(port) {}

  // ---- Streams ----
  Subscribers& streams() { return streams_; }
  const Subscribers& streams() const { return streams_; }
  // The stream is told what there is, and what comes. One that has subscribed already will hear everything; if it asks
  // again when the handle has ended, it is told once more.
  void Subscribe(Handle& handle, Subscriber* stream, std::uint64_t first_index);
  // Outcomes of items came.
  void SendBlock(const MapRun& map, const ItemBlockPtr& block);
  // It has ended.
  void SendEnd(const Handle& handle);
  // It is forgotten. REQUIRES: it has ended.
  void HandleGone(Handle& handle);

  // ---- What runs ----
  // A task, or the present item of a chunk (else null), has written something.
  void Output(Handle& handle, Chunk* chunk, OutputStream stream, const Bytes& data);
  // `item`: of a map. A text that is too long is cut; a fraction that is none becomes -1.
  void Progress(Handle& handle, std::uint64_t item, double fraction, std::string text);

  // ---- Watchers ----
  Watches& watches() { return watches_; }
  const Watches& watches() const { return watches_; }
  // What is seen of it has changed.
  void Changed(const Handle& handle) const {
    if (!handle.group->pool->watchers.empty() || handle.extras != nullptr) TellWatchers(handle);
  }
  // They hear first what there is. `view`: of the pool.
  void WatchPool(Pool& pool, PoolView view, SubscriberId watcher, bool output);
  void WatchHandles(std::span<Handle* const> handles, SubscriberId watcher, bool output);

  // The stream or the watcher is gone.
  void Gone(SubscriberId id);

 private:
  static bool IsSubscribed(const Handle& handle, const Subscriber* stream);
  // Visits the id of each stream that hears of the handle. REQUIRES: it has extras.
  template <typename Visit>
  static void ForEachStream(const Handle& handle, Visit&& visit);
  void TellWhatThereIs(const Handle& handle, const Subscription& to);
  void SendBlock(const Subscription& to, const MapRun& map, const ItemBlockPtr& block);
  void SendEnd(SubscriberId to, const Task& task) const;
  void TellWatchers(const Handle& handle) const;
  void AppendTail(std::string& tail, std::string_view data) const;

  ClientPort* const port_;
  const std::uint32_t tail_bytes_;
  Subscribers streams_;
  Watches watches_;
};

}  // namespace poold::core
