// WatchQueue: the events that wait for one watcher.
//
// Role: keeps every state of a task in order. Of a map, of a pool and of a task's progress only the latest state waits.
// Output waits
//   as long as it fits; then the watcher is told of the gap.
// Bounds: when the quota of all watchers is used up, a watcher that has more than kOwnBytes loses all its events: a
// resync tells how
//   many, and the states are told anew.
// Threads: thread-safe. Ownership: shares the quota.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/quota.h"
#include "core/ports.h"
#include "engine/client_names.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

class WatchQueue {
 public:
  // The bytes that count for each waiting event, beside its texts.
  static constexpr std::uint64_t kEventBytes = 1024;
  // The bytes that may wait for each watcher, however many wait for the others.
  static constexpr std::uint64_t kOwnBytes = 256 * kEventBytes;

  // `clock` and `names` must outlive it. `room`: the quota of all watchers, in bytes.
  WatchQueue(std::size_t max_output_bytes, std::shared_ptr<base::Quota> room, const base::Clock& clock,
             const engine::ClientNames& names)
      : max_output_bytes_(max_output_bytes), clock_(clock), names_(names), room_(std::move(room)) {}

  // Adds an event. Called inside an event of the core.
  void Add(core::WatchEvent event);
  // Tells that nothing more will be added but states that are told anew.
  void End();
  // Destroys what was lost, and gives its room back. Not called inside an event of the core.
  void DropLost();
  // Takes the next event. False: there is none now. After a resync the caller adds all states anew.
  bool Next(v1::WatchResponse* message);
  // Whether End was called and nothing waits.
  bool over() const;

 private:
  struct DroppedOutput {
    std::uint64_t bytes = 0;
  };
  struct Entry {
    core::Nanos at = 0;
    std::variant<core::TaskView, core::MapView, core::PoolView, core::OutputEvent, core::ProgressEvent, DroppedOutput>
        what;
    std::uint64_t cost = 0;
    // The length of a result, whose bytes are not kept.
    std::uint64_t result_bytes = 0;
  };
  using Place = std::list<Entry>::iterator;

  void AddOutput(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Adds an entry at the end. False: there is no room, and everything was lost.
  bool Append(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Adds an entry and removes the one with the same key that waits.
  template <typename Key>
  void Replace(absl::flat_hash_map<Key, Place>* latest, const Key& key, Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Count(std::uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remove(Place place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(Place place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LoseAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write(const Entry& entry, v1::WatchResponse* message) const;

  const std::size_t max_output_bytes_;
  const base::Clock& clock_;
  const engine::ClientNames& names_;
  mutable absl::Mutex mu_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::list<Entry> lost_entries_ ABSL_GUARDED_BY(mu_);  // until DropLost
  std::uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;        // of both
  std::uint64_t lost_bytes_ ABSL_GUARDED_BY(mu_) = 0;   // of what was lost
  base::Reservation room_ ABSL_GUARDED_BY(mu_);         // for the bytes above kOwnBytes
  std::size_t output_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // Events that were dropped since the last resync. While there are some nothing waits, and new events are dropped,
  // too.
  std::uint64_t lost_ ABSL_GUARDED_BY(mu_) = 0;
  // The waiting entry of each map, task and pool.
  absl::flat_hash_map<core::HandleId, Place> maps_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<core::HandleId, Place> progress_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Place> pools_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::api
