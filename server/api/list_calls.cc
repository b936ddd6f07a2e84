// Calls that show what the daemon holds: ListTasks, Explain.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/validate.h"

namespace poold::api {
namespace {

constexpr std::uint32_t kDefaultPageSize = 100;
constexpr std::uint32_t kMaxPageSize = 1000;

// What a list is of: a token of one list is refused by another.
std::uint64_t FingerprintOf(const v1::ListTasksRequest& request) {
  std::uint32_t states = 0;
  for (const int state : request.states()) states |= 1u << state;
  return absl::Hash<std::tuple<std::string, std::uint32_t, std::string, std::string>>()(
      {request.pool(), states, request.function(), request.client()});
}

absl::Status CheckStates(const v1::ListTasksRequest& request) {
  for (int i = 0; i < request.states_size(); ++i) {
    const int state = request.states(i);
    if (state != v1::TASK_STATE_UNSPECIFIED && v1::TaskState_IsValid(state)) continue;
    return InvalidField(absl::StrCat("states[", i, "]"),
                        absl::StrCat("states[", i, "]: ", state, " is not a state: 1 to ",
                                     static_cast<int>(v1::TaskState_MAX), "; leave the list empty for any"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> ReadPageToken(const v1::ListTasksRequest& request) {
  if (request.page_token().empty()) return std::uint64_t{0};
  const std::optional<core::HandleId> token = ParseId(request.page_token());
  if (token && token->high == FingerprintOf(request)) return token->low;
  return InvalidField("page_token",
                      "page_token: it was not made by this daemon for this list; begin again without a token");
}

absl::Status Check(const v1::ListTasksRequest& request) {
  absl::Status status = request.pool().empty() ? absl::OkStatus() : CheckPoolName(request.pool(), "pool");
  if (status.ok() && !request.function().empty()) status = CheckFunctionName(request.function(), "function");
  if (status.ok()) status = CheckStates(request);
  if (status.ok() && request.page_size() > kMaxPageSize) {
    status = InvalidField("page_size", absl::StrCat("page_size: ", request.page_size(), " is not between 1 and ",
                                                    kMaxPageSize, "; unset: ", kDefaultPageSize));
  }
  return status;
}

core::TaskFilter FilterOf(const v1::ListTasksRequest& request) {
  core::TaskFilter filter;
  filter.pool = request.pool();
  filter.function = request.function();
  for (const int state : request.states()) filter.states |= 1u << state;
  return filter;
}

}  // namespace

void ListTasks(const std::shared_ptr<ListTasksCall>& call) {
  const v1::ListTasksRequest& request = call->request();
  ServiceContext& context = call->service();
  if (absl::Status status = Check(request); !status.ok()) return call->Refuse(status);
  const absl::StatusOr<std::uint64_t> from = ReadPageToken(request);
  if (!from.ok()) return call->Refuse(from.status());
  core::TaskFilter filter = FilterOf(request);
  if (!request.client().empty()) filter.clients = context.client_names.WithName(request.client());
  const bool nobody = !request.client().empty() && filter.clients.empty();
  const std::uint32_t most = request.page_size() == 0 ? kDefaultPageSize : request.page_size();

  const absl::StatusOr<core::TaskPage> page = context.engine.ViewTasks(filter, *from, nobody ? 0 : most);
  if (!page.ok()) return call->Refuse(page.status());
  v1::ListTasksResponse response;
  const DisplayContext display = context.display();
  for (const core::HandleView& entry : page->entries) WriteEntry(entry, display, true, response.add_entries());
  if (page->next != 0) response.set_next_page_token(IdBytes({FingerprintOf(request), page->next}));
  call->Answer(response);
}

void Explain(const std::shared_ptr<ExplainCall>& call) {
  ServiceContext& context = call->service();
  const absl::StatusOr<core::HandleId> id = ReadId(call->request().id(), "id");
  if (!id.ok()) return call->Refuse(id.status());
  const absl::StatusOr<core::Explanation> explanation =
      context.engine.AtHandle(*id, [&](core::Core& core, core::Nanos now) { return core.Explain(now, *id); });
  if (!explanation.ok()) return call->Refuse(explanation.status());
  v1::ExplainResponse response;
  WriteExplanation(*explanation, context.display(), &response);
  call->Answer(response);
}

}  // namespace poold::api
