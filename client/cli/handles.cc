// Get, wait, cancel, release: of any task or map, by its id.
#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/items/item_printer.h"
#include "cli/text/message_json.h"
#include "cli/text/outcome_text.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

absl::StatusOr<v1::GetResponse> GetUntil(const Patience& patience, v1::GetRequest request, const Daemon& daemon) {
  while (true) {
    *request.mutable_wait_timeout() = patience.Next();
    auto response = daemon.Get(request);
    if (!response.ok() || response->done() || patience.Over()) return response;
  }
}

// A result that was too large for the answer.
absl::Status Complete(v1::Task& task, const Daemon& daemon) {
  v1::Payload& result = *task.mutable_outcome()->mutable_result();
  if (!task.outcome().has_result() || result.size_bytes() <= result.data().size()) return absl::OkStatus();
  v1::DownloadRequest request;
  request.set_id(task.id());
  auto bytes = daemon.Download(request);
  if (!bytes.ok()) return bytes.status();
  result.set_data(*std::move(bytes));
  return absl::OkStatus();
}

ExitStatus PrintTask(const GetOptions& options, v1::Task& task, Context& context) {
  const bool done = task.has_outcome();
  if (absl::Status status = Complete(task, context.daemon()); !status.ok()) return Complain(status);
  if (context.json()) {
    PrintJson(JsonFromMessage(task));
    return StatusOf(task.state());
  }
  if (!done) {
    Warn(absl::StrCat(options.ids[0], " is ", StateWord(task.state()), "; ask again"));
    return ExitStatus::kWaitPassed;
  }
  return PrintOutcome(task.function(), task.outcome(), options.raw_output);
}

// How a task or map stands; of one that was released meanwhile nothing is known any more.
absl::StatusOr<v1::TaskState> StateOfHandle(const std::string& id, const Daemon& daemon) {
  v1::ExplainRequest request;
  request.set_id(id);
  auto answer = daemon.Explain(request);
  if (answer.ok()) return answer->entry().has_map() ? StateOf(answer->entry().map()) : answer->entry().task().state();
  if (client::ReasonOf(answer.status()) == reason::kHandleReleased) return v1::TASK_STATE_UNSPECIFIED;
  return answer.status();
}

std::string EndWord(v1::TaskState state) { return state == v1::TASK_STATE_UNSPECIFIED ? "released" : StateWord(state); }

// How those that were waited for have ended.
absl::StatusOr<std::vector<v1::TaskState>> StatesOf(const v1::WaitResponse& response, const Daemon& daemon) {
  std::vector<v1::TaskState> states;
  for (const std::string& id : response.done()) {
    auto state = StateOfHandle(id, daemon);
    if (!state.ok()) return state.status();
    states.push_back(*state);
  }
  return states;
}

void PrintWait(const v1::WaitResponse& response, const std::vector<v1::TaskState>& states, bool json) {
  if (json) {
    Json document = JsonFromMessage(response);
    document["states"] = Json::array();
    for (const v1::TaskState state : states) document["states"].push_back(EndWord(state));
    return PrintJson(document);
  }
  for (int i = 0; i < response.done_size(); ++i) {
    PrintBytes(absl::StrCat(HexFromId(response.done(i)), "\t", EndWord(states[static_cast<std::size_t>(i)]), "\n"));
  }
  for (const std::string& id : response.not_done()) PrintBytes(HexFromId(id) + "\twaiting\n");
}

// Why this one could not be cancelled.
const char* NotCancelled(const std::string& id, const Daemon& daemon) {
  auto state = StateOfHandle(id, daemon);
  return state.ok() && (*state == v1::TASK_STATE_RUNNING || *state == v1::TASK_STATE_QUEUED) ? "runs" : "had ended";
}

ExitStatus PrintMap(const v1::MapProgress& map, Context& context) {
  if (context.json()) {
    PrintJson(JsonFromMessage(map));
  } else {
    PrintLine(ProgressSentence(map));
  }
  if (!map.done()) return ExitStatus::kWaitPassed;
  return map.unsuccessful_items() > 0 ? ExitStatus::kFailed : ExitStatus::kOk;
}

// One of several handles.
ExitStatus PrintLineOf(v1::Task& task, bool raw, Context& context) {
  if (absl::Status status = Complete(task, context.daemon()); !status.ok()) return Complain(status);
  if (context.json()) {
    PrintJson(JsonFromMessage(task));
    return StatusOf(task.state());
  }
  const std::string id = HexFromId(task.id());
  const bool succeeded = task.state() == v1::TASK_STATE_SUCCEEDED;
  PrintBytes(
      absl::StrCat(id, "\t", succeeded ? ResultText(task.outcome().result(), raw) : StateWord(task.state()), "\n"));
  if (task.has_outcome() && !succeeded) {
    Warn(absl::StrCat(id, ": ", task.function(), " ", ExplainOutcome(task.outcome())));
  }
  return StatusOf(task.state());
}

ExitStatus PrintLineOf(absl::StatusOr<v1::GetResponse>& answer, bool raw, Context& context) {
  if (!answer.ok()) return Complain(answer.status());
  if (!answer->has_map()) return PrintLineOf(*answer->mutable_task(), raw, context);
  if (!context.json()) PrintBytes(HexFromId(answer->map().id()) + "\t");
  return PrintMap(answer->map(), context);
}

