// The tasks and maps that the daemon knows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "cli/text/text_table.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

constexpr uint64_t kPage = 1000;

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::vector<std::string> Row(const v1::Task& task) {
  return {HexFromId(task.id()),
          StateWord(task.state()),
          task.pool(),
          task.function(),
          OrDash(task.client()),
          AgeText(task.submitted_at()),
          OrDash(task.has_progress() ? ProgressWord(task.progress()) : "")};
}

std::vector<std::string> Row(const v1::MapProgress& map) {
  return {HexFromId(map.id()),
          StateWord(StateOf(map)),
          map.pool(),
          map.function(),
          OrDash(map.client()),
          AgeText(map.submitted_at()),
          absl::StrCat(map.done_items(), "/", map.items(), map.complete() ? "" : "+", " items")};
}

v1::ListTasksRequest RequestFrom(const TasksOptions& options) {
  v1::ListTasksRequest request;
  request.set_pool(options.pool);
  request.set_function(options.function);
  request.set_client(options.client);
  for (const std::string& state : options.states) request.add_states(StateFromWord(state));
  return request;
}

}  // namespace

ExitStatus Run(const TasksOptions& options, Context& context) {
  v1::ListTasksRequest request = RequestFrom(options);
  uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  Json entries = Json::array();
  TextTable table({"ID", "STATE", "POOL", "FUNCTION", "CLIENT", "AGE", "PROGRESS"});
  do {
    request.set_page_size(static_cast<uint32_t>(std::min(left, kPage)));
    auto page = context.daemon().ListTasks(request);
    if (!page.ok()) return Complain(page.status());
    for (const v1::TaskEntry& entry : page->entries()) {
      if (context.json()) {
        entries.push_back(JsonFromMessage(entry));
      } else {
        table.Add(entry.has_map() ? Row(entry.map()) : Row(entry.task()));
      }
    }
    left -= std::min<uint64_t>(left, page->entries_size());
    request.set_page_token(page->next_page_token());
  } while (left > 0 && !request.page_token().empty());
  if (context.json()) {
    PrintJson(Json{{"entries", entries}});
    return ExitStatus::kOk;
  }
  Print(table);
  if (!request.page_token().empty()) Warn(absl::StrCat("there are more; --limit ", options.limit * 10, " shows them"));
  return ExitStatus::kOk;
}

}  // namespace poold::cli
