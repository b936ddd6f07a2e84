// The table of tasks and maps: which ids are known, what is in memory for them, and which of them have not ended.
//
// Role: makes, finds and forgets handles and their groups; counts what has not ended against Limits::max_task_bytes.
// Non-role: decides nothing of a handle; moves no life.
// Ownership: owns tasks, maps and groups. References stay good until Free and DropGroup.
// Invariants (Check): Pool::maps are the maps of the pool that have not ended, and pools that have some are listed;
// what has not ended is in memory. Thread safety: none; used under the core's mutex.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/errors.h"
#include "core/handles.h"
#include "core/pool.h"
#include "core/slab.h"
#include "core/task/handle_list.h"
#include "core/task/handle_table.h"

namespace poold::core {

// Counted for each block of neighbouring ids: who scatters the ids of his tasks has one for each.
inline constexpr std::uint64_t kIdBlockBytes = 176;
// After which a submission that found no room comes again.
inline constexpr Nanos kQueueFullRetry = 100 * kMillisecond;

class HandleStore {
 public:
  // The limits: as in Limits. `random`: for ids that the daemon chooses; outlives it.
  HandleStore(std::uint64_t remembered_ids, std::uint64_t max_task_bytes, std::mt19937_64* random)
      : max_task_bytes_(max_task_bytes), random_(*random), ids_(remembered_ids) {}

  // ---- Ids ----
  // An id that nobody has used.
  HandleId NewId();
  // The handle; null: not known, or released. `*known`: the id is one of them, or a tombstone.
  Handle* Find(const HandleId& id) const { return ids_.Find(id); }
  Handle* Find(const HandleId& id, bool* known) const { return ids_.Find(id, known); }
  // The handle, or why there is none: HANDLE_NOT_FOUND, HANDLE_RELEASED.
  absl::StatusOr<Handle*> Get(const HandleId& id) const;
  // Handles that can be named, in the order of their submission.
  const HandleList& in_order() const { return in_order_; }

  // ---- Groups ----
  // A group with one reference, which is the caller's; the second one copies everything else of `like`.
  Group& NewGroup();
  Group& NewGroup(const Group& like);
  // REQUIRES: no handle refers to the group.
  void DropGroup(Group* group) { groups_.Delete(group); }

  // ---- Tasks and maps ----
  // REQUIRES, both: the id is not known. The group has one more reference for the task; the map takes that of the
  // caller.
  Task& AddTask(const HandleId& id, Group& group);
  MapRun& AddMap(const HandleId& id, Group& group);
  // Nobody can name the handle any more: its id becomes a tombstone.
  void Retire(Handle& handle);
  // As Retire, of a map that was refused when it came: its id is forgotten.
  void Withdraw(MapRun& map);
  // Counts the end of a handle. REQUIRES: it has ended just now.
  void NoteEnded(Handle& handle);
  // REQUIRES: it has ended, is in no list, and cannot be named. The group keeps its reference.
  void Free(Handle& handle);
  // The task that is with this worker under this token; null: it is not there any more, or the token is of a chunk.
  Task* FindAttempt(WorkerId worker, AttemptToken token) const;
  // Pools with maps that have not ended.
  const std::map<PoolId, Pool*>& with_maps() const { return with_maps_; }

  // ---- What it takes ----
  // Bytes that count against Limits::max_task_bytes. What is shared by tasks that have ended is counted with their
  // outcomes.
  std::uint64_t TaskBytes() const {
    return unfinished_ * kTaskBytes + std::min<std::uint64_t>(unfinished_, groups_.size()) * kGroupBytes +
           std::min<std::uint64_t>(unfinished_, ids_.blocks()) * kIdBlockBytes;
  }
  // Whether one more handle fits. Asks first as if no two of them shared anything, which is mostly enough.
  bool HasRoom() const {
    return unfinished_ * (kTaskBytes + kGroupBytes + kIdBlockBytes) < max_task_bytes_ || TaskBytes() < max_task_bytes_;
  }
  // The refusal QUEUE_FULL for a store without room.
  absl::Status Full() const;

  // Tasks and maps that have ended since the start.
  std::uint64_t ended() const { return ended_; }
  std::size_t tasks() const { return tasks_.size(); }
  std::size_t maps() const { return maps_.size(); }
  std::size_t groups() const { return groups_.size(); }
  const HandleTable& ids() const { return ids_; }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  void Add(const HandleId& id, Handle& handle, Group& group);

  const std::uint64_t max_task_bytes_;
  std::mt19937_64& random_;
  // The next id that the daemon chooses; a new stretch of neighbours begins where its low half ends one.
  HandleId next_id_;
  HandleTable ids_;
  HandleList in_order_;
  Slab<Group> groups_;
  Slab<Task> tasks_;
  Slab<MapRun> maps_;
  std::map<PoolId, Pool*> with_maps_;
  // Tasks and maps that have not ended, of all pools.
  std::uint64_t unfinished_ = 0;
  // Tasks and maps that have ended since the start.
  std::uint64_t ended_ = 0;
};

}  // namespace poold::core
