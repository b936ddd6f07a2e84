// Submit: tasks, and perhaps their outcomes.
#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/read_work.h"
#include "api/validate.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::api {
namespace {

// What does not fit into kMostAnswerBytes is said in short, which takes so much for each task at most.
constexpr std::size_t kShortBytes = 96;
// For the first ones, however many there are.
constexpr std::size_t kSomeInFull = 64 << 10;
// What the fields around a message of up to 4 MiB take.
constexpr std::size_t kFrameBytes = 8;
// Arguments from here on are not copied.
constexpr std::size_t kLargeBytes = 64 << 10;

// What became of one task of a Submit.
struct Submission {
  core::HandleId id;
  absl::Status refused;
  std::string upload_id;
  std::optional<core::HandleView> view;  // with wait_timeout
};

// Neighbouring tasks that go to the core together.
struct Run {
  std::string_view function;  // in the request
  std::shared_ptr<const core::TaskOptions> options;
  std::size_t begin = 0;
  std::size_t count = 0;
};

// A Submit. Where it waits for its tasks, each answer of the core fills one submission; the last one answers the call.
struct Submitting {
  std::vector<Submission> tasks;
  std::vector<engine::PendingCall> waiting;  // in the order of the accepted tasks
  // Answers, and the end of the submission itself.
  std::atomic<std::size_t> missing = 1;
};

// Neighbours that enter the core together.
struct Slice {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::string FieldOf(std::size_t place) { return absl::StrCat("tasks[", place, "]"); }

// The tasks of one request, as the core takes them: what they have in common is there once. The core takes their
// arguments out of it.
class SubmitIntake {
 public:
  SubmitIntake(v1::SubmitRequest* request, ServiceContext* context) : request_(*request), context_(*context) {}

  // Beside `tasks`, which become as many as the request has. The ids that clients chose are claimed until it goes.
  void Read(std::vector<Submission>* tasks);
  // Inside an event: these of the tasks.
  void Apply(const engine::Visit& visit, const Caller& caller, const Slice& slice, std::vector<Submission>* tasks);
  // Those that were refused wait again, or are dropped.
  void GiveBackUploads(const std::vector<Submission>& tasks);

 private:
  void ReadIds(std::vector<Submission>* tasks);
  absl::Status ReadTask(v1::TaskSpec* spec, std::size_t place, Submission* out);
  absl::Status ReadArgs(v1::TaskSpec* spec, const std::string& field, std::size_t place, Submission* out);
  void AddToRun(std::string_view function, core::TaskOptions options, std::size_t place);
  absl::Status KeepArguments();