// A line for each handle, when all have ended.
ExitStatus GetEach(const GetOptions& options, const std::vector<std::string>& ids, Context& context) {
  const Patience patience(context.global());
  const auto ended = [](const absl::StatusOr<v1::GetResponse>& answer) { return !answer.ok() || answer->done(); };
  absl::StatusOr<std::vector<absl::StatusOr<v1::GetResponse>>> answers;
  do {
    answers = context.daemon().GetMany(ids, client::FromProto(patience.Next()));
    if (!answers.ok()) return Complain(answers.status());
  } while (!std::all_of(answers->begin(), answers->end(), ended) && !patience.Over());
  ExitStatus status = ExitStatus::kOk;
  for (auto& answer : *answers) status = Worse(status, PrintLineOf(answer, options.raw_output, context));
  return status;
}

ExitStatus PrintItems(const GetOptions& options, const std::string& id, Context& context) {
  v1::GetItemsRequest request;
  request.set_id(id);
  request.set_as_completed(options.as_completed);
  ItemPrinter printer({.json = context.json(), .raw = options.raw_output, .with_index = options.as_completed});
  absl::Status status = context.daemon().GetItems(request, [&](uint64_t index, const v1::Outcome& outcome) {
    printer.PrintOther(index, outcome);
    return std::ferror(stdout) == 0;
  });
  if (!status.ok()) return Complain(status);
  return printer.status();
}

}  // namespace

ExitStatus Run(const GetOptions& options, Context& context) {
  std::vector<std::string> ids;
  for (const std::string& digits : options.ids) {
    auto id = IdFromHex(digits);
    if (!id.ok()) return ComplainUsage(std::string(id.status().message()));
    ids.push_back(*std::move(id));
  }
  if (options.items && ids.size() > 1) return ComplainUsage("get --items wants one handle");
  if (options.items) return PrintItems(options, ids[0], context);
  if (ids.size() > 1) return GetEach(options, ids, context);
  v1::GetRequest request;
  request.set_id(ids[0]);
  auto response = GetUntil(Patience(context.global()), request, context.daemon());
  if (!response.ok()) return Complain(response.status());
  if (response->has_map()) return PrintMap(response->map(), context);
  return PrintTask(options, *response->mutable_task(), context);
}

ExitStatus Run(const WaitOptions& options, Context& context) {
  v1::WaitRequest request;
  if (absl::Status status = AddIds(options.ids, request); !status.ok()) {
    return ComplainUsage(std::string(status.message()));
  }
  request.set_mode(options.first_completed   ? v1::WAIT_MODE_FIRST_COMPLETED
                   : options.first_exception ? v1::WAIT_MODE_FIRST_EXCEPTION
                                             : v1::WAIT_MODE_ALL_COMPLETED);
  const Patience patience(context.global());
  absl::StatusOr<v1::WaitResponse> response;
  bool met = false;
  do {
    const Duration most = std::chrono::seconds(30);
    *request.mutable_wait_timeout() = patience.Next(most);
    const auto begin = std::chrono::steady_clock::now();
    response = context.daemon().Wait(request);
    if (!response.ok()) return Complain(response.status());
    // An answer before its time means that what was waited for is there.
    const auto asked = std::chrono::seconds(request.wait_timeout().seconds()) +
                       std::chrono::nanoseconds(request.wait_timeout().nanos());
    met = response->not_done().empty() || (options.first_completed && !response->done().empty()) ||
          (options.first_exception && std::chrono::steady_clock::now() - begin < asked);
  } while (!met && !patience.Over());
  auto states = StatesOf(*response, context.daemon());
  if (!states.ok()) return Complain(states.status());
  PrintWait(*response, *states, context.json());
  ExitStatus status = ExitStatus::kOk;
  for (const v1::TaskState state : *states) {
    if (state != v1::TASK_STATE_UNSPECIFIED) status = Worse(status, StatusOf(state));
  }
  return met ? status : ExitStatus::kWaitPassed;
}

ExitStatus Run(const CancelOptions& options, Context& context) {
  v1::CancelRequest request;
  if (absl::Status status = AddIds(options.ids, request); !status.ok()) {
    return ComplainUsage(std::string(status.message()));
  }
  request.set_running(options.running);
  auto response = context.daemon().Cancel(request);
  if (!response.ok()) return Complain(response.status());
  const bool all = std::count(response->cancelled().begin(), response->cancelled().end(), false) == 0;
  const ExitStatus status = all ? ExitStatus::kOk : ExitStatus::kNotCancelled;
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return status;
  }
  for (int i = 0; i < response->cancelled_size() && i < request.ids_size(); ++i) {
    const char* word = response->cancelled(i) ? "cancelled" : NotCancelled(request.ids(i), context.daemon());
    PrintBytes(absl::StrCat(HexFromId(request.ids(i)), "\t", word, "\n"));
  }
  return status;
}

ExitStatus Run(const ReleaseOptions& options, Context& context) {
  v1::ReleaseRequest request;
  if (absl::Status status = AddIds(options.ids, request); !status.ok()) {
    return ComplainUsage(std::string(status.message()));
  }
  auto response = context.daemon().Release(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    PrintLine(absl::StrCat(response->released(), " released"));
  }
  return ExitStatus::kOk;
}

}  // namespace poold::cli
