// Wait and GetMany: of many handles.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
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

namespace {

// ---- GetMany ----

// Handles that are looked at in one event.
constexpr std::size_t kSliceHandles = 256;
// Of an answer, around its bytes.
constexpr std::size_t kAnswerFrameBytes = 8;

bool HasEnded(const core::HandleView& view) {
  if (const auto* map = std::get_if<core::MapView>(&view)) return map->done;
  return core::IsTerminal(std::get<core::TaskView>(view).state);
}

std::vector<absl::StatusOr<core::HandleView>> ViewsOf(std::span<const core::HandleId> ids,
                                                      const engine::Engine& engine) {
  std::vector<absl::StatusOr<core::HandleView>> views(ids.size());
  engine.AtEach(engine.Locate(ids), [&](core::Core& core, core::Nanos, const core::HandleId& id, std::size_t place) {
    views[place] = core.ViewHandle(id);
  });
  return views;
}

// Calls `visit(first, views)` for one slice of the handles after the other, until it answers false.
template <typename Visit>
void VisitSlices(std::span<const core::HandleId> ids, const engine::Engine& engine, Visit visit) {
  for (std::size_t first = 0; first < ids.size(); first += kSliceHandles) {
    if (!visit(first, ViewsOf(ids.subspan(first, std::min(kSliceHandles, ids.size() - first)), engine))) return;
  }
}

// Those that have not ended, each once.
std::vector<core::HandleId> Unfinished(std::span<const core::HandleId> ids, const engine::Engine& engine) {
  absl::flat_hash_set<core::HandleId> told;
  std::vector<core::HandleId> unfinished;
  VisitSlices(ids, engine, [&](std::size_t first, const std::vector<absl::StatusOr<core::HandleView>>& views) {
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (views[i].ok() && !HasEnded(*views[i]) && told.insert(ids[first + i]).second) {
        unfinished.push_back(ids[first + i]);
      }
    }
    return true;
  });
  return unfinished;
}

v1::HandleAnswer AnswerOf(const absl::StatusOr<core::HandleView>& view, const ServiceContext& service) {
  v1::HandleAnswer answer;
  if (view.ok()) {
    WriteHandle(*view, service.display(), service.options.max_inline_result_bytes, answer.mutable_handle());
  } else {
    *answer.mutable_error() = ToProto(view.status());
  }
  return answer;
}

// As they are now, as many as fit.
v1::GetManyResponse ManyAnswer(std::span<const core::HandleId> ids, const ServiceContext& service) {
  v1::GetManyResponse response;
  std::size_t room = kMostAnswerBytes;
  VisitSlices(ids, service.engine, [&](std::size_t, const std::vector<absl::StatusOr<core::HandleView>>& views) {
    for (const absl::StatusOr<core::HandleView>& view : views) {
      v1::HandleAnswer answer = AnswerOf(view, service);
      const std::size_t bytes = answer.ByteSizeLong() + kAnswerFrameBytes;
      if (bytes > room && response.answers_size() > 0) return false;
      room -= std::min(room, bytes);
      *response.add_answers() = std::move(answer);
    }
    return true;
  });
  response.set_left(static_cast<std::uint32_t>(ids.size()) - static_cast<std::uint32_t>(response.answers_size()));
  return response;
}

}  // namespace

void GetMany(const std::shared_ptr<GetManyCall>& call) {
  const v1::GetManyRequest& request = call->request();
  absl::StatusOr<std::vector<core::HandleId>> ids = ReadIds(request.ids(), call->service());
  if (!ids.ok()) return call->Refuse(ids.status());
  const absl::StatusOr<core::Nanos> wait =
      ReadWait(request.has_wait_timeout(), request.wait_timeout(), call->service());
  if (!wait.ok()) return call->Refuse(wait.status());
  const std::vector<core::HandleId> unfinished =
      *wait > 0 ? Unfinished(*ids, call->service().engine) : std::vector<core::HandleId>();
  if (unfinished.empty()) return call->Answer(ManyAnswer(*ids, call->service()));
  base::Reservation memory(call->service().options.memory->watchers);
  if (!memory.Take(ids->size() * kWaitedBytes)) return call->Refuse(NoMemoryToWait());
  call->DropRequest();
  const auto kept = std::make_shared<Kept>(Kept{*std::move(ids), std::move(memory)});
  engine::WaitForSome::Order order{
      .mode = core::WaitMode::kAllCompleted,
      .from = call->task_worker(),
      .post = [call](std::function<void()> work) { call->Post(std::move(work)); },
      .then =
          [call, kept](const absl::StatusOr<engine::WaitForSome::Done>& done) {
            // One of them was released meanwhile: its answer says so.
            if (!done.ok() && !absl::IsNotFound(done.status())) return call->Refuse(done.status());
            call->Post([call, kept] { call->Answer(ManyAnswer(kept->ids, call->service())); });
          },
  };
  const auto waiting = std::make_shared<engine::WaitForSome>(&call->service().engine, unfinished, std::move(order));
  waiting->Begin(*wait);
  call->OnCancelled([waiting] { waiting->Drop(); });
}

}  // namespace poold::api