  v1::SubmitRequest& request_;
  ServiceContext& context_;
  engine::ClaimedIds claimed_;
  std::vector<core::NewTask> tasks_;
  std::vector<Run> runs_;
  // Arguments that are neither few nor large, one behind the other, and where those of which task begin.
  std::string gathered_;
  std::vector<std::pair<std::size_t, std::size_t>> gathered_at_;
};

void SubmitIntake::AddToRun(std::string_view function, core::TaskOptions options, std::size_t place) {
  static const auto* const kDefaults = new auto(std::make_shared<const core::TaskOptions>());
  Run* const last = runs_.empty() ? nullptr : &runs_.back();
  const bool same_options = last != nullptr && *last->options == options;
  if (same_options && last->function == function && last->begin + last->count == place) {
    ++last->count;
    return;
  }
  std::shared_ptr<const core::TaskOptions> shared;
  if (same_options) {
    shared = last->options;
  } else {
    shared = options == **kDefaults ? *kDefaults : std::make_shared<const core::TaskOptions>(std::move(options));
  }
  runs_.push_back({function, std::move(shared), place, 1});
}

absl::Status SubmitIntake::ReadArgs(v1::TaskSpec* spec, const std::string& field, std::size_t place, Submission* out) {
  absl::StatusOr<core::Payload> args = ReadPayload(spec->mutable_args(), field + ".args");
  if (!args.ok()) return args.status();
  core::NewTask& task = tasks_[place];
  const std::shared_ptr<const std::string>* const before = place > 0 ? &tasks_[place - 1].args.type_name : nullptr;
  const bool same_type =
      before != nullptr && *before != nullptr && args->type_name != nullptr && **before == *args->type_name;
  task.args.encoding = args->encoding;
  task.args.type_name = same_type ? *before : std::move(args->type_name);
  if (!spec->args().upload_id().empty()) {
    absl::StatusOr<core::Bytes> uploaded = context_.uploads.Take(spec->args().upload_id());
    if (!uploaded.ok()) return uploaded.status();
    out->upload_id = spec->args().upload_id();
    task.args.data = *std::move(uploaded);
  } else if (args->data.size() <= core::Bytes::kFew) {
    task.args.data = core::Bytes::Few(args->data.view());
  } else if (args->data.size() >= kLargeBytes) {
    absl::StatusOr<core::Bytes> counted = CountArguments(std::move(args->data), *context_.options.memory);
    if (!counted.ok()) return counted.status();
    task.args.data = *std::move(counted);
  } else {
    gathered_at_.emplace_back(place, gathered_.size());
    gathered_ += args->data.view();
  }
  return absl::OkStatus();
}

void SubmitIntake::ReadIds(std::vector<Submission>* tasks) {
  std::vector<core::HandleId> ids;
  std::vector<std::size_t> places;  // of each id
  for (std::size_t i = 0; i < tasks->size(); ++i) {
    const std::string& given = request_.tasks(static_cast<int>(i)).id();
    if (given.empty()) continue;
    const absl::StatusOr<core::HandleId> id = ReadId(given, FieldOf(i) + ".id");
    (*tasks)[i].refused = id.status();
    if (!id.ok()) continue;
    (*tasks)[i].id = *id;
    ids.push_back(*id);
    places.push_back(i);
  }
  if (ids.empty()) return;
  std::vector<absl::Status> why;
  const auto field = [&](std::size_t place) { return FieldOf(places[place]) + ".id"; };
  claimed_ = context_.engine.ClaimIds(request_.pool(), ids, field, &why);
  for (std::size_t i = 0; i < ids.size(); ++i) (*tasks)[places[i]].refused = std::move(why[i]);
}

absl::Status SubmitIntake::ReadTask(v1::TaskSpec* spec, std::size_t place, Submission* out) {
  const std::string field = FieldOf(place);
  if (absl::Status status = CheckFunctionName(spec->function(), field + ".function"); !status.ok()) return status;
  absl::StatusOr<core::TaskOptions> options = ReadTaskOptions(spec->options());
  if (!options.ok()) return options.status();
  if (absl::Status status = ReadArgs(spec, field, place, out); !status.ok()) return status;
  AddToRun(spec->function(), *std::move(options), place);
  return absl::OkStatus();
}

absl::Status SubmitIntake::KeepArguments() {
  if (gathered_at_.empty()) return absl::OkStatus();
  gathered_.shrink_to_fit();
  const std::size_t end = gathered_.size();
  absl::StatusOr<core::Bytes> all = CountArguments(std::move(gathered_), 0, *context_.options.memory);
  if (!all.ok()) return all.status();
  for (std::size_t i = 0; i < gathered_at_.size(); ++i) {
    const auto [place, begin] = gathered_at_[i];
    const std::size_t next = i + 1 < gathered_at_.size() ? gathered_at_[i + 1].second : end;
    tasks_[place].args.data = all->Slice(begin, next - begin);
  }
  return absl::OkStatus();
}

void SubmitIntake::Read(std::vector<Submission>* tasks) {
  tasks->resize(request_.tasks_size());
  tasks_.resize(request_.tasks_size());
  ReadIds(tasks);
  for (int i = 0; i < request_.tasks_size(); ++i) {
    Submission& task = (*tasks)[i];
    if (task.refused.ok()) task.refused = ReadTask(request_.mutable_tasks(i), i, &task);
    if (task.refused.ok()) continue;
    // It was refused for its form, before its upload was taken.
    if (const auto upload = ParseId(request_.tasks(i).args().upload_id())) context_.uploads.Drop(*upload);
  }
  const absl::Status kept = KeepArguments();
  if (kept.ok()) return;
  runs_.clear();
  for (Submission& task : *tasks) task.refused.Update(kept);
}

void SubmitIntake::Apply(const engine::Visit& visit, const Caller& caller, const Slice& slice,
                         std::vector<Submission>* tasks) {
  for (std::size_t i = slice.begin; i < slice.end; ++i) {
    if (request_.tasks(static_cast<int>(i)).id().empty()) (*tasks)[i].id = visit.NewHandle();
    tasks_[i].id = (*tasks)[i].id;
  }
  std::vector<core::Refusal> refused;
  for (const Run& run : runs_) {
    const std::size_t begin = std::max(run.begin, slice.begin);
    const std::size_t end = std::min(run.begin + run.count, slice.end);
    if (begin >= end) continue;
    const core::TaskGroup group{.client = caller.client,
                                .pool = request_.pool(),
                                .function = run.function,
                                .options = run.options,
                                .origin = caller.origin};
    visit.core.OnSubmit(visit.now, group, std::span(tasks_).subspan(begin, end - begin), &refused);
    for (core::Refusal& refusal : refused) (*tasks)[begin + refusal.place].refused = std::move(refusal.why);
    refused.clear();
  }
}

void SubmitIntake::GiveBackUploads(const std::vector<Submission>& tasks) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].refused.ok() || tasks[i].upload_id.empty()) continue;
    context_.uploads.GiveBack(tasks[i].upload_id, std::move(tasks_[i].args.data), tasks[i].refused,
                              context_.clock->Now());
  }
}

