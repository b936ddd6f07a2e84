#include "cli/item_printer.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "cli/exec_call.h"
#include "cli/message_json.h"
#include "cli/outcome_text.h"
#include "cli/task_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {

void ItemPrinter::Print(const v1::ItemOutcomes& outcomes) {
  v1::Payload result;
  result.set_encoding(outcomes.encoding());
  result.set_type_name(outcomes.type_name());
  std::size_t offset = 0;
  int other = 0;
  for (int i = 0; i < outcomes.result_bytes_size(); ++i) {
    const uint64_t index = outcomes.first_index() + i;
    const bool is_other = other < outcomes.others_size() && outcomes.others(other).index() == index;
    if (is_other) {
      PrintOther(index, outcomes.others(other++).outcome());
      continue;
    }
    result.set_data(outcomes.results().substr(offset, outcomes.result_bytes(i)));
    offset += outcomes.result_bytes(i);
    PrintResult(index, result);
  }
}

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
