// Wait: for some of many handles.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/validate.h"
#include "base/quota.h"
#include "core/errors.h"
#include "engine/wait.h"

namespace poold::api {
namespace {

// What it takes, here and in the core, to wait for one handle.
constexpr std::uint64_t kWaitedBytes = 96;

absl::Status NoMemoryToWait() {
  return core::MakeError(reason::kQueueFull, "the memory for calls that wait is in use by others; try again later",
                         "watchers", core::kSecond);
}

// Each handle once, in the order asked.
v1::WaitResponse WaitAnswer(const std::vector<core::HandleId>& ids, const engine::WaitForSome::Done& done) {
  absl::flat_hash_set<core::HandleId> told;
  v1::WaitResponse response;
  for (const core::HandleId& id : ids) {
    if (!told.insert(id).second) continue;
    (done.contains(id) ? *response.add_done() : *response.add_not_done()) = IdBytes(id);
  }
  return response;
}

// What a wait that is under way keeps.
struct Kept {
  std::vector<core::HandleId> ids;
  base::Reservation memory;
};

}  // namespace

void Wait(const std::shared_ptr<WaitCall>& call) {
  const v1::WaitRequest& request = call->request();
  absl::StatusOr<std::vector<core::HandleId>> ids = ReadIds(request.ids(), call->service());
  if (!ids.ok()) return call->Refuse(ids.status());
  const absl::StatusOr<core::Nanos> wait =
      ReadWait(request.has_wait_timeout(), request.wait_timeout(), call->service());
  if (!wait.ok()) return call->Refuse(wait.status());
  if (!v1::WaitMode_IsValid(request.mode())) {
    return call->Refuse(InvalidField("mode", absl::StrCat("mode: ", request.mode(), " is unknown")));
  }
  const auto mode = request.mode() == v1::WAIT_MODE_UNSPECIFIED ? core::WaitMode::kAllCompleted
                                                                : static_cast<core::WaitMode>(request.mode());
  base::Reservation memory(call->service().options.memory->watchers);
  if (!memory.Take(ids->size() * kWaitedBytes)) return call->Refuse(NoMemoryToWait());
  call->DropRequest();
  const auto kept = std::make_shared<Kept>(Kept{*std::move(ids), std::move(memory)});
  engine::WaitForSome::Order order{
      .mode = mode,
      .from = call->task_worker(),
      .post = [call](std::function<void()> work) { call->Post(std::move(work)); },
      .then =
          [call, kept](absl::StatusOr<engine::WaitForSome::Done> done) {
            if (!done.ok()) return call->Refuse(done.status());
            call->Answer(WaitAnswer(kept->ids, *done));
          },
  };
  const auto waiting = std::make_shared<engine::WaitForSome>(&call->service().engine, kept->ids, std::move(order));
  waiting->Begin(*wait);
  call->OnCancelled([waiting] { waiting->Drop(); });
}

}  // namespace poold::api
