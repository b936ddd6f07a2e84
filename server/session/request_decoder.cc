#include "session/request_decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/read_work.h"
#include "wire/absl_text.h"

namespace poold::session {
namespace {

using wire::ToAbsl;

constexpr api::WorkFields kSubmitFields{"submit.pool", "submit.function", "submit.type_name", "submit.encoding"};
constexpr api::WorkFields kMapFields{"map.pool", "map.function", "map.type_name", "map.encoding", "map.chunk_size"};
constexpr std::uint64_t kLargeBytes = 1 << 20;
constexpr std::uint64_t kLargeCount = 16'384;

template <typename Lengths>
std::uint64_t Sum(const Lengths& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
}

// The last of `count` ids from `low` on is no 64-bit number.
bool GoBeyond(std::uint64_t low, std::uint64_t count) { return count > 0 && low + (count - 1) < low; }

}  // namespace

absl::Status RequestDecoder::Read(v1::SessionRequest* request) {
  batch_.ClearAsked();
  batch_.ClearRefused();
  refused_.clear();
  absl::Status status = ReadHello(*request);
  if (status.ok()) status = CheckCounts(*request);
  if (!status.ok()) return status;
  for (v1::TaskGroup& group : *request->mutable_submit()) ReadTasks(&group);
  for (v1::MapGroup& group : *request->mutable_map()) ReadMap(&group);
  ReadHandleRequests(*request);
  return absl::OkStatus();
}

absl::Status RequestDecoder::ReadHello(const v1::SessionRequest& request) {
  greeting_ = request.has_hello();
  if (greeting_ == greeted_) {
    return api::InvalidField("hello",
                             greeted_ ? "hello: this stream has said hello already; say it once, in the first request"
                                      : "hello: the first request of a session must have it");
  }
  if (!greeting_) return absl::OkStatus();
  const absl::StatusOr<core::HandleId> id = api::ReadId(request.hello().client_id(), "hello.client_id");
  if (!id.ok()) return id.status();
  client_ = api::SessionClient(*id);
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
  if (tasks > most)
    return api::TooMany("submit", absl::StrCat("submit: ", tasks, " tasks in one request; at most ", most));
  if (items > most) return api::TooMany("map", absl::StrCat("map: ", items, " items in one request; at most ", most));
  if (static_cast<std::uint64_t>(request.consumed_size()) > most) {
    return api::TooMany("consumed", absl::StrCat("consumed: more than ", most, " in one request"));
  }
  absl::Status status = CheckRuns(request.subscribe(), "subscribe");
  if (status.ok()) status = CheckRuns(request.cancel(), "cancel");
  if (status.ok()) status = CheckRuns(request.cancel_running(), "cancel_running");
  if (status.ok()) status = CheckRuns(request.release(), "release");
  return status;
}

absl::Status RequestDecoder::CheckRuns(const v1::IdRuns& runs, std::string_view field) const {
  if (runs.high_size() != runs.low_size() || runs.high_size() != runs.count_size()) {
    return api::InvalidField(
        field, absl::StrCat(ToAbsl(field), ": high, low and count have ", runs.high_size(), ", ", runs.low_size(),
                            " and ", runs.count_size(), " entries; they must have the same number"));
  }
  for (int i = 0; i < runs.count_size(); ++i) {
    if (!GoBeyond(runs.low(i), runs.count(i))) continue;
    return api::InvalidField(field, absl::StrCat(ToAbsl(field), ": ", runs.count(i), " handles from ", runs.low(i),
                                                 " on go beyond the largest 64-bit number"));
  }
  const std::uint64_t ids = Sum(runs.count());
  if (ids <= options_.max_items_per_call) return absl::OkStatus();
  return api::TooMany(
      field, absl::StrCat(ToAbsl(field), ": ", ids, " handles in one request; at most ", options_.max_items_per_call));
}

void RequestDecoder::ReadTasks(v1::TaskGroup* group) {
  const std::size_t begin = batch_.tasks.size();
  const absl::Status status = ReadTaskGroup(group);
  if (status.ok()) return;
  if (const auto upload = api::ParseId(group->upload_id())) uploads_->Drop(*upload);
  batch_.tasks.resize(begin);
  const bool perhaps_known = absl::IsNotFound(status) || absl::IsResourceExhausted(status);
  for (int i = 0; i < group->args_bytes_size() && !GoBeyond(group->first_id_low(), i + 1); ++i) {
    const core::HandleId id{group->id_high(), group->first_id_low() + i};
    if (perhaps_known) {
      batch_.without_args.push_back({group->pool(), {id, status}});
    } else {
      refused_.push_back({api::IdBytes(id), status});
    }
  }
}

absl::StatusOr<core::Bytes> RequestDecoder::ReadArgs(v1::TaskGroup* group) {
  const bool uploaded = !group->upload_id().empty() || group->has_in_arena();
  const absl::Status status =
      api::CheckEncoding(group->encoding(), uploaded || !group->args().empty(), kSubmitFields.encoding);
  if (!status.ok()) return status;
  if (uploaded && (group->args_bytes_size() != 1 || !group->args().empty())) {
    const char* const field = group->has_in_arena() ? "submit.in_arena" : "submit.upload_id";
    return api::InvalidField(field, absl::StrCat(field, ": it stands for the arguments of exactly one task"));
  }
  if (uploaded) return TakeShared(*group);
  const std::uint64_t bytes = Sum(group->args_bytes());
  if (bytes != group->args().size()) {
    return api::InvalidField("submit.args_bytes", absl::StrCat("submit.args_bytes: they sum up to ", bytes,
                                                               ", but args has ", group->args().size(), " bytes"));
  }
  return api::CountArguments(std::move(*group->mutable_args()), 0, *options_.memory);
}

absl::StatusOr<core::Bytes> RequestDecoder::TakeShared(const v1::TaskGroup& group) const {
  if (!group.has_in_arena()) return uploads_->Take(group.upload_id());
  const v1::ArenaSlot& at = group.in_arena();
  const std::shared_ptr<base::Arena> arena = options_.spool->FindArena(at.arena());
  if (arena != nullptr) {
    const auto file = arena->Take({at.slot(), at.use()}, at.bytes());
    if (file.ok()) return core::Bytes(*file, (*file)->view());
    if (absl::IsInvalidArgument(file.status()))
      return api::InvalidField("submit.in_arena", wire::ToStd(file.status().message()));
  }
  return core::MakeError(reason::kUploadNotFound,
                         "the arguments are not in that arena: a submission took them, or the arena is gone; send "
                         "them again",
                         "in_arena");
}

absl::Status RequestDecoder::ReadTaskGroup(v1::TaskGroup* group) {
  if (group->args_bytes().empty()) return absl::OkStatus();
  const absl::Status status = api::CheckWork(group->pool(), group->function(), group->type_name(), kSubmitFields);
  if (!status.ok()) return status;
  if (GoBeyond(group->first_id_low(), group->args_bytes_size())) {
    return api::InvalidField("submit.first_id_low",
                             absl::StrCat("submit.first_id_low: ", group->args_bytes_size(), " tasks from ",
                                          group->first_id_low(), " on go beyond the largest 64-bit number"));
  }
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> options =
      ReadOptions(group->has_options(), group->options());
  if (!options.ok()) return options.status();
  absl::StatusOr<core::Bytes> args = ReadArgs(group);
  if (!args.ok()) return args.status();

  engine::Batch::Tasks tasks{.begin = batch_.tasks.size(), .count = static_cast<std::size_t>(group->args_bytes_size())};
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
    core::NewTask& task = batch_.tasks.emplace_back();
    task.id = {group->id_high(), low++};
    task.args.encoding = encoding;
    task.args.type_name = type_name;
    const bool all = !group->upload_id().empty() || group->has_in_arena();
    task.args.data = all ? *args : args->Slice(at, bytes);
    at += bytes;
  }
  batch_.groups.push_back(std::move(tasks));
  return absl::OkStatus();
}

