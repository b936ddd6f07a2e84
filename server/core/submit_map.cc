// Maps come in, group by group.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {

absl::Status Core::State::CheckColumn(const ItemColumn& column) const {
  std::uint64_t bytes = 0;
  for (const std::uint32_t length : column.lengths) {
    bytes += length;
    if (length <= limits.max_payload_bytes) continue;
    return MakeError(reason::kTooLarge,
                     absl::StrCat("an item has ", length, " bytes; at most ", limits.max_payload_bytes, " are taken"),
                     "items");
  }
  if (bytes == column.data.size()) return absl::OkStatus();
  return MakeError(
      reason::kInvalidField,
      absl::StrCat("the lengths of the items add up to ", bytes, ", but there are ", column.data.size(), " bytes"),
      "item_bytes");
}

absl::StatusOr<MapRun*> Core::State::OpenMap(const MapGroup& asked) {
  bool known = false;
  Handle* handle = handles.Find(asked.id, &known);
  if (handle != nullptr && Reach(*handle)) handle = handles.Find(asked.id, &known);
  if (known && handle == nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, reason::kHandleReleased,
                     "this id was used and released; a new map needs a new id", "id");
  }
  if (known && handle->is_map() && SameCall(*handle, asked.pool, asked.function, asked.options)) return AsMap(handle);
  if (known) {
    return MakeError(reason::kHandleExists, "this id belongs to another task or map; a new map needs a new id", "id");
  }
  if (!HasTaskBytes()) return TaskBytesFull();
  absl::StatusOr<Group*> group = MakeGroup(asked.client, asked.origin, asked.pool, asked.function, asked.options);
  if (!group.ok()) return group.status();
  Pool& pool = *(*group)->pool;
  MapRun* map = maps.New();
  handles.Add(asked.id, map);
  in_order.Append(map);
  map->id = asked.id;
  map->group = *group;
  map->encoding = asked.encoding;
  map->type_name = asked.type_name;
  map->chunk_size = asked.chunk_size;
  map->fail_fast = asked.fail_fast;
  if (map->group->options->start_delay > 0) map->not_before = After(now, map->group->options->start_delay);
  map->place_in_pool = pool.maps.size();
  pool.maps.push_back(map);
  pools_with_maps.emplace(pool.id, &pool);
  ++pool.unfinished;
  ++unfinished;
  return map;
}

absl::Status Core::State::AppendItems(MapRun& map, const MapGroup& asked) {
  Pool& pool = *map.group->pool;
  const std::uint64_t count = asked.items == nullptr ? 0 : asked.items->lengths.size();
  if (map.ended || map.cut) return absl::OkStatus();  // it takes no more: what comes is passed over
  if (asked.first_index > map.items) {
    return MakeError(reason::kItemsMissing,
                     absl::StrCat("first_index is ", asked.first_index, ", but the map has ", map.items,
                                  " items: continue from there"),
                     "first_index");
  }
  const std::uint64_t skip = map.items - asked.first_index;
  if (count <= skip) return absl::OkStatus();
  if (map.closed && pool.dispatches()) {
    return MakeError(reason::kClientLost,
                     "its client was gone for longer than owner_grace; the map ends with the items that it has", "id");
  }
  if (map.closed) {
    return MakeError(reason::kPoolNotRunning,
                     absl::StrCat("pool '", pool.spec.name, "' was closed; the map ends with the items that it has"),
                     pool.spec.name);
  }
  if (map.complete) {
    return MakeError(reason::kInvalidField, "the map is complete; it takes no more items", "items");
  }
  if (absl::Status status = CheckColumn(*asked.items); !status.ok()) return status;
  if (absl::Status status = CheckRoom(pool, count - skip, asked.items->data.size()); !status.ok()) return status;
  const std::uint64_t begin = map.items;
  map.Append(asked.items, skip, now);
  pool.stats.submitted += count - skip;
  pool.stats.queued += count - skip;
  pool.stats.queued_bytes += map.BytesOf(begin, count - skip);
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Core::State::SubmitMap(const MapGroup& asked) {
  const bool is_new = handles.Find(asked.id) == nullptr;
  absl::StatusOr<MapRun*> opened = OpenMap(asked);
  if (!opened.ok()) return opened.status();
  MapRun& map = **opened;
  const std::shared_ptr<Pool> pool = map.group->pool;
  if (absl::Status status = AppendItems(map, asked); !status.ok()) {
    if (is_new) {  // a refused call changes nothing
      map.released = map.cut = true;
      handles.Forget(map.id);
      in_order.Remove(&map);
      EndMap(map);
    }
    return status;
  }
  if (Subscriber* subscriber = subscribers.Find(asked.subscriber)) {
    Subscribe(map, subscriber, 0);
    subscribers.DropUnused(subscriber);
  }
  map.complete |= asked.complete;
  if (map.complete) timers.Clear(&map.orphan_timer);
  // Of a map that takes no more the rest is passed over, so that the client need not send it again.
  const std::uint64_t given = asked.items == nullptr ? 0 : asked.items->lengths.size();
  const std::uint64_t passed = asked.first_index + std::min(given, ~asked.first_index);
  const std::uint64_t items = map.ended || map.cut ? std::max(map.items, passed) : map.items;
  if (!map.ended) {
    QueueMap(map, /*in_front=*/false);
    if (map.group->timed || map.not_before > now) ArmMap(map);
    TellWatchers(map);
    CheckMapDone(map);
    Reconcile(*pool);
  }
  return items;
}

}  // namespace poold::core
