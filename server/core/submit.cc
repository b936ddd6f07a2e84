// Tasks come in.
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/option_fields.h"
#include "core/state.h"

namespace poold::core {
namespace {

constexpr Nanos kQueueFullRetry = 100 * kMillisecond;

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

}  // namespace

absl::Status Core::State::CheckFunction(const Pool& pool, std::string_view function) const {
  if (!pool.functions_known) return absl::OkStatus();
  const auto at = pool.function_numbers.find(std::string(function));
  if (at != pool.function_numbers.end() && pool.functions[at->second].known) return absl::OkStatus();
  return InPool(
      pool.spec.name,
      MakeError(reason::kFunctionNotFound,
                absl::StrCat("pool '", pool.spec.name, "' has no function '", std::string(function), "'"), function));
}

absl::StatusOr<Group*> Core::State::MakeGroup(ClientId client, const ClientOrigin& origin, std::string_view pool_name,
                                              std::string_view function, std::shared_ptr<const TaskOptions> options) {
  if (shutting_down) {
    return MakeError(reason::kShuttingDown, "the daemon is shutting down", "", kSecond);
  }
  absl::StatusOr<std::shared_ptr<Pool>> pool = pools.Find(pool_name);
  if (!pool.ok()) return pool.status();
  if ((*pool)->state == PoolState::kFailed) {
    return FailureOf(**pool);
  }
  if ((*pool)->state != PoolState::kStarting && (*pool)->state != PoolState::kRunning) {
    return MakeError(reason::kPoolNotRunning,
                     absl::StrCat("pool '", (*pool)->spec.name, "' was closed; open it anew to submit"), pool_name);
  }
  if (absl::Status status = CheckFunction(**pool, function); !status.ok()) return status;
  if (options == nullptr) options = std::make_shared<TaskOptions>();
  Group* group = groups.New();
  group->pool = *std::move(pool);
  group->function = group->pool->FunctionNumber(function);
  group->ready = options->fresh && !group->pool->fresh() ? &group->pool->ready_fresh : &group->pool->ready;
  group->queue = group->ready->Enter(client, options->priority);
  EnterQuota(*group, origin);
  group->timed = HasTimes(*options);
  if (Carries(*options)) group->carried = options;
  group->options = std::move(options);
  group->submitted_at = now;
  group->handles = 1;
  return group;
}

Group* Core::State::NewGroup(const Group& like) {
  Group* group = groups.New();
  const std::uint32_t slot = group->slot;
  *group = like;
  group->slot = slot;
  group->queue = group->ready->Enter(like.queue->client, like.options->priority);
  Subscribers::Enter(group->subscriber);
  group->handles = 1;
  return group;
}

// The group, or one in its place, for a task with arguments of this kind.
Group* Core::State::GroupFor(Group* group, const Payload& args) {
  const bool unused = group->handles == 1;
  if (!unused && group->encoding == args.encoding && SameName(group->type_name, args.type_name)) return group;
  if (!unused) {
    Group* other = NewGroup(*group);
    LeaveGroup(group);
    group = other;
  }
  group->encoding = args.encoding;
  group->type_name = args.type_name;
  return group;
}

void Core::State::LeaveGroup(Group* group) {
  if (--group->handles > 0) return;
  ClientQuota& client = *group->queue->quota;
  const bool last = group->queue->groups == 1;
  if (last && group->queue->held_up) DropHeldLine(group->queue);
  group->ready->Leave(group->queue);
  if (last) outcomes.Leave(client);
  subscribers.Leave(group->subscriber);
  groups.Delete(group);
}

absl::Status Core::State::CheckRoom(const Pool& pool, std::uint64_t tasks, std::uint64_t bytes) const {
  const std::uint64_t most_tasks =
      pool.spec.max_queued_tasks != 0 ? pool.spec.max_queued_tasks : limits.max_queued_tasks;
  const std::uint64_t most_bytes =
      pool.spec.max_queued_bytes != 0 ? pool.spec.max_queued_bytes : limits.max_queued_bytes;
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

absl::Status Core::State::TaskBytesFull() const {
  return MakeError(reason::kQueueFull,
                   absl::StrCat("the memory for tasks of all pools is full: ", unfinished, " have not ended (",
                                limits.max_task_bytes, " bytes); try again later"),
                   "max_task_bytes", kQueueFullRetry);
}

void Core::State::Submit(const TaskGroup& asked, std::span<NewTask> tasks, std::vector<Refusal>* refused) {
  absl::StatusOr<Group*> group = MakeGroup(asked.client, asked.origin, asked.pool, asked.function, asked.options);
  Subscriber* subscriber = subscribers.Find(asked.subscriber);
  if (group.ok() && subscriber != nullptr) {
    (*group)->subscriber = subscriber;
    Subscribers::Enter(subscriber);
  }
  // Why one was refused for want of room, and its bytes: as long as nothing is taken it holds for all that are as
  // large, and is said once for all of them.
  absl::Status full;
  std::size_t full_bytes = 0;
  for (NewTask& task : tasks) {
    absl::Status status = SubmitKnown(asked, subscriber, task);
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
  subscribers.DropUnused(subscriber);
  if (!group.ok()) return;
  const std::shared_ptr<Pool> pool = (*group)->pool;
  LeaveGroup(*group);
  Reconcile(*pool);
}

absl::Status Core::State::SubmitOne(Group& group, NewTask& asked) {
  if (asked.args.data.size() > limits.max_payload_bytes) {
    return MakeError(reason::kTooLarge,
                     absl::StrCat("the arguments have ", asked.args.data.size(), " bytes; at most ",
                                  limits.max_payload_bytes, " are taken"),
                     "args");
  }
  Pool& pool = *group.pool;
  if (absl::Status status = CheckRoom(pool, 1, asked.args.data.size()); !status.ok()) {
    return status;
  }
  if (!HasTaskBytes()) return TaskBytesFull();
  Task& task = *tasks.New();
  handles.Add(asked.id, &task);
  in_order.Append(&task);
  task.id = asked.id;
  task.body_hash = HashArgs(asked.args);
  task.body = std::move(asked.args.data);
  task.group = &group;
  ++group.handles;
  ++pool.unfinished;
  ++unfinished;
  ++pool.stats.submitted;
  if (group.options->start_delay > 0) task.not_before = After(now, group.options->start_delay);
  Queue(task, /*in_front=*/false);
  TellWatchers(task);
  return absl::OkStatus();
}

bool Core::State::SameCall(const Handle& handle, std::string_view pool, std::string_view function,
                           const std::shared_ptr<const TaskOptions>& options) const {
  const Group& group = *handle.group;
  if (group.pool->spec.name != pool || group.pool->functions[group.function].name != function) return false;
  return options == nullptr ? *group.options == TaskOptions() : *group.options == *options;
}

// A submission whose answer the client did not see comes again: also when its pool was closed meanwhile.
// NOT_FOUND: it is new.
absl::Status Core::State::SubmitKnown(const TaskGroup& asked, Subscriber* subscriber, const NewTask& again) {
  bool known = false;
  Handle* handle = handles.Find(again.id, &known);
  if (!known) return absl::NotFoundError("");
  if (handle == nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, reason::kHandleReleased,
                     "this id was used, and its outcome was released; a new task needs a new id", "id");
  }
  if (handle->is_map() || !SameCall(*handle, asked.pool, asked.function, asked.options) ||
      AsTask(handle)->body_hash != HashArgs(again.args)) {
    return MakeError(reason::kHandleExists, "this id belongs to another task; a new task needs a new id", "id");
  }
  if (subscriber != nullptr) Subscribe(*handle, subscriber, 0);
  return absl::OkStatus();
}

}  // namespace poold::core