void RequestDecoder::ReadMap(v1::MapGroup* group) {
  absl::StatusOr<core::MapGroup> read = ReadMapGroup(group);
  if (read.ok()) {
    batch_.maps.push_back({*std::move(read)});
  } else if (const auto id = api::ParseId(group->id())) {
    batch_.refused_maps.push_back({group->pool(), {*id, read.status()}});
  } else {
    refused_.push_back({group->id(), read.status()});
  }
}

absl::StatusOr<core::MapGroup> RequestDecoder::ReadMapGroup(v1::MapGroup* group) {
  absl::StatusOr<core::HandleId> id = api::ReadId(group->id(), "map.id");
  if (!id.ok()) return id.status();
  absl::StatusOr<core::MapGroup> map =
      api::ReadMapHead(*group, group->type_name(), group->encoding(), !group->items().empty(), kMapFields);
  if (!map.ok()) return map.status();
  const std::uint64_t bytes = Sum(group->item_bytes());
  if (bytes != group->items().size()) {
    return api::InvalidField("map.item_bytes", absl::StrCat("map.item_bytes: they sum up to ", bytes,
                                                            ", but items has ", group->items().size(), " bytes"));
  }
  absl::StatusOr<std::shared_ptr<const core::TaskOptions>> options =
      ReadOptions(group->has_options(), group->options());
  if (!options.ok()) return options.status();

  absl::StatusOr<std::shared_ptr<const core::ItemColumn>> items = api::KeepItems(
      std::move(*group->mutable_items()), {group->item_bytes().begin(), group->item_bytes().end()}, *options_.memory);
  if (!items.ok()) return items.status();
  map->client = client_;
  map->id = *id;
  map->options = *std::move(options);
  map->type_name = TypeName(group->type_name());
  map->complete = group->complete();
  map->items = *std::move(items);
  return map;
}