// False: it does not fit.
bool TakeRoom(const google::protobuf::MessageLite& message, std::size_t* room) {
  const std::size_t bytes = message.ByteSizeLong() + kFrameBytes;
  if (bytes > *room) return false;
  *room -= bytes;
  return true;
}

// Of the result that WriteView would copy, so that what cannot fit is not.
std::size_t InlineBytes(const core::HandleView& view, const ServiceContext& context) {
  const auto* task = std::get_if<core::TaskView>(&view);
  const std::size_t bytes = task == nullptr || task->outcome == nullptr ? 0 : task->outcome->result.data.size();
  return bytes > context.options.max_inline_result_bytes ? 0 : bytes;
}

void WriteRefusal(const absl::Status& why, bool in_full, google::rpc::Status* out) {
  if (in_full) {
    *out = ToProto(why);
  } else {
    out->Clear();
    out->set_code(static_cast<int>(why.code()));
    out->set_message(core::DetailOf(why).reason);
  }
}

void WriteView(const core::HandleView& view, const DisplayContext& display, const ServiceContext& context, bool in_full,
               v1::Task* out) {
  const auto* task = std::get_if<core::TaskView>(&view);
  if (task == nullptr) return;
  if (in_full) {
    WriteTask(*task, display, context.options.max_inline_result_bytes, out);
  } else {
    out->set_id(IdBytes(task->id));
    out->set_state(static_cast<v1::TaskState>(task->state));
  }
}

