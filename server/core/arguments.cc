// Arguments, kept until their task ended, and after that if it did not succeed: so that it can be looked at and tried
// elsewhere.
//
// What is kept after the end counts as a part of the outcome and goes with it. It never takes more than half of the
// room for outcomes, or of the floor of a client that is present, so that it stops no dispatch by itself.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {
namespace {

// Smaller ones get memory of their own: a slice would keep alive the whole message that brought it.
constexpr std::size_t kSharedBytes = 1u << 20;

Bytes OwnCopy(const Bytes& bytes) {
  return bytes.size() >= kSharedBytes || bytes.size() <= Bytes::kFew ? bytes : Bytes(std::string(bytes.view()));
}

}  // namespace

bool Core::State::HasRoomForArguments(const Handle& handle, std::uint64_t bytes) const {
  const auto fits = [bytes](std::uint64_t used, std::uint64_t most) { return bytes <= most && used <= most - bytes; };
  const ClientQuota& client = QuotaOf(handle);
  return fits(room.used(), limits.max_kept_outcome_bytes / 2) ||
         (client.present && fits(client.used, room.floor() / 2));
}

void Core::State::KeepArguments(Task& task) {
  task.args_kept = task.state != TaskState::kSucceeded && !task.released && HasRoomForArguments(task, task.body.size());
  if (task.args_kept) {
    OwnArguments(task);
  } else {
    dropped.Add(task.body);
    task.body = {};
  }
}

void Core::State::OwnArguments(Task& task) {
  Bytes shared = std::exchange(task.body, OwnCopy(task.body));
  dropped.Add(shared);
}

absl::StatusOr<Payload> Core::State::ArgumentsOf(const HandleId& id, std::uint64_t index) {
  absl::StatusOr<Handle*> handle = FindHandle(id);
  if (!handle.ok()) return handle.status();
  const char* why = "it succeeded, and the arguments are kept only of what did not";
  if (!(*handle)->is_map()) {
    const Task& task = *AsTask(*handle);
    if (!task.ended || task.args_kept) return ArgumentsOf(task);
    if (task.state != TaskState::kSucceeded) why = "when it ended there was no room for them";
    return MakeError(reason::kArgumentsNotKept, absl::StrCat("the arguments of the task are no longer kept: ", why),
                     "id");
  }
  const MapRun& map = *AsMap(*handle);
  if (const auto kept_item = map.kept_args.find(index); kept_item != map.kept_args.end()) {
    return Payload{map.encoding, map.type_name, kept_item->second};
  }
  if (index >= map.items) {
    return MakeError(reason::kArgumentsNotKept,
                     absl::StrCat("the map has no item ", index, "; it has ", map.items, " so far"), "index");
  }
  if (!map.ended && !map.IsDone(index)) {
    const ItemSlice slice = map.Slices(index, 1).front();
    return Payload{map.encoding, map.type_name, Bytes(slice.column, slice.data)};
  }
  return MakeError(reason::kArgumentsNotKept,
                   absl::StrCat("the arguments of item ", index,
                                " are no longer kept: it succeeded, was cancelled with its map, or its outcome was "
                                "consumed"),
                   "index");
}

// REQUIRES: the items of the block are in their columns still.
void Core::State::KeepItemArguments(MapRun& map, const ItemBlock& block) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < block.others.size();) {
    const std::uint64_t begin = block.others[i].first;
    std::uint64_t end = begin + 1;
    while (++i < block.others.size() && block.others[i].first == end) ++end;
    std::uint64_t index = begin;
    for (const ItemSlice& slice : map.Slices(begin, end - begin)) {
      std::size_t offset = 0;
      for (std::size_t j = 0; j < slice.count; ++j, ++index) {
        const std::size_t length = slice.column->lengths[slice.begin + j];
        const Bytes item(slice.column, slice.data.substr(offset, length));
        offset += length;
        if (!HasRoomForArguments(map, bytes + kArgumentsOverhead + length)) continue;
        const auto [kept, is_new] = map.kept_args.try_emplace(index);
        if (!is_new) continue;
        kept->second = OwnCopy(item);
        bytes += kArgumentsOverhead + length;
      }
    }
  }
  CountKept(map, bytes, 0);
}

void Core::State::DropItemArguments(MapRun& map, ItemRange range) {
  std::uint64_t bytes = 0;
  const auto first = map.kept_args.lower_bound(range.begin);
  auto at = first;
  for (; at != map.kept_args.end() && at->first < range.end; ++at) {
    bytes += kArgumentsOverhead + at->second.size();
    dropped.Add(at->second);
  }
  map.kept_args.erase(first, at);
  UncountKept(map, bytes, 0);
}

}  // namespace poold::core
