// What waits for one watcher.
//
// Role: keeps every state in order; of maps, of pools, and of what each task says of its progress only the latest; of
// output so much as fits, and tells the gap. Beyond kMaxExactStates waiting states, only the latest one of each handle
// is kept: its end is never lost. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/ports.h"
#include "poold/v1/pool_service.pb.h"
#include "rpc/client_names.h"

namespace poold::rpc {

class WatchQueue {
 public:
  static constexpr std::size_t kMaxExactStates = 65'536;

  // `clock` and `names` must outlive it.
  WatchQueue(std::size_t max_output_bytes, const base::Clock& clock, const ClientNames& names)
      : max_output_bytes_(max_output_bytes), clock_(clock), names_(names) {}

  void Add(core::WatchEvent event);
  // Nothing more will be added.
  void End();
  // The next event. False: there is none now.
  bool Next(v1::WatchResponse* message);
  // Ended, and nothing waits.
  bool over() const;

 private:
  struct DroppedOutput {
    std::uint64_t bytes = 0;
  };
  struct Entry {
    core::Nanos at = 0;
    std::variant<core::TaskView, core::MapView, core::PoolView, core::OutputEvent, core::ProgressEvent, DroppedOutput>
        what;
  };
  using Place = std::list<Entry>::iterator;

  void AddOutput(core::Nanos now, core::OutputEvent output) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(Place place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::size_t max_output_bytes_;
  const base::Clock& clock_;
  const ClientNames& names_;
  mutable absl::Mutex mu_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::size_t output_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // The latest of each that waits.
  absl::flat_hash_map<core::HandleId, Place> handles_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<core::HandleId, Place> progress_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Place> pools_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::rpc
