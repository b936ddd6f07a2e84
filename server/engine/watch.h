// Watched: the objects of one watch: handles, which may lie in several cores, or a pool and all its tasks and maps.
//
// Role: subscribes the watcher in each core, and tells the states of the watched objects anew, a page at a time.
// Threads: one uses it. Ownership: the engine must outlive it. Errors: those of the cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/core.h"
#include "engine/engine.h"

namespace poold::engine {

class Watched {
 public:
  // With an empty `pool` the handles `ids` are watched, else the pool.
  Watched(const Engine& engine, std::span<const core::HandleId> ids, std::string pool);

  // The number of cores from which Subscriber::OnEndWatch will come.
  std::size_t cores() const { return groups_.size(); }
  // Subscribes the watcher to events, with `output` also to the output of tasks. After an error some cores may be
  // subscribed, which `out` names.
  absl::Status Subscribe(const std::shared_ptr<Subscriber>& watcher, bool output, Subscription* out) const;

  // Makes AddStates begin with the first state.
  void Restart() { group_ = next_ = 0; }
  // Passes the next page of states to `add`, inside an event, so that states and events come in order. True: there are
  // more pages.
  using Add = absl::FunctionRef<void(core::WatchEvent)>;
  bool AddStates(Add add);

 private:
  void AddHandles(const core::Core& core, Add add);
  void AddPool(const core::Core& core, Add add);
  void NextGroup() { ++group_, next_ = 0; }

  const std::string pool_;
  const std::vector<HandleGroup> groups_;
  std::size_t group_ = 0;
  // The place in this group at which the next page begins.
  std::uint64_t next_ = 0;
};

}  // namespace poold::engine
