// The objects of one watch: handles, which may lie in several cores, or a pool and everything in it.
//
// Role: subscribes the watcher in each core, and tells the states of what is watched anew, a page at a time.
// Used by one thread. Ownership: the engine must outlive it.
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
  // `pool` empty: the handles.
  Watched(const Engine& engine, std::span<const core::HandleId> ids, std::string pool);

  // From how many cores Subscriber::OnEndWatch is to come.
  std::size_t cores() const { return groups_.size(); }
  // Events come to the watcher from now on, with what tasks write if `output`. After an error some cores may be
  // subscribed, which `out` names.
  absl::Status Subscribe(const std::shared_ptr<Subscriber>& watcher, bool output, Subscription* out) const;

  // The states are told from the first one on.
  void Restart() { group_ = next_ = 0; }
  // Tells the next page. `add` is called inside an event, so that the states come in their order among the events.
  // True: there are more.
  using Add = absl::FunctionRef<void(core::WatchEvent)>;
  bool AddStates(Add add);

 private:
  void AddHandles(const core::Core& core, Add add);
  void AddPool(const core::Core& core, Add add);
  void NextGroup() { ++group_, next_ = 0; }

  const std::string pool_;
  const std::vector<HandleGroup> groups_;
  std::size_t group_ = 0;
  std::uint64_t next_ = 0;  // where to go on in this group
};

}  // namespace poold::engine
