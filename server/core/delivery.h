// News of handles to streams that subscribed to them and to watchers, as it comes about.
//
// Role: who has subscribed to what, and the form in which it is sent. Non-role: changes no task and no map; calls that
// wait are in subscribe/waits.h.
// Ownership: owns streams and watches, no handle; the port outlives it. Thread safety: none; used under the core's
// mutex.
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
  // `tail_bytes`: the most that is kept of each of a task's stdout and stderr. The port outlives it.
  Delivery(ClientPort* port, std::uint32_t tail_bytes) : port_(port), tail_bytes_(tail_bytes), watches_(port) {}

  // ---- Streams ----
  Subscribers& streams() { return streams_; }
  const Subscribers& streams() const { return streams_; }
  // Tells the stream what there is, and from then on what comes. A stream that has subscribed already will hear
  // everything; if it asks again when the handle has ended, it is told once more. `first_index`: of a map.
  void Subscribe(Handle& handle, Subscriber* stream, std::uint64_t first_index);
  // Sends outcomes of items that came just now to the streams of the map.
  void SendBlock(const MapRun& map, const ItemBlockPtr& block);
  // Sends the end of the handle to its streams and watchers. REQUIRES: it has ended just now.
  void SendEnd(const Handle& handle);
  // Gives up the handle's subscriptions. REQUIRES: it has ended.
  void HandleGone(Handle& handle);

  // ---- What runs ----
  // Adds what a task (`chunk` null) or the present item of a chunk has written to its tail, and sends it where asked
  // for.
  void Output(Handle& handle, Chunk* chunk, OutputStream stream, const Bytes& data);
  // Notes and sends a report. `item`: of a map. A text that is too long is cut; a fraction that is none becomes -1.
  void Progress(Handle& handle, std::uint64_t item, double fraction, std::string text);

  // ---- Watchers ----
  Watches& watches() { return watches_; }
  const Watches& watches() const { return watches_; }
  // Tells watchers that what they see of the handle has changed.
  void Changed(const Handle& handle) const {
    if (!handle.group->pool->watchers.empty() || handle.extras != nullptr) TellWatchers(handle);
  }
  // Both send first what there is. `view`: of the pool. A pool that has ended, or handles that all have, end the watch
  // at once.
  void WatchPool(Pool& pool, PoolView view, SubscriberId watcher, bool output);
  void WatchHandles(std::span<Handle* const> handles, SubscriberId watcher, bool output);

  // The stream or the watcher with this id is gone; nothing is sent to it any more.
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