v1::SubmitResponse SubmitAnswer(const std::vector<Submission>& tasks, const ServiceContext& context) {
  const DisplayContext display = context.display();
  v1::SubmitResponse response;
  const std::size_t in_short = std::min(kMostAnswerBytes - kSomeInFull, tasks.size() * kShortBytes);
  std::size_t room = kMostAnswerBytes - in_short;
  for (const Submission& task : tasks) {
    v1::SubmitResult* result = response.add_results();
    result->set_id(IdBytes(task.id));
    if (task.refused.ok()) continue;
    WriteRefusal(task.refused, /*in_full=*/true, result->mutable_error());
    if (!TakeRoom(*result, &room)) WriteRefusal(task.refused, /*in_full=*/false, result->mutable_error());
  }
  for (const Submission& task : tasks) {
    if (!task.view) continue;
    v1::Task* view = response.add_tasks();
    const bool may_fit = InlineBytes(*task.view, context) <= room;
    if (may_fit) WriteView(*task.view, display, context, /*in_full=*/true, view);
    if (may_fit && TakeRoom(*view, &room)) continue;
    view->Clear();
    WriteView(*task.view, display, context, /*in_full=*/false, view);
  }
  return response;
}

// Inside the event that submitted: asks for each accepted task.
void AwaitTasks(const std::shared_ptr<SubmitCall>& call, const std::shared_ptr<Submitting>& submitting,
                core::Nanos wait, const Slice& slice, const engine::Visit& visit) {
  const core::WorkerId from = call->task_worker();
  std::size_t next = submitting->waiting.size();
  for (std::size_t i = slice.begin; i < slice.end; ++i) {
    if (!submitting->tasks[i].refused.ok()) continue;
    ++submitting->missing;
    submitting->waiting.push_back(visit.Expect([call, submitting, i](engine::Answer answer) {
      auto& view = std::get<absl::StatusOr<core::HandleView>>(answer);
      if (view.ok()) submitting->tasks[i].view = *std::move(view);
      if (--submitting->missing == 0) call->Answer(SubmitAnswer(submitting->tasks, call->service()));
    }));
  }
  for (std::size_t i = slice.begin; i < slice.end; ++i) {
    const Submission& task = submitting->tasks[i];
    if (task.refused.ok()) visit.core.OnGet(visit.now, submitting->waiting[next++].id, task.id, wait, from);
  }
}

// A request that was refused as a whole.
void DropUploads(const v1::SubmitRequest& request, ServiceContext& context) {
  for (const v1::TaskSpec& spec : request.tasks()) {
    if (const auto upload = ParseId(spec.args().upload_id())) context.uploads.Drop(*upload);
  }
}

}  // namespace

void Submit(const std::shared_ptr<SubmitCall>& call) {
  ServiceContext& context = call->service();
  v1::SubmitRequest& request = call->request();
  absl::Status status = CheckPoolName(request.pool(), "pool");
  if (status.ok()) status = CheckCount(request.tasks_size(), "tasks", context);
  const absl::StatusOr<core::Nanos> wait = ReadWait(request.has_wait_timeout(), request.wait_timeout(), context);
  if (status.ok()) status = wait.status();
  if (!status.ok()) {
    DropUploads(request, context);
    return call->Refuse(status);
  }

  auto submitting = std::make_shared<Submitting>();
  SubmitIntake intake(&request, &context);
  intake.Read(&submitting->tasks);
  const Caller caller = call->caller();
  const bool waits = request.has_wait_timeout();
  const std::size_t count = submitting->tasks.size();
  for (Slice slice; slice.begin < count; slice.begin = slice.end) {
    slice.end = std::min(count, slice.begin + core::kSlice);
    context.engine.VisitPool(request.pool(), [&](const engine::Visit& visit) {
      intake.Apply(visit, caller, slice, &submitting->tasks);
      if (waits) AwaitTasks(call, submitting, *wait, slice, visit);
    });
  }
  OneSuggestion suggestion(context);
  for (Submission& task : submitting->tasks) suggestion.AddTo(&task.refused);
  intake.GiveBackUploads(submitting->tasks);
  call->DropRequest();
  if (--submitting->missing == 0) return call->Answer(SubmitAnswer(submitting->tasks, context));
  call->OnCancelled([submitting] { engine::DropAll(submitting->waiting); });
}

}  // namespace poold::api
