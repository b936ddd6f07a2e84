// A look inside the core, for the simulator's invariants, and the switch that plants faults.
#pragma once

#include "core/state.h"
#include "core/task/ending.h"

namespace poold::core {

class CoreTestPeer {
 public:
  explicit CoreTestPeer(Core* core) : core_(core) {}

  void Plant(const CoreFaults& faults) {
    core_->state_->faults = faults;
    core_->state_->tasks.PlantForgetUnbegun(faults.forget_unbegun);
    core_->state_->maps.PlantForgetTries(faults.forget_tries);
    core_->state_->endings.PlantDropAwaited(faults.drop_awaited);
    core_->state_->endings.kept().Plant(faults.outcomes);
    core_->state_->scheduler.Plant(faults.scheduler);
    core_->state_->staffing.Plant(faults.staffing);
  }
  const OutcomeRoom& room() const { return core_->state_->endings.kept().room(); }
  template <typename Visit>
  void ForEachClient(Visit&& visit) const {
    core_->state_->endings.kept().ForEachClient(visit);
  }
  std::uint64_t aside_bytes() const { return core_->state_->endings.kept().aside_bytes(); }
  static std::uint64_t KeptBytesOf(const Handle& handle) { return core::KeptBytesOf(handle); }
  static Nanos EndedAt(const Handle& handle) { return core::EndedAt(handle); }
  // The first invariant of a room that does not hold; empty if all do.
  std::string CheckRooms() const { return core_->state_->CheckRooms(); }
  // Transitions that were made.
  const Lives& lives() const { return core_->state_->lives; }
  const TaskLives& task_lives() const { return core_->state_->task_lives; }
  const MapLives& map_lives() const { return core_->state_->maps.maps(); }
  const ChunkLives& chunk_lives() const { return core_->state_->maps.chunks(); }
  // Plants a transition, whatever it is.
  void MovePool(const std::string& pool, PoolState to) {
    core_->state_->lives.Move(core_->state_->pools.FindOrNull(pool)->state, to);
  }
  std::uint64_t ended_handles() const { return core_->state_->store.ended(); }
  // That one event or slice has made so far, at most: see Steps.
  std::uint64_t most_steps() const { return core_->state_->steps.most(); }
  std::size_t tombstones() const { return core_->state_->store.ids().tombstones(); }

  // Null if its id is not known, or released.
  const Handle* Find(const HandleId& id) const { return core_->state_->store.Find(id); }
  template <typename Visit>
  void ForEachPool(Visit&& visit) const {
    for (const auto& [id, pool] : core_->state_->pools.all()) visit(*pool);
  }
  // Those that have maps are found as a walk over all pools finds them.
  bool MapsAreListed() const {
    const auto& state = *core_->state_;
    std::size_t with_maps = 0;
    for (const auto& [id, pool] : state.pools.all()) {
      with_maps += !pool->maps.empty() && state.store.with_maps().contains(id);
      if (!pool->maps.empty() && !state.store.with_maps().contains(id)) return false;
    }
    return with_maps == state.store.with_maps().size();
  }
  std::uint64_t live_pools() const { return core_->state_->pools.live(); }
  bool HasRoom(const Handle& handle) const { return core_->state_->scheduler.HasRoom(handle); }

  // What is left when nothing should be; empty if nothing is.
  std::string Leftovers() const {
    const auto& state = *core_->state_;
    std::string left;
    const auto note = [&left](const char* what, std::size_t count) {
      if (count > 0) left += std::string(what) + ": " + std::to_string(count) + "; ";
    };
    note("tasks", state.store.tasks());
    note("maps", state.store.maps());
    note("chunks", state.scheduler.chunks());
    note("groups", state.store.groups());
    note("subscribers", state.delivery.streams().size());
    note("subscribers by id", state.delivery.streams().known());
    note("waits", state.waits.size());
    note("watches", state.delivery.watches().size());
    note("workers", state.staffing.workers());
    std::size_t timers = state.timers.size();
    std::size_t clients = 0;
    state.endings.kept().ForEachClient([&](const ClientQuota& client) {
      timers -= client.kept_timer != kNoTimer;  // it may look for old outcomes
      clients += !client.present;
      note("kept", client.kept.size());
      note("lines that are held up", client.held.size());
      note("set aside", client.aside.size() + client.aside_bytes);
    });
    clients -= state.endings.kept().unused();
    note("timers", timers);
    note("clients", clients);
    note("kept bytes", state.endings.kept().room().used());
    note("kept above floors, or left", state.endings.kept().room().above() + state.endings.kept().room().left());
    note("set aside of what was left", state.endings.kept().aside_bytes());
    note("clients that are held up", state.endings.kept().held_up());
    note("handles that are no tombstones", state.store.ids().size() - state.store.ids().tombstones());
    return left;
  }

 private:
  Core* core_;
};

}  // namespace poold::core