absl::StatusOr<std::shared_ptr<const core::TaskOptions>> RequestDecoder::ReadOptions(bool has,
                                                                                     const v1::TaskOptions& options) {
  static const auto* const kDefaults = new auto(std::make_shared<const core::TaskOptions>());
  if (!has) return *kDefaults;
  absl::StatusOr<core::TaskOptions> read = api::ReadTaskOptions(options);
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
  ReadRuns(request.subscribe(), What::kSubscribe);
  ReadRuns(request.cancel(), What::kCancel);
  ReadRuns(request.cancel_running(), What::kCancelRunning);
  ReadRuns(request.release(), What::kRelease);
  for (const v1::ItemsConsumed& consumed : request.consumed()) {
    const std::optional<core::HandleId> map = api::ParseId(consumed.id());
    if (!map) continue;
    batch_.handle_requests.push_back(
        {.what = What::kConsumed, .first = *map, .first_item = consumed.first_index(), .items = consumed.count()});
  }
}

void RequestDecoder::ReadRuns(const v1::IdRuns& runs, What what) {
  for (int run = 0; run < runs.count_size(); ++run) {
    if (runs.count(run) == 0) continue;
    batch_.handle_requests.push_back(
        {.what = what, .first = {runs.high(run), runs.low(run)}, .count = runs.count(run)});
  }
}

bool RequestDecoder::TakeLarge() {
  if (!large_) return false;
  batch_.tasks = {};
  batch_.groups = {};
  batch_.maps = {};
  batch_.handle_requests = {};
  return std::exchange(large_, false);
}

std::vector<RefusedHandle> RequestDecoder::TakeRefused() {
  for (engine::Batch::Refused& one : batch_.refused) {
    refused_.push_back({api::IdBytes(one.id), std::move(one.why), one.accepted_items});
  }
  batch_.ClearRefused();
  return std::exchange(refused_, {});
}

void RequestDecoder::GiveBackUploads(core::Nanos now) {
  for (engine::Batch::Returned& one : batch_.returned) {
    uploads_->GiveBack(one.upload_id, std::move(one.bytes), one.why, now);
  }
  batch_.returned.clear();
}

}  // namespace poold::session
