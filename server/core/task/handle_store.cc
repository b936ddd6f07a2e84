#include "core/task/handle_store.h"

#include "absl/strings/str_cat.h"
#include "core/scheduler/attempt.h"
#include "core/worker.h"

namespace poold::core {
namespace {

// As tools print a handle.
std::string Text(const HandleId& id) {
  return absl::StrCat(absl::Hex(id.high, absl::kZeroPad16), absl::Hex(id.low, absl::kZeroPad16));
}

}  // namespace

// ---- Ids ----

// Neighbours share a block of the table of handles: those that nobody chose come in short stretches.
HandleId HandleStore::NewId() {
  constexpr std::uint64_t kStretch = 64;
  HandleId id;
  do {
    if (next_id_.low % kStretch == 0) next_id_ = {random_(), random_() / kStretch * kStretch};
    id = next_id_;
    ++next_id_.low;
  } while (ids_.Find(id) != nullptr || ids_.IsTombstone(id));
  return id;
}

absl::StatusOr<Handle*> HandleStore::Get(const HandleId& id) const {
  if (Handle* handle = ids_.Find(id)) return handle;
  if (ids_.IsTombstone(id)) {
    return MakeError(reason::kHandleReleased, absl::StrCat("the outcome of handle ", Text(id), " was released"), "id");
  }
  return MakeError(reason::kHandleNotFound,
                   absl::StrCat("there is no handle ", Text(id),
                                "; it was never submitted here, its outcome expired, or the daemon restarted"),
                   "id");
}

// ---- Groups ----

Group& HandleStore::NewGroup() {
  Group& group = *groups_.New();
  group.handles = 1;
  return group;
}

Group& HandleStore::NewGroup(const Group& like) {
  Group& group = *groups_.New();
  const std::uint32_t slot = group.slot;
  group = like;
  group.slot = slot;
  group.handles = 1;
  return group;
}

// ---- Tasks and maps ----

void HandleStore::Add(const HandleId& id, Handle& handle, Group& group) {
  ids_.Add(id, &handle);
  in_order_.Append(&handle);
  handle.id = id;
  handle.group = &group;
  ++group.pool->unfinished;
  ++unfinished_;
}

Task& HandleStore::AddTask(const HandleId& id, Group& group) {
  Task& task = *tasks_.New();
  Add(id, task, group);
  ++group.handles;
  return task;
}

MapRun& HandleStore::AddMap(const HandleId& id, Group& group) {
  MapRun& map = *maps_.New();
  Add(id, map, group);
  Pool& pool = *group.pool;
  map.place_in_pool = pool.maps.size();
  pool.maps.push_back(&map);
  with_maps_.emplace(pool.id, &pool);
  return map;
}

void HandleStore::Retire(Handle& handle) {
  in_order_.Remove(&handle);
  ids_.Retire(handle.id);
}

void HandleStore::Withdraw(MapRun& map) {
  in_order_.Remove(&map);
  ids_.Forget(map.id);
}

void HandleStore::NoteEnded(Handle& handle) {
  Pool& pool = *handle.group->pool;
  --pool.unfinished;
  --unfinished_;
  ++ended_;
  if (!handle.is_map()) return;
  MapRun& map = *AsMap(&handle);
  MapRun* const last = pool.maps.back();
  pool.maps[map.place_in_pool] = last;
  last->place_in_pool = map.place_in_pool;
  pool.maps.pop_back();
  if (pool.maps.empty()) with_maps_.erase(pool.id);
}

void HandleStore::Free(Handle& handle) {
  if (handle.is_map()) {
    maps_.Delete(AsMap(&handle));
  } else {
    tasks_.Delete(AsTask(&handle));
  }
}

Task* HandleStore::FindAttempt(WorkerId worker, AttemptToken token) const {
  if (IsChunkToken(token)) return nullptr;
  Task* task = tasks_.Find(TokenSlot(token));
  if (task == nullptr || task->token != static_cast<std::uint64_t>(token) || task->worker == nullptr) return nullptr;
  return task->worker->id == worker ? task : nullptr;
}

// ---- What it takes ----

absl::Status HandleStore::Full() const {
  return MakeError(reason::kQueueFull,
                   absl::StrCat("the memory for tasks of all pools is full: ", unfinished_, " have not ended (",
                                max_task_bytes_, " bytes); try again later"),
                   "max_task_bytes", kQueueFullRetry);
}

std::string HandleStore::Check() const {
  if (unfinished_ > tasks_.size() + maps_.size()) return "more tasks and maps have not ended than there are";
  for (const auto& [id, pool] : with_maps_) {
    if (pool->maps.empty()) return "a pool is listed that has no maps";
    for (std::size_t i = 0; i < pool->maps.size(); ++i) {
      const MapRun& map = *pool->maps[i];
      if (map.place_in_pool != i || map.group->pool.get() != pool) return "a map is not where its pool has it";
      if (map.ended()) return "a map has ended, and its pool has it still";
    }
  }
  return "";
}

}  // namespace poold::core
