// All that is known of one task.
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/grammar/option_flags.h"
#include "cli/text/message_json.h"
#include "cli/text/outcome_text.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

void PrintHead(const v1::TaskEntry& entry) {
  const v1::MapProgress& map = entry.map();
  const v1::Task& task = entry.task();
  if (entry.has_map()) {
    PrintLine(absl::StrCat(HexFromId(map.id()), ": ", StateWord(StateOf(map)), " map in pool ", map.pool()));
    PrintLine(ProgressSentence(map));
  } else {
    PrintLine(absl::StrCat(HexFromId(task.id()), ": ", StateWord(task.state()), " ", task.function(), " in pool ",
                           task.pool()));
  }
  PrintLine(absl::StrCat("submitted ", AgeText(entry.has_map() ? map.submitted_at() : task.submitted_at()), " ago by ",
                         entry.has_map() ? map.client() : task.client()));
}

void PrintAttempts(const v1::ExplainResponse& answer) {
  TextTable table({"ATTEMPT", "STATE", "WORKER", "PID", "GENERATION", "STARTED", "TOOK", "WHY"});
  for (const v1::Attempt& a : answer.attempts()) {
    const std::string took =
        a.has_ended_at() ? SpanText(Seconds(a.ended_at()) - Seconds(a.started_at())) : AgeText(a.started_at());
    table.Add({absl::StrCat(a.number()), StateWord(a.state()), absl::StrCat(a.worker_id()),
               absl::StrCat(a.worker_pid()), absl::StrCat(a.generation()), ClockText(a.started_at()), took,
               a.reason().empty() ? "-" : a.reason()});
  }
  Print(table);
}

}  // namespace

ExitStatus Run(const ExplainOptions& options, Context& context) {
  auto id = IdFromHex(options.id);
  if (!id.ok()) return ComplainUsage(std::string(id.status().message()));
  v1::ExplainRequest request;
  request.set_id(*id);
  auto answer = context.daemon().Explain(request);
  if (!answer.ok()) return Complain(answer.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*answer));
    return ExitStatus::kOk;
  }
  PrintHead(answer->entry());
  if (const std::string told = ToldOptions(option::kTaskOptions, answer->options()); !told.empty()) PrintLine(told);
  if (!answer->waits_for().empty()) PrintLine(absl::StrCat("waits: ", answer->waits_for()));
  if (answer->ahead() > 0) PrintLine(absl::StrCat("before it: ", Count(answer->ahead(), "task")));
  const v1::Task& task = answer->entry().task();
  if (task.has_progress() && !task.has_outcome()) PrintLine("progress: " + ProgressWord(task.progress()));
  if (const std::string why = ExplainOutcome(task.outcome()); !why.empty()) PrintLines(why);
  if (answer->attempts_size() > 0) PrintAttempts(*answer);
  return ExitStatus::kOk;
}

}  // namespace poold::cli
