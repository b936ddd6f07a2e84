#include "core/submissions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/option_fields.h"

namespace poold::core {
namespace {

// Of larger bodies only samples are hashed: reading all of one would hold up everybody, since this is done under the
// core's mutex, and bring into memory what may lie on disk.
constexpr std::size_t kWholeBytes = 16u << 10;
constexpr std::size_t kSamples = 16;
constexpr std::size_t kSampleBytes = 256;

std::uint64_t HashBody(std::string_view data) {
  if (data.size() <= kWholeBytes) return absl::HashOf(absl::string_view(data.data(), data.size()));
  const std::size_t step = (data.size() - kSampleBytes) / (kSamples - 1);
  std::uint64_t hash = data.size();
  for (std::size_t i = 0; i < kSamples; ++i) {
    hash = absl::HashOf(hash, absl::string_view(data.data() + i * step, kSampleBytes));
  }
  return absl::HashOf(hash, absl::string_view(data.data() + data.size() - kSampleBytes, kSampleBytes));
}

std::uint32_t HashArgs(const Payload& args) {
  const std::uint64_t type = args.type_name == nullptr ? 0 : absl::HashOf(*args.type_name);
  return static_cast<std::uint32_t>(absl::HashOf(static_cast<int>(args.encoding), type, HashBody(args.data.view())));
}

bool SameName(const std::shared_ptr<const std::string>& a, const std::shared_ptr<const std::string>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool HasTimes(const TaskOptions& o) {
  return o.queue_timeout != kNever || o.run_timeout != kNever || o.total_timeout != kNever;
}

absl::Status CheckFunction(const Pool& pool, std::string_view function) {
  if (!pool.functions_known) return absl::OkStatus();
  const auto at = pool.function_numbers.find(std::string(function));
  if (at != pool.function_numbers.end() && pool.functions[at->second].known) return absl::OkStatus();
  return InPool(
      pool.spec.name,
      MakeError(reason::kFunctionNotFound,
                absl::StrCat("pool '", pool.spec.name, "' has no function '", std::string(function), "'"), function));
}

bool SameCall(const Handle& handle, std::string_view pool, std::string_view function,
              const std::shared_ptr<const TaskOptions>& options) {
  const Group& group = *handle.group;
  if (group.pool->spec.name != pool || group.pool->functions[group.function].name != function) return false;
  return options == nullptr ? *group.options == TaskOptions() : *group.options == *options;
}

}  // namespace

// ---- Groups ----

absl::StatusOr<Group*> Submissions::MakeGroup(const Taker& pool, ClientId client, const ClientOrigin& origin,
                                              std::string_view function, std::shared_ptr<const TaskOptions> options) {
  if (!pool.ok()) return pool.status();
  if (absl::Status status = CheckFunction(**pool, function); !status.ok()) return status;
  if (options == nullptr) options = std::make_shared<TaskOptions>();
  Group& group = store_.NewGroup();
  group.pool = *pool;
  group.function = group.pool->FunctionNumber(function);
  group.ready = options->fresh && !group.pool->fresh() ? &group.pool->ready_fresh : &group.pool->ready;
  group.queue = group.ready->Enter(client, options->priority);
  if (group.queue->quota == nullptr) group.queue->quota = endings_.kept().Enter(client, origin);
  group.timed = HasTimes(*options);
  if (Carries(*options)) group.carried = options;
  group.options = std::move(options);
  group.submitted_at = now_;
  return &group;
}

// The group, or one in its place, for a task with arguments of this kind.
Group* Submissions::GroupFor(Group* group, const Payload& args) {
  const bool unused = group->handles == 1;
  if (!unused && group->encoding == args.encoding && SameName(group->type_name, args.type_name)) return group;
  if (!unused) {
    Group& other = store_.NewGroup(*group);
    other.queue = other.ready->Enter(group->queue->client, group->options->priority);
    Subscribers::Enter(other.subscriber);
    endings_.LeaveGroup(*group);
    group = &other;
  }
  group->encoding = args.encoding;
  group->type_name = args.type_name;
  return group;
}

absl::Status Submissions::CheckRoom(const Pool& pool, std::uint64_t tasks, std::uint64_t bytes) const {
  const std::uint64_t most_tasks =
      pool.spec.max_queued_tasks != 0 ? pool.spec.max_queued_tasks : limits_.max_queued_tasks;
  const std::uint64_t most_bytes =
      pool.spec.max_queued_bytes != 0 ? pool.spec.max_queued_bytes : limits_.max_queued_bytes;
  if (tasks == 1 && bytes > most_bytes) {
    return MakeError(reason::kTooLarge,
                     absl::StrCat("the arguments have ", bytes, " bytes; the queue of pool '", pool.spec.name,
                                  "' never holds more than ", most_bytes),
                     "args");
  }
  if (pool.stats.queued + tasks > most_tasks) {
    return MakeError(reason::kQueueFull,
                     absl::StrCat("the queue of pool '", pool.spec.name, "' is full: ", pool.stats.queued, " of ",
                                  most_tasks, " tasks wait; try again later"),
                     "max_queued_tasks", kQueueFullRetry);
  }
  if (pool.stats.queued_bytes + bytes > most_bytes) {
    return MakeError(reason::kQueueFull,
                     absl::StrCat("the queue of pool '", pool.spec.name, "' is full: ", pool.stats.queued_bytes, " of ",
                                  most_bytes, " bytes of arguments wait; try again later"),
                     "max_queued_bytes", kQueueFullRetry);
  }
  return absl::OkStatus();
}

// ---- Tasks ----

bool Submissions::Submit(const Taker& pool, const TaskGroup& asked, std::span<NewTask> tasks,
                         std::vector<Refusal>* refused) {
  absl::StatusOr<Group*> group = MakeGroup(pool, asked.client, asked.origin, asked.function, asked.options);
  Subscriber* stream = delivery_.streams().Find(asked.subscriber);
  if (group.ok() && stream != nullptr) {
    (*group)->subscriber = stream;
    Subscribers::Enter(stream);
  }
  // Why one was refused for want of room, and its bytes: as long as nothing is taken it holds for all that are as
  // large, and is said once for all of them.
  absl::Status full;
  std::size_t full_bytes = 0;
  for (NewTask& task : tasks) {
    absl::Status status = SubmitKnown(asked, stream, task);
    if (absl::IsNotFound(status) && group.ok() && !full.ok() && task.args.data.size() >= full_bytes) {
      status = full;
    } else if (absl::IsNotFound(status) && group.ok()) {
      group = GroupFor(*group, task.args);
      const std::size_t bytes = task.args.data.size();
      status = SubmitOne(**group, task);
      if (!status.ok() || !full.ok()) full = absl::IsResourceExhausted(status) ? status : absl::OkStatus();
      full_bytes = bytes;
    } else if (absl::IsNotFound(status)) {
      status = group.status();
    }
    if (!status.ok()) refused->push_back({task.id, std::move(status), static_cast<std::size_t>(&task - tasks.data())});
  }
  delivery_.streams().DropUnused(stream);
  if (group.ok()) endings_.LeaveGroup(**group);
  return group.ok();
}

absl::Status Submissions::SubmitOne(Group& group, NewTask& asked) {
  if (asked.args.data.size() > limits_.max_payload_bytes) {
    return MakeError(reason::kTooLarge,
                     absl::StrCat("the arguments have ", asked.args.data.size(), " bytes; at most ",
                                  limits_.max_payload_bytes, " are taken"),
                     "args");
  }
  Pool& pool = *group.pool;
  if (absl::Status status = CheckRoom(pool, 1, asked.args.data.size()); !status.ok()) {
    return status;
  }
  if (!store_.HasRoom()) return store_.Full();
  Task& task = store_.AddTask(asked.id, group);
  task.body_hash = HashArgs(asked.args);
  task.body = std::move(asked.args.data);
  ++pool.stats.submitted;
  if (group.options->start_delay > 0) task.not_before = After(now_, group.options->start_delay);
  scheduler_.Queue(task, /*in_front=*/false);
  delivery_.Changed(task);
  return absl::OkStatus();
}

// NOT_FOUND: it is new.
absl::Status Submissions::SubmitKnown(const TaskGroup& asked, Subscriber* stream, const NewTask& again) {
  bool known = false;
  Handle* handle = store_.Find(again.id, &known);
  if (!known) return absl::NotFoundError("");
  if (handle == nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, reason::kHandleReleased,
                     "this id was used, and its outcome was released; a new task needs a new id", "id");
  }
  if (handle->is_map() || !SameCall(*handle, asked.pool, asked.function, asked.options) ||
      AsTask(handle)->body_hash != HashArgs(again.args)) {
    return MakeError(reason::kHandleExists, "this id belongs to another task; a new task needs a new id", "id");
  }
  if (stream != nullptr) delivery_.Subscribe(*handle, stream, 0);
  return absl::OkStatus();
}

// ---- Maps ----

absl::Status Submissions::CheckColumn(const ItemColumn& column) const {
  std::uint64_t bytes = 0;
  for (const std::uint32_t length : column.lengths) {
    bytes += length;
    if (length <= limits_.max_payload_bytes) continue;
    return MakeError(reason::kTooLarge,
                     absl::StrCat("an item has ", length, " bytes; at most ", limits_.max_payload_bytes, " are taken"),
                     "items");
  }
  if (bytes == column.data.size()) return absl::OkStatus();
  return MakeError(
      reason::kInvalidField,
      absl::StrCat("the lengths of the items add up to ", bytes, ", but there are ", column.data.size(), " bytes"),
      "item_bytes");
}

absl::StatusOr<MapRun*> Submissions::OpenMap(const Taker& pool, const MapGroup& asked) {
  bool known = false;
  Handle* handle = store_.Find(asked.id, &known);
  if (known && handle == nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, reason::kHandleReleased,
                     "this id was used and released; a new map needs a new id", "id");
  }
  if (known && handle->is_map() && SameCall(*handle, asked.pool, asked.function, asked.options)) return AsMap(handle);
  if (known) {
    return MakeError(reason::kHandleExists, "this id belongs to another task or map; a new map needs a new id", "id");
  }
  if (!store_.HasRoom()) return store_.Full();
  absl::StatusOr<Group*> group = MakeGroup(pool, asked.client, asked.origin, asked.function, asked.options);
  if (!group.ok()) return group.status();
  MapRun& map = store_.AddMap(asked.id, **group);
  map.encoding = asked.encoding;
  map.type_name = asked.type_name;
  map.chunk_size = asked.chunk_size;
  map.fail_fast = asked.fail_fast;
  if (map.group->options->start_delay > 0) map.not_before = After(now_, map.group->options->start_delay);
  return &map;
}

