#include "cli/items/item_printer.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/exec_call.h"
#include "cli/text/console.h"
#include "cli/text/message_json.h"
#include "cli/text/outcome_text.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {

void ItemPrinter::PrintResult(uint64_t index, const v1::Payload& result) {
  ++printed_;
  if (style_.json) {
    PrintBytes(absl::StrCat("{\"index\":", index,
                            ",\"outcome\":{\"state\":\"SUCCEEDED\",\"result\":", ResultText(result, false), "}}\n"));
  } else if (style_.exec) {
    PrintProgram(index, result);
  } else {
    Line(index, ResultText(result, style_.raw));
  }
}

void ItemPrinter::PrintProgram(uint64_t index, const v1::Payload& payload) {
  auto result = ExecResultFrom(payload);
  if (!result.ok()) return Line(index, ResultText(payload, style_.raw));
  PrintExec(*result, style_.raw);
  if (result->Status() == 0) return;
  status_ = Worse(status_, ExitStatus::kFailed);
  ++unsuccessful_;
  Warn(absl::StrCat("item ", index, ": the program ",
                    result->signal != 0 ? "was ended by " + SignalName(result->signal)
                                        : absl::StrCat("exited with ", result->exit_status)));
}

void ItemPrinter::PrintOther(uint64_t index, const v1::Outcome& outcome) {
  if (outcome.state() == v1::TASK_STATE_SUCCEEDED) return PrintResult(index, outcome.result());
  status_ = Worse(status_, StatusOf(outcome.state()));
  ++unsuccessful_;
  ++printed_;
  if (style_.json) return PrintJson(Json{{"index", index}, {"outcome", JsonFromMessage(outcome)}});
  if (!style_.exec) Line(index, "");
  if (outcome.state() == v1::TASK_STATE_CANCELLED) {
    ++cancelled_;
    return;
  }
  Warn(absl::StrCat("item ", index, " ", ExplainOutcome(outcome)));
}

void ItemPrinter::Line(uint64_t index, const std::string& text) {
  PrintBytes(style_.with_index ? absl::StrCat(index, "\t", text, "\n") : text + '\n');
}

}  // namespace poold::cli
