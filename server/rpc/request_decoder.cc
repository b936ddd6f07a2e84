#include "rpc/request_decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rpc/convert.h"
#include "rpc/counted_bytes.h"
#include "rpc/errors.h"
#include "rpc/validate.h"
#include "wire/absl_text.h"
#include "wire/handle_stretch.h"

namespace poold::rpc {
namespace {

using wire::ToAbsl;

constexpr std::uint64_t kLargeBytes = 1 << 20;
constexpr std::uint64_t kLargeCount = 16'384;

template <typename Lengths>
std::uint64_t Sum(const Lengths& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
}

// The last of `count` ids from `low` on is no 64-bit number.
bool GoBeyond(std::uint64_t low, std::uint64_t count) { return count > 0 && low + (count - 1) < low; }

// How many items of this map were taken; nothing if there is no such map.
std::optional<std::uint64_t> AcceptedItems(const core::Core& core, core::HandleId id) {
  const absl::StatusOr<core::HandleView> handle = core.ViewHandle(id);
  const auto* map = handle.ok() ? std::get_if<core::MapView>(&*handle) : nullptr;
  if (map == nullptr || map->done) return std::nullopt;
  return map->items;
}

}  // namespace

absl::Status RequestDecoder::Read(v1::SessionRequest* request) {
  waits_.assign(shards_.size(), false);
  tasks_.clear();
  groups_.clear();
  maps_.clear();
  handle_requests_.clear();
  refused_.clear();
  refused_maps_.clear();
  without_args_.clear();
  absl::Status status = ReadHello(*request);
  if (status.ok()) status = CheckCounts(*request);
  if (!status.ok()) return status;
  for (v1::TaskGroup& group : *request->mutable_submit()) ReadTasks(&group);
  for (v1::MapGroup& group : *request->mutable_map()) ReadMap(&group);
  ReadHandleRequests(*request);
  if (greeting_) waits_.assign(shards_.size(), true);
  if (!Next()) Await(0);
  return absl::OkStatus();
}

absl::Status RequestDecoder::ReadHello(const v1::SessionRequest& request) {
  greeting_ = request.has_hello();
  if (greeting_ == greeted_) {
    return InvalidField("hello", greeted_
                                     ? "hello: this stream has said hello already; say it once, in the first request"
                                     : "hello: the first request of a session must have it");
  }
  if (!greeting_) return absl::OkStatus();
  const absl::StatusOr<core::HandleId> id = ReadId(request.hello().client_id(), "hello.client_id");
  if (!id.ok()) return id.status();
  client_ = SessionClient(*id);
  greeted_ = true;
  return absl::OkStatus();
}

absl::Status RequestDecoder::CheckCounts(const v1::SessionRequest& request) {
  std::uint64_t tasks = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  for (const v1::TaskGroup& group : request.submit()) {
    tasks += group.args_bytes_size();
    bytes += group.args().size();
  }
  for (const v1::MapGroup& group : request.map()) {
    items += group.item_bytes_size();
    bytes += group.items().size();
  }
  large_ = bytes > kLargeBytes || tasks + items > kLargeCount;
  const std::uint64_t most = options_.max_items_per_call;
  if (tasks > most) return TooMany("submit", absl::StrCat("submit: ", tasks, " tasks in one request; at most ", most));
  if (items > most) return TooMany("map", absl::StrCat("map: ", items, " items in one request; at most ", most));
  if (static_cast<std::uint64_t>(request.consumed_size()) > most) {
    return TooMany("consumed", absl::StrCat("consumed: more than ", most, " in one request"));
  }
  absl::Status status = CheckRuns(request.subscribe(), "subscribe");
  if (status.ok()) status = CheckRuns(request.cancel(), "cancel");
  if (status.ok()) status = CheckRuns(request.cancel_running(), "cancel_running");
  if (status.ok()) status = CheckRuns(request.release(), "release");
  return status;
}

absl::Status RequestDecoder::CheckRuns(const v1::IdRuns& runs, std::string_view field) const {
  if (runs.high_size() != runs.low_size() || runs.high_size() != runs.count_size()) {
    return InvalidField(
        field, absl::StrCat(ToAbsl(field), ": high, low and count have ", runs.high_size(), ", ", runs.low_size(),
                            " and ", runs.count_size(), " entries; they must have the same number"));
  }
  for (int i = 0; i < runs.count_size(); ++i) {
    if (!GoBeyond(runs.low(i), runs.count(i))) continue;
    return InvalidField(field, absl::StrCat(ToAbsl(field), ": ", runs.count(i), " handles from ", runs.low(i),
                                            " on go beyond the largest 64-bit number"));
  }
  const std::uint64_t ids = Sum(runs.count());
  if (ids <= options_.max_items_per_call) return absl::OkStatus();
  return TooMany(
      field, absl::StrCat(ToAbsl(field), ": ", ids, " handles in one request; at most ", options_.max_items_per_call));
}

void RequestDecoder::ReadTasks(v1::TaskGroup* group) {
  const std::size_t begin = tasks_.size();
  const absl::Status status = ReadTaskGroup(group);
  if (status.ok()) return;
  if (const auto upload = ParseId(group->upload_id())) uploads_->Drop(*upload);
  tasks_.resize(begin);
  const bool perhaps_known = absl::IsNotFound(status) || absl::IsResourceExhausted(status);
  const std::size_t shard = perhaps_known ? shards_.OfPool(group->pool()) : 0;
  for (int i = 0; i < group->args_bytes_size() && !GoBeyond(group->first_id_low(), i + 1); ++i) {
    RefusedHandle refused{IdBytes({group->id_high(), group->first_id_low() + i}), status};
    if (!perhaps_known) {
      refused_.push_back(std::move(refused));
    } else {
      without_args_.push_back({shard, std::move(refused)});
      Await(shard);
    }
  }
}

absl::StatusOr<core::Bytes> RequestDecoder::ReadArgs(v1::TaskGroup* group) {
  const bool uploaded = !group->upload_id().empty() || group->has_in_arena();
  const absl::Status status = CheckEncoding(group->encoding(), uploaded || !group->args().empty(), "submit.encoding");
  if (!status.ok()) return status;
  if (uploaded && (group->args_bytes_size() != 1 || !group->args().empty())) {
    const char* const field = group->has_in_arena() ? "submit.in_arena" : "submit.upload_id";
    return InvalidField(field, absl::StrCat(field, ": it stands for the arguments of exactly one task"));
  }
  if (uploaded) return TakeShared(*group);
  const std::uint64_t bytes = Sum(group->args_bytes());
  if (bytes != group->args().size()) {
    return InvalidField("submit.args_bytes", absl::StrCat("submit.args_bytes: they sum up to ", bytes,
                                                          ", but args has ", group->args().size(), " bytes"));
  }
  return CountArguments(std::move(*group->mutable_args()), 0, *options_.memory);
}

absl::StatusOr<core::Bytes> RequestDecoder::TakeShared(const v1::TaskGroup& group) const {
  if (!group.has_in_arena()) return uploads_->Take(group.upload_id());
  const v1::ArenaSlot& at = group.in_arena();
  const std::shared_ptr<base::Arena> arena = options_.spool->FindArena(at.arena());
  if (arena != nullptr) {
    const auto file = arena->Take({at.slot(), at.use()}, at.bytes());
    if (file.ok()) return core::Bytes(*file, (*file)->view());
    if (absl::IsInvalidArgument(file.status()))
      return InvalidField("submit.in_arena", wire::ToStd(file.status().message()));
  }
  return core::MakeError(absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND",
                         "the arguments are not in that arena: a submission took them, or the arena is gone; send "
                         "them again",
                         "in_arena");
}

absl::Status RequestDecoder::ReadTaskGroup(v1::TaskGroup* group) {
  if (group->args_bytes().empty()) return absl::OkStatus();
  absl::Status status = CheckPoolName(group->pool(), "submit.pool");
  if (status.ok()) status = CheckFunctionName(group->function(), "submit.function");
  if (status.ok()) status = CheckTypeName(group->type_name(), "submit.type_name");
  if (!status.ok()) return status;
  if (GoBeyond(group->first_id_low(), group->args_bytes_size())) {
    return InvalidField("submit.first_id_low",
                        absl::StrCat("submit.first_id_low: ", group->args_bytes_size(), " tasks from ",
                                     group->first_id_low(), " on go beyond the largest 64-bit number"));
  }
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> options =
      ReadOptions(group->has_options(), group->options());
  if (!options.ok()) return options.status();
  absl::StatusOr<core::Bytes> args = ReadArgs(group);
  if (!args.ok()) return args.status();

  Tasks tasks{.shard = shards_.OfPool(group->pool()),
              .begin = tasks_.size(),
              .count = static_cast<std::size_t>(group->args_bytes_size())};
  Await(tasks.shard);
  Learn({group->id_high(), group->first_id_low()}, tasks.count, tasks.shard);
  tasks.group.client = client_;
  tasks.group.pool = group->pool();
  tasks.group.function = group->function();
  tasks.group.options = *std::move(options);
  tasks.upload_id = group->upload_id();
  const auto encoding = static_cast<core::Encoding>(group->encoding());
  const std::shared_ptr<const std::string> type_name = TypeName(group->type_name());
  std::size_t at = 0;
  std::uint64_t low = group->first_id_low();
  for (const std::uint32_t bytes : group->args_bytes()) {
    core::NewTask& task = tasks_.emplace_back();
    task.id = {group->id_high(), low++};
    task.args.encoding = encoding;
    task.args.type_name = type_name;
    const bool all = !group->upload_id().empty() || group->has_in_arena();
    task.args.data = all ? *args : args->Slice(at, bytes);
    at += bytes;
  }
  groups_.push_back(std::move(tasks));
  return absl::OkStatus();
}

void RequestDecoder::ReadMap(v1::MapGroup* group) {
  const std::size_t shard = CheckPoolName(group->pool(), "map.pool").ok() ? shards_.OfPool(group->pool()) : 0;
  Await(shard);
  absl::StatusOr<core::MapGroup> read = ReadMapGroup(group);
  if (read.ok()) {
    Learn(read->id, 1, shard);
    maps_.push_back({shard, *std::move(read)});
  } else {
    refused_maps_.push_back({shard, {group->id(), read.status()}});
  }
}

absl::StatusOr<core::MapGroup> RequestDecoder::ReadMapGroup(v1::MapGroup* group) {
  absl::StatusOr<core::HandleId> id = ReadId(group->id(), "map.id");
  if (!id.ok()) return id.status();
  absl::Status status = CheckPoolName(group->pool(), "map.pool");
  if (status.ok()) status = CheckFunctionName(group->function(), "map.function");
  if (status.ok()) status = CheckTypeName(group->type_name(), "map.type_name");
  if (!status.ok()) return status;
  if (group->has_chunk_size() && group->chunk_size() == 0) {
    return InvalidField("map.chunk_size", "map.chunk_size: 0 is not possible; leave it unset for automatic chunks");
  }
  status = CheckEncoding(group->encoding(), !group->items().empty(), "map.encoding");
  if (!status.ok()) return status;
  const std::uint64_t bytes = Sum(group->item_bytes());
  if (bytes != group->items().size()) {
    return InvalidField("map.item_bytes", absl::StrCat("map.item_bytes: they sum up to ", bytes, ", but items has ",
                                                       group->items().size(), " bytes"));
  }
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> options =
      ReadOptions(group->has_options(), group->options());
  if (!options.ok()) return options.status();

  core::MapGroup map;
  map.client = client_;
  map.pool = group->pool();
  map.function = group->function();
  map.options = *std::move(options);
  map.id = *id;
  map.first_index = group->first_index();
  map.encoding = static_cast<core::Encoding>(group->encoding());
  map.type_name = TypeName(group->type_name());
  map.complete = group->complete();
  map.chunk_size = group->chunk_size();
  map.fail_fast = group->fail_fast();
  if (!group->item_bytes().empty()) {
    auto column = std::make_shared<core::ItemColumn>();
    column->lengths.assign(group->item_bytes().begin(), group->item_bytes().end());
    const std::uint64_t beside = kColumnBytes + column->lengths.size() * sizeof(std::uint32_t);
    absl::StatusOr<core::Bytes> data = CountArguments(std::move(*group->mutable_items()), beside, *options_.memory);
    if (!data.ok()) return data.status();
    column->data = *std::move(data);
    map.items = std::move(column);
  }
  return map;
}

absl::StatusOr<std::shared_ptr<const core::TaskOptions>> RequestDecoder::ReadOptions(bool has,
                                                                                     const v1::TaskOptions& options) {
  static const auto* const kDefaults = new auto(std::make_shared<const core::TaskOptions>());
  if (!has) return *kDefaults;
  absl::StatusOr<core::TaskOptions> read = ReadTaskOptions(options);
  if (!read.ok()) return read.status();
  if (*read != *last_options_) last_options_ = std::make_shared<const core::TaskOptions>(*std::move(read));
  return last_options_;
}

std::shared_ptr<const std::string> RequestDecoder::TypeName(const std::string& name) {
  if (name.empty()) return nullptr;
  if (last_type_name_ == nullptr || *last_type_name_ != name)
    last_type_name_ = std::make_shared<const std::string>(name);
  return last_type_name_;
}

void RequestDecoder::ReadHandleRequests(const v1::SessionRequest& request) {
  ReadRuns(request.subscribe(), HandleRequest::What::kSubscribe);
  ReadRuns(request.cancel(), HandleRequest::What::kCancel);
  ReadRuns(request.cancel_running(), HandleRequest::What::kCancelRunning);
  ReadRuns(request.release(), HandleRequest::What::kRelease);
  for (const v1::ItemsConsumed& consumed : request.consumed()) {
    const std::optional<core::HandleId> map = ParseId(consumed.id());
    if (!map) continue;
    AddHandleRequest({.what = HandleRequest::What::kConsumed,
                      .first = *map,
                      .shard = HomeOf(*map),
                      .others = shards_.size() - 1,
                      .first_item = consumed.first_index(),
                      .items = consumed.count()});
  }
}

// Each piece has one home.
void RequestDecoder::ReadRuns(const v1::IdRuns& runs, HandleRequest::What what) {
  for (int run = 0; run < runs.count_size(); ++run) {
    core::HandleId id{runs.high(run), runs.low(run)};
    for (std::uint64_t left = runs.count(run); left > 0;) {
      const std::uint64_t in_stretch = wire::kHandleStretch - id.low % wire::kHandleStretch;
      const std::uint64_t count = shards_.size() == 1 ? left : std::min(left, in_stretch);
      AddHandleRequest({.what = what, .first = id, .count = count, .shard = HomeOf(id), .others = shards_.size() - 1});
      id.low += count;
      left -= count;
    }
  }
}

void RequestDecoder::AddHandleRequest(const HandleRequest& asked) {
  Await(asked.shard);
  if (asked.what != HandleRequest::What::kConsumed && !handle_requests_.empty()) {
    HandleRequest& last = handle_requests_.back();
    const bool goes_on = last.what == asked.what && last.shard == asked.shard && last.others == asked.others &&
                         last.first.high == asked.first.high && last.first.low + last.count == asked.first.low;
    if (goes_on) {
      last.count += asked.count;
      return;
    }
  }
  handle_requests_.push_back(asked);
}

void RequestDecoder::Learn(const core::HandleId& first, std::uint64_t count, std::size_t shard) {
  if (shards_.size() == 1) return;
  for (std::uint64_t done = 0; done < count;) {
    const core::HandleId id{first.high, first.low + done};
    homes_.Learn(id, shard);
    done += wire::kHandleStretch - id.low % wire::kHandleStretch;
  }
}

bool RequestDecoder::TakeLarge() {
  if (!large_) return false;
  tasks_ = {};
  groups_ = {};
  maps_ = {};
  handle_requests_ = {};
  return std::exchange(large_, false);
}

std::optional<std::size_t> RequestDecoder::Next() const {
  const auto next = std::find(waits_.begin(), waits_.end(), true);
  if (next == waits_.end()) return std::nullopt;
  return next - waits_.begin();
}

void RequestDecoder::Apply(core::Core& core, core::Nanos now, core::SubscriberId subscriber,
                           const core::ClientOrigin& origin) {
  const std::size_t shard = *Next();
  waits_[shard] = false;
  ApplyTasks(shard, core, now, subscriber, origin);
  ApplyMaps(shard, core, now, subscriber, origin);
  ApplyHandleRequests(shard, core, now, subscriber);
}

void RequestDecoder::ApplyTasks(std::size_t shard, core::Core& core, core::Nanos now, core::SubscriberId subscriber,
                                const core::ClientOrigin& origin) {
  for (RefusedPart& one : without_args_) {
    if (one.shard != shard) continue;
    const std::optional<core::HandleId> id = ParseId(one.handle.id);
    if (!id || !core.OnSubscribe(now, subscriber, *id).ok()) refused_.push_back(std::move(one.handle));
  }
  std::erase_if(without_args_, [shard](const RefusedPart& one) { return one.shard == shard; });
  for (Tasks& tasks : groups_) {
    if (tasks.shard != shard) continue;
    tasks.group.subscriber = subscriber;
    tasks.group.origin = origin;
    const std::size_t refused_before = refusals_.size();
    core.OnSubmit(now, tasks.group, std::span(tasks_).subspan(tasks.begin, tasks.count), &refusals_);
    if (tasks.upload_id.empty() || refusals_.size() == refused_before) continue;
    uploads_->GiveBack(tasks.upload_id, std::move(tasks_[tasks.begin].args.data), refusals_.back().why, now);
  }
  std::erase_if(groups_, [shard](const Tasks& tasks) { return tasks.shard == shard; });
  for (core::Refusal& refusal : refusals_) refused_.push_back({IdBytes(refusal.id), std::move(refusal.why)});
  refusals_.clear();
  // They are the core's now, or nobody's.
  if (groups_.empty()) tasks_.clear();
}

void RequestDecoder::ApplyMaps(std::size_t shard, core::Core& core, core::Nanos now, core::SubscriberId subscriber,
                               const core::ClientOrigin& origin) {
  for (RefusedPart& one : refused_maps_) {
    if (one.shard != shard) continue;
    if (const auto id = ParseId(one.handle.id)) one.handle.accepted_items = AcceptedItems(core, *id);
    refused_.push_back(std::move(one.handle));
  }
  std::erase_if(refused_maps_, [shard](const RefusedPart& one) { return one.shard == shard; });
  for (Map& map : maps_) {
    if (map.shard != shard) continue;
    map.group.subscriber = subscriber;
    map.group.origin = origin;
    const absl::StatusOr<std::uint64_t> items = core.OnMap(now, map.group);
    if (items.ok()) continue;
    refused_.push_back({IdBytes(map.group.id), items.status()});
    if (!absl::IsAlreadyExists(items.status())) refused_.back().accepted_items = AcceptedItems(core, map.group.id);
  }
  std::erase_if(maps_, [shard](const Map& map) { return map.shard == shard; });
}

void RequestDecoder::ApplyHandleRequests(std::size_t shard, core::Core& core, core::Nanos now,
                                         core::SubscriberId subscriber) {
  for (const HandleRequest& asked : std::exchange(handle_requests_, {})) {
    if (asked.shard != shard) {
      AddHandleRequest(asked);
      continue;
    }
    for (std::uint64_t i = 0; i < asked.count; ++i) {
      const core::HandleId id{asked.first.high, asked.first.low + i};
      const absl::Status found = Ask(asked, id, core, now, subscriber);
      const bool stray = asked.others > 0 && !found.ok() && core.Knows(id) == core::Known::kNo;
      if (stray) {
        LookElsewhere(asked, id);
      } else if (!found.ok() && asked.what == HandleRequest::What::kSubscribe) {
        refused_.push_back({IdBytes(id), found});
      }
    }
  }
}

// What a cancel comes to shows in the outcome; what is not known any more is nothing to cancel, or to release.
absl::Status RequestDecoder::Ask(const HandleRequest& asked, const core::HandleId& id, core::Core& core,
                                 core::Nanos now, core::SubscriberId subscriber) const {
  switch (asked.what) {
    case HandleRequest::What::kSubscribe:
      return core.OnSubscribe(now, subscriber, id);
    case HandleRequest::What::kCancel:
    case HandleRequest::What::kCancelRunning:
      return core.OnCancel(now, id, asked.what == HandleRequest::What::kCancelRunning).status();
    case HandleRequest::What::kRelease:
      return core.OnRelease(now, id) || uploads_->Drop(id) ? absl::OkStatus() : absl::NotFoundError("");
    case HandleRequest::What::kConsumed:
      core.OnConsumed(now, id, asked.first_item, asked.items);
      return asked.others == 0 || core.Knows(id) == core::Known::kYes ? absl::OkStatus() : absl::NotFoundError("");
  }
  return absl::OkStatus();
}

void RequestDecoder::LookElsewhere(const HandleRequest& asked, const core::HandleId& id) {
  HandleRequest elsewhere = asked;
  elsewhere.first = id;
  elsewhere.count = 1;
  elsewhere.shard = (asked.shard + 1) % shards_.size();
  --elsewhere.others;
  AddHandleRequest(elsewhere);
}

}  // namespace poold::rpc