absl::Status Submissions::AppendItems(MapRun& map, const MapGroup& asked) {
  Pool& pool = *map.group->pool;
  const std::uint64_t count = asked.items == nullptr ? 0 : asked.items->lengths.size();
  if (map.ended() || map.cut()) return absl::OkStatus();  // it takes no more: what comes is passed over
  if (asked.first_index > map.items.arrived()) {
    return MakeError(reason::kItemsMissing,
                     absl::StrCat("first_index is ", asked.first_index, ", but the map has ", map.items.arrived(),
                                  " items: continue from there"),
                     "first_index");
  }
  const std::uint64_t skip = map.items.arrived() - asked.first_index;
  if (count <= skip) return absl::OkStatus();
  if (map.life == MapLife::kClosed && pool.dispatches()) {
    return MakeError(reason::kClientLost,
                     "its client was gone for longer than owner_grace; the map ends with the items that it has", "id");
  }
  if (map.life == MapLife::kClosed) {
    return MakeError(reason::kPoolNotRunning,
                     absl::StrCat("pool '", pool.spec.name, "' was closed; the map ends with the items that it has"),
                     pool.spec.name);
  }
  if (map.complete) {
    return MakeError(reason::kInvalidField, "the map is complete; it takes no more items", "items");
  }
  if (absl::Status status = CheckColumn(*asked.items); !status.ok()) return status;
  if (absl::Status status = CheckRoom(pool, count - skip, asked.items->data.size()); !status.ok()) return status;
  const std::uint64_t begin = map.items.arrived();
  map.items.Append(asked.items, skip, now_);
  pool.stats.submitted += count - skip;
  scheduler_.ItemsWait(map, {begin, map.items.arrived()});
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Submissions::SubmitMap(const Taker& pool, const MapGroup& asked,
                                                     std::shared_ptr<Pool>* grown) {
  const bool is_new = store_.Find(asked.id) == nullptr;
  absl::StatusOr<MapRun*> opened = OpenMap(pool, asked);
  if (!opened.ok()) return opened.status();
  MapRun& map = **opened;
  if (absl::Status status = AppendItems(map, asked); !status.ok()) {
    if (is_new) maps_.Withdraw(map);  // a refused call changes nothing
    return status;
  }
  if (Subscriber* stream = delivery_.streams().Find(asked.subscriber)) {
    delivery_.Subscribe(map, stream, 0);
    delivery_.streams().DropUnused(stream);
  }
  map.complete |= asked.complete;
  // Of a map that takes no more the rest is passed over, so that the client need not send it again.
  const std::uint64_t given = asked.items == nullptr ? 0 : asked.items->lengths.size();
  const std::uint64_t passed = asked.first_index + std::min(given, ~asked.first_index);
  const std::uint64_t has = map.items.arrived();
  const std::uint64_t items = map.ended() || map.cut() ? std::max(has, passed) : has;
  if (!map.ended()) *grown = map.group->pool;
  maps_.HasGrown(map);
  return items;
}

}  // namespace poold::core
