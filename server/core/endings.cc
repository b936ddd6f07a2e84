#include "core/endings.h"

#include <utility>

#include "core/outcome/outcome_bytes.h"
#include "core/read/view_of.h"
#include "core/task/ending.h"

namespace poold::core {
namespace {

// Smaller ones get memory of their own: a slice would keep alive the whole message that brought it.
constexpr std::size_t kSharedBytes = 1u << 20;

Bytes OwnCopy(const Bytes& bytes) {
  return bytes.size() >= kSharedBytes || bytes.size() <= Bytes::kFew ? bytes : Bytes(std::string(bytes.view()));
}

}  // namespace

// ---- Groups ----

void Endings::LeaveGroup(Group& group) {
  if (--group.handles > 0) return;
  ClientQueue* const queue = group.queue;
  ClientQuota& client = *queue->quota;
  const bool last = queue->groups == 1;
  if (last && queue->held_up) kept_.EndLine(client, queue).ready->LetGo(queue);  // nothing waits in it
  group.ready->Leave(queue);
  if (last) kept_.Leave(client);
  delivery_.streams().Leave(group.subscriber);
  store_.DropGroup(&group);
}

// ---- What ends ----

void Endings::TaskEnded(Task& task) {
  timers_.Clear(&task.timer);
  CountEnd(task.group->pool->stats, task.state(), 1);
  if (!task.released) {
    const std::uint64_t bytes = OutcomeBytesOf(task);
    Count(task, bytes, 1);
    MakeRoom(task, bytes);
  }
  TellEnd(task);
}

void Endings::MapEnded(MapRun& map) {
  map.ended_at = now_;
  ListRunning(map);
  TellEnd(map);
}

// Tells everybody, then keeps it until it is released.
void Endings::TellEnd(Handle& handle) {
  store_.NoteEnded(handle);
  delivery_.SendEnd(handle);
  if (handle.extras != nullptr && !handle.extras->waits.empty()) {
    const auto view = [](const Handle* ended) { return ViewOf(*ended); };
    waits_.HandleEnded(handle.extras->waits, Succeeded(handle), view);
  }
  if (handle.released) return Free(handle);
  kept_.Keep(now_, QuotaOf(handle), &handle);
}

void Endings::KeepBlock(MapRun& map, const ItemBlockPtr& block) {
  const std::uint64_t count = block->result_bytes.size();
  if (map.released || map.outcomes.WasConsumed({block->first_index, block->first_index + count})) {
    return dropped_.Add(block);
  }
  map.outcomes.Keep(block);
  Count(map, BytesOf(*block), count);
  if (!block->others.empty()) KeepItemArguments(map, *block);
}

void Endings::MakeRoom(Handle& came, std::uint64_t bytes) {
  const bool drains = scheduler_.Drains(*came.group->pool);
  if (kept_.room().IsOverfull() || drains) kept_.MakeWay(QuotaOf(came), bytes, drains);
}

void Endings::Count(Handle& handle, std::uint64_t bytes, std::uint64_t outcomes) {
  if (handle.is_map()) {
    AsMap(&handle)->kept_bytes += bytes;
    AsMap(&handle)->kept_items += outcomes;
    ListRunning(*AsMap(&handle));
  }
  kept_.Count(handle.group->pool->kept_counts, QuotaOf(handle), bytes, outcomes);
}

void Endings::Uncount(Handle& handle, std::uint64_t bytes, std::uint64_t outcomes) {
  if (handle.is_map()) {
    AsMap(&handle)->kept_bytes -= bytes;
    AsMap(&handle)->kept_items -= outcomes;
    ListRunning(*AsMap(&handle));
  }
  const bool aside = handle.extras != nullptr && handle.extras->aside;
  kept_.Uncount(handle.group->pool->kept_counts, QuotaOf(handle), bytes, outcomes, aside);
}

void Endings::ListRunning(MapRun& map) {
  const bool runs = map.kept_bytes > 0 && !map.ended();
  if (runs == map.keeping.linked()) return;
  runs ? kept_.Runs(QuotaOf(map), &map.keeping) : kept_.RunsNoMore(QuotaOf(map), &map.keeping);
}

void Endings::UncountBlock(MapRun& map, const ItemBlock& gone) {
  Uncount(map, BytesOf(gone), gone.result_bytes.size());
}

// ---- Arguments ----

bool Endings::HasRoomForArguments(const Handle& handle, std::uint64_t bytes) const {
  const auto fits = [bytes](std::uint64_t used, std::uint64_t most) { return bytes <= most && used <= most - bytes; };
  const ClientQuota& client = QuotaOf(handle);
  return fits(kept_.room().used(), half_of_room_) || (client.present && fits(client.used, kept_.room().floor() / 2));
}

void Endings::KeepArguments(Task& task) {
  task.args_kept =
      task.state() != TaskState::kSucceeded && !task.released && HasRoomForArguments(task, task.body.size());
  if (task.args_kept) {
    OwnArguments(task);
  } else {
    dropped_.Add(task.body);
    task.body = {};
  }
}

void Endings::OwnArguments(Task& task) {
  Bytes shared = std::exchange(task.body, OwnCopy(task.body));
  dropped_.Add(shared);
}

// REQUIRES: the items of the block are in their columns still.
void Endings::KeepItemArguments(MapRun& map, const ItemBlock& block) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < block.others.size();) {
    const std::uint64_t begin = block.others[i].first;
    std::uint64_t end = begin + 1;
    while (++i < block.others.size() && block.others[i].first == end) ++end;
    std::uint64_t index = begin;
    for (const ItemSlice& slice : map.items.Slices(begin, end - begin)) {
      std::size_t offset = 0;
      for (std::size_t j = 0; j < slice.count; ++j, ++index) {
        const std::size_t length = slice.column->lengths[slice.begin + j];
        const Bytes item(slice.column, slice.data.substr(offset, length));
        offset += length;
        if (!HasRoomForArguments(map, bytes + kArgumentsOverhead + length)) continue;
        Bytes* const kept = map.outcomes.AddArguments(index);
        if (kept == nullptr) continue;
        *kept = OwnCopy(item);
        bytes += kArgumentsOverhead + length;
      }
    }
  }
  Count(map, bytes, 0);
}

