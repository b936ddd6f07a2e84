// Get, wait, cancel, release: of any task or map, by its id.
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/item_printer.h"
#include "cli/message_json.h"
#include "cli/outcome_text.h"
#include "cli/task_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

absl::StatusOr<v1::GetResponse> GetUntil(const Patience& patience, v1::GetRequest request, client::Connection& daemon) {
  while (true) {
    *request.mutable_wait_timeout() = patience.Next();
    auto response = daemon.Get(request);
    if (!response.ok() || response->done() || patience.Over()) return response;
  }
}

// A result that was too large for the answer.
absl::Status Complete(v1::Task& task, client::Connection& daemon) {
  v1::Payload& result = *task.mutable_outcome()->mutable_result();
  if (!task.outcome().has_result() || result.size_bytes() <= result.data().size()) return absl::OkStatus();
  v1::DownloadRequest request;
  request.set_id(task.id());
  auto bytes = daemon.Download(request);
  if (bytes.ok()) result.set_data(*std::move(bytes));
  return bytes.status();
}

ExitStatus PrintTask(const GetOptions& options, v1::Task& task, Context& context) {
  const bool done = task.has_outcome();
  if (done) {
    if (absl::Status status = Complete(task, context.daemon()); !status.ok()) return Complain(status);
  }
  if (context.json()) {
    PrintJson(JsonFromMessage(task));
    return StatusOf(task.state());
  }
  if (!done) {
    Warn(absl::StrCat(options.id, " is ", StateWord(task.state()), "; ask again"));
    return ExitStatus::kWaitPassed;
  }
  return PrintOutcome(task.function(), task.outcome(), options.raw_output);
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

ExitStatus PrintItems(const GetOptions& options, const std::string& id, Context& context) {
  v1::GetItemsRequest request;
  request.set_id(id);
  request.set_as_completed(options.as_completed);
  ItemPrinter printer({.json = context.json(), .raw = options.raw_output, .with_index = options.as_completed});
  absl::Status status = context.daemon().GetItems(request, [&](const v1::GetItemsResponse& response) {
    for (const v1::ItemOutcomes& outcomes : response.outcomes()) printer.Print(outcomes);
    return true;
  });
  if (!status.ok()) return Complain(status);
  return printer.status();
}

}  // namespace

ExitStatus Run(const GetOptions& options, Context& context) {
  auto id = IdFromHex(options.id);
  if (!id.ok()) return ComplainUsage(std::string(id.status().message()));
  if (options.items) return PrintItems(options, *id, context);
  v1::GetRequest request;
  request.set_id(*id);
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
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
  } else {
    for (const std::string& id : response->done()) PrintLine(HexFromId(id) + "\tdone");
    for (const std::string& id : response->not_done()) PrintLine(HexFromId(id) + "\twaiting");
  }
  return met ? ExitStatus::kOk : ExitStatus::kWaitPassed;
}

ExitStatus Run(const CancelOptions& options, Context& context) {
  v1::CancelRequest request;
  if (absl::Status status = AddIds(options.ids, request); !status.ok()) {
    return ComplainUsage(std::string(status.message()));
  }
  request.set_running(options.running);
  auto response = context.daemon().Cancel(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return ExitStatus::kOk;
  }
  for (int i = 0; i < response->cancelled_size() && i < request.ids_size(); ++i) {
    const char* word = response->cancelled(i) ? "cancelled" : options.running ? "had ended" : "runs or had ended";
    PrintLine(absl::StrCat(HexFromId(request.ids(i)), "\t", word));
  }
  return ExitStatus::kOk;
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
