// What happens, as it happens.
#include <google/protobuf/util/time_util.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/commands.h"
#include "cli/text/message_json.h"
#include "cli/text/outcome_text.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

// Lines on stdout, each with the time and the handle.
class EventPrinter {
 public:
  void Print(const v1::WatchResponse& event) {
    time_ = ClockText(event.time());
    switch (event.event_case()) {
      case v1::WatchResponse::kTask:
        return PrintTask(event.task());
      case v1::WatchResponse::kMap:
        return Line(event.map().id(),
                    absl::StrCat(StateWord(StateOf(event.map())), " ", ProgressSentence(event.map())));
      case v1::WatchResponse::kOutput:
        return PrintOutput(event.output());
      case v1::WatchResponse::kPool:
        return PrintPool(event.pool());
      case v1::WatchResponse::kProgress:
        return Line(event.progress().id(), ProgressWord(event.progress()));
      case v1::WatchResponse::kDroppedOutputBytes:
        return Warn(absl::StrCat(event.dropped_output_bytes(), " bytes of output were dropped: we read too slowly"));
      case v1::WatchResponse::kResync:
        return Warn(absl::StrCat(event.resync().lost_events(),
                                 " events were lost: we read too slowly; the states as they are now follow"));
      case v1::WatchResponse::EVENT_NOT_SET:
        return;
    }
  }

 private:
  void Line(const std::string& id, const std::string& text) {
    PrintLine(absl::StrCat(time_, "  ", HexFromId(id), "  ", text));
    std::fflush(stdout);
  }
  void PrintTask(const v1::Task& task) {
    std::string text = absl::StrCat(StateWord(task.state()), " ", task.function());
    if (task.attempt() > 1) absl::StrAppend(&text, " (attempt ", task.attempt(), ")");
    if (task.has_progress() && !task.has_outcome()) absl::StrAppend(&text, ", ", ProgressWord(task.progress()));
    const std::string why = ExplainOutcome(task.outcome());
    if (!why.empty()) text = absl::StrCat(task.function(), " ", std::string(why.substr(0, why.find('\n'))));
    Line(task.id(), text);
  }
  void PrintOutput(const v1::Output& output) {
    const char* mark = output.stream() == v1::OUTPUT_STREAM_STDERR ? "! " : "| ";
    std::string text = output.data();
    if (!text.empty() && text.back() == '\n') text.pop_back();
    for (const auto& line : absl::StrSplit(text, '\n')) Line(output.id(), absl::StrCat(mark, line));
  }
  // Of the many states of a pool and its workers: what a person would call news.
  void PrintPool(const v1::Pool& pool) {
    const std::string text = PoolSentence(pool);
    if (text == pool_) return;
    pool_ = text;
    PrintLine(absl::StrCat(time_, "  pool ", text));
    std::fflush(stdout);
  }

  std::string time_;
  std::string pool_;
};

void PrintEvent(const v1::WatchResponse& event) {
  PrintJson(JsonFromMessage(event));
  std::fflush(stdout);
}

}  // namespace

ExitStatus Run(const WatchOptions& options, Context& context) {
  v1::WatchRequest request;
  if (absl::Status status = AddIds(options.ids, request); !status.ok()) {
    return ComplainUsage(std::string(status.message()));
  }
  if (options.ids.empty()) request.set_pool(context.global().pool);
  request.set_output(options.output);
  EventPrinter printer;
  absl::Status status = context.daemon().Watch(request, [&](const v1::WatchResponse& event) {
    if (context.json()) {
      PrintEvent(event);
    } else {
      printer.Print(event);
    }
    return std::ferror(stdout) == 0;
  });
  return status.ok() ? ExitStatus::kOk : Complain(status);
}

}  // namespace poold::cli