void Endings::DropItemArguments(MapRun& map, ItemRange range) {
  std::uint64_t bytes = 0;
  map.outcomes.DropArguments(range, [&](Bytes& gone) {
    bytes += kArgumentsOverhead + gone.size();
    dropped_.Add(gone);
  });
  Uncount(map, bytes, 0);
}

// ---- What goes ----

ItemRange Endings::Consume(MapRun& map, ItemRange range, Steps* steps) {
  range.end = std::min(range.end, map.items.arrived());
  if (range.begin >= range.end) return {};
  const ItemRange now{range.begin, map.outcomes.StopBehind(range, std::max<std::uint64_t>(1, steps->left()))};
  const std::size_t before = map.outcomes.entries();
  DropItemArguments(map, now);
  map.outcomes.Consume(now, [&](ItemBlockPtr gone) {
    UncountBlock(map, *gone);
    dropped_.Add(std::move(gone));
  });
  steps->Spend(1 + before - std::min(before, map.outcomes.entries()));
  return {now.end, range.end};
}

void Endings::Forget(Handle& handle) {
  if (!handle.is_map() && handle.ended()) Uncount(handle, OutcomeBytesOf(AsTask(handle)), 1);
  handle.released = true;
  store_.Retire(handle);
  if (handle.is_map()) {
    MapRun& map = *AsMap(&handle);
    Uncount(map, map.kept_bytes, map.kept_items);
    map.outcomes.Drop(&dropped_);
  }
  if (!handle.ended()) return;
  const bool aside = handle.extras != nullptr && std::exchange(handle.extras->aside, false);
  kept_.Remove(QuotaOf(handle), &handle, aside);
  Free(handle);
}

// REQUIRES: ended, released, in no list, also not among those that can be named.
void Endings::Free(Handle& handle) {
  if (handle.extras != nullptr) waits_.HandleGone(handle.extras->waits);
  delivery_.HandleGone(handle);
  Group& group = *handle.group;
  if (!handle.is_map()) {
    Task& task = *AsTask(&handle);
    dropped_.Add(task.body);
    if (task.outcome != nullptr) dropped_.Add(std::move(task.outcome));
  }
  store_.Free(handle);
  LeaveGroup(group);
}

Nanos Endings::EndedAt(const Node& handle) const { return core::EndedAt(static_cast<const Handle&>(handle)); }

std::uint64_t Endings::KeptBytes(const Node& handle) const { return KeptBytesOf(static_cast<const Handle&>(handle)); }

bool Endings::IsAwaited(const Node& handle) const {
  const HandleExtras* extras = static_cast<const Handle&>(handle).extras.get();
  return extras != nullptr && !extras->waits.empty() && !drop_awaited_;
}

void Endings::WasSetAside(Node& handle) { static_cast<Handle&>(handle).extras->aside = true; }

void Endings::Drop(Node& node) {
  Handle& handle = static_cast<Handle&>(node);
  KeptOutcomes::NoteDropped(handle.group->pool->kept_counts);
  Forget(handle);
}

void Endings::Expire(Node& handle) { Forget(static_cast<Handle&>(handle)); }

void Endings::NobodyWaits(Handle& handle) {
  if (std::exchange(handle.extras->aside, false)) kept_.ReturnAside(now_, QuotaOf(handle), &handle);
}

}  // namespace poold::core
