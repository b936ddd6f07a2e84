// Calls that show what the daemon holds: ListTasks, Explain.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "rpc/accept.h"
#include "rpc/convert.h"
#include "rpc/errors.h"
#include "rpc/unary_call.h"
#include "rpc/validate.h"

namespace poold::rpc {
namespace {

using ListTasksCall = UnaryCall<v1::ListTasksRequest, v1::ListTasksResponse>;
using ExplainCall = UnaryCall<v1::ExplainRequest, v1::ExplainResponse>;

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

// A place in the list of all shards, one behind the other: the shard, and where in it.
constexpr int kPlaceBits = 56;
constexpr std::uint64_t PlaceOf(std::size_t shard, std::uint64_t from) {
  return std::uint64_t{shard} << kPlaceBits | from;
}

absl::StatusOr<core::TaskPage> ReadPage(ServiceContext& service_context, const core::TaskFilter& filter,
                                        std::uint64_t place, std::size_t most) {
  const bool one = !filter.pool.empty();
  std::size_t shard = one ? service_context.gates->OfPool(filter.pool) : place >> kPlaceBits;
  const std::size_t end = one ? shard + 1 : service_context.shards.size();
  std::uint64_t from = place & (PlaceOf(1, 0) - 1);
  core::TaskPage all;
  for (; shard < end && (all.entries.size() < most || one); ++shard) {
    const absl::StatusOr<core::TaskPage> page =
        service_context.shards[shard]->Enter([&](core::Core& core, core::Nanos) -> absl::StatusOr<core::TaskPage> {
          if (one) {
            if (absl::Status known = core.ViewPool(filter.pool).status(); !known.ok()) return known;
          }
          return most == 0 ? core::TaskPage() : core.ViewTasks(filter, from, most - all.entries.size());
        });
    if (!page.ok()) return page.status();
    all.entries.insert(all.entries.end(), page->entries.begin(), page->entries.end());
    all.next = page->next == 0 ? 0 : PlaceOf(shard, page->next);
    if (all.next != 0) return all;
    from = 0;
  }
  if (shard < end && most > 0) all.next = PlaceOf(shard, 0);
  return all;
}

void ListTasks(const std::shared_ptr<ListTasksCall>& call) {
  const v1::ListTasksRequest& request = call->request();
  ServiceContext& service_context = call->service_context();
  if (absl::Status status = Check(request); !status.ok()) return call->Refuse(status);
  const absl::StatusOr<std::uint64_t> from = ReadPageToken(request);
  if (!from.ok()) return call->Refuse(from.status());
  core::TaskFilter filter = FilterOf(request);
  if (!request.client().empty()) filter.clients = service_context.client_names.WithName(request.client());
  const bool nobody = !request.client().empty() && filter.clients.empty();
  const std::uint32_t most = request.page_size() == 0 ? kDefaultPageSize : request.page_size();

  const absl::StatusOr<core::TaskPage> page = ReadPage(service_context, filter, *from, nobody ? 0 : most);
  if (!page.ok()) return call->Refuse(page.status());
  v1::ListTasksResponse response;
  const DisplayContext display = service_context.display();
  for (const core::HandleView& entry : page->entries) WriteEntry(entry, display, true, response.add_entries());
  if (page->next != 0) response.set_next_page_token(IdBytes({FingerprintOf(request), page->next}));
  call->Answer(response);
}

void Explain(const std::shared_ptr<ExplainCall>& call) {
  ServiceContext& service_context = call->service_context();
  const absl::StatusOr<core::HandleId> id = ReadId(call->request().id(), "id");
  if (!id.ok()) return call->Refuse(id.status());
  const absl::StatusOr<core::Explanation> explanation = service_context.ShardOfHandle(*id).Enter(
      [&](core::Core& core, core::Nanos now) { return core.Explain(now, *id); });
  if (!explanation.ok()) return call->Refuse(explanation.status());
  v1::ExplainResponse response;
  WriteExplanation(*explanation, service_context.display(), &response);
  call->Answer(response);
}

}  // namespace

void AcceptListCalls(QueueContext* queue_context) {
  ListTasksCall::Accept(queue_context, "ListTasks", ListTasks);
  ExplainCall::Accept(queue_context, "Explain", Explain);
}

}  // namespace poold::rpc
