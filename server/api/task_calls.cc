// Calls about tasks and maps: Map, Get, Cancel, Release.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/calls.h"
#include "api/convert.h"
#include "api/errors.h"
#include "api/read_work.h"
#include "api/validate.h"
#include "core/core.h"

namespace poold::api {
namespace {

// ---- Map ----

constexpr WorkFields kMapFields{"pool", "function", "items.type_name", "items.encoding", "chunk_size"};

absl::StatusOr<core::MapGroup> ReadMap(const v1::MapRequest& request, const ServiceContext& context) {
  const v1::MapItems& items = request.items();
  if (absl::Status status = CheckCount(items.items_size(), "items", context); !status.ok()) return status;
  std::vector<std::uint32_t> lengths;
  std::size_t bytes = 0;
  for (const std::string& item : items.items()) {
    lengths.push_back(static_cast<std::uint32_t>(item.size()));
    bytes += item.size();
  }
  absl::StatusOr<core::MapGroup> map = ReadMapHead(request, items.type_name(), items.encoding(), bytes > 0, kMapFields);
  if (!map.ok()) return map.status();
  if (!request.id().empty()) {
    const absl::StatusOr<core::HandleId> id = ReadId(request.id(), "id");
    if (!id.ok()) return id.status();
    map->id = *id;
  }
  absl::StatusOr<core::TaskOptions> options = ReadTaskOptions(request.options());
  if (!options.ok()) return options.status();
  map->options = std::make_shared<const core::TaskOptions>(*std::move(options));
  if (!items.type_name().empty()) map->type_name = std::make_shared<const std::string>(items.type_name());
  map->complete = !request.more();
  std::string data;
  data.reserve(bytes);
  for (const std::string& item : items.items()) data += item;
  absl::StatusOr<std::shared_ptr<const core::ItemColumn>> kept =
      KeepItems(std::move(data), std::move(lengths), *context.options.memory);
  if (!kept.ok()) return kept.status();
  map->items = *std::move(kept);
  return map;
}

}  // namespace

void Map(const std::shared_ptr<MapCall>& call) {
  absl::StatusOr<core::MapGroup> map = ReadMap(call->request(), call->service());
  if (!map.ok()) return call->Refuse(map.status());
  const Caller caller = call->caller();
  map->client = caller.client;
  map->origin = caller.origin;
  std::vector<core::HandleId> chosen;
  if (!call->request().id().empty()) chosen.push_back(map->id);
  std::vector<absl::Status> why;
  const auto field = [](std::size_t) -> std::string { return "id"; };
  const engine::ClaimedIds claimed = call->service().engine.ClaimIds(map->pool, chosen, field, &why);
  if (!chosen.empty() && !why.front().ok()) return call->Refuse(why.front());
  const absl::StatusOr<std::uint64_t> items =
      call->service().engine.VisitPool(map->pool, [&](const engine::Visit& visit) {
        if (call->request().id().empty()) map->id = visit.NewHandle();
        return visit.core.OnMap(visit.now, *map);
      });
  if (!items.ok()) return call->Refuse(items.status());
  v1::MapResponse response;
  response.set_id(IdBytes(map->id));
  response.set_accepted_items(*items);
  call->Answer(response);
}

// ---- Get, Cancel, Release ----

void Get(const std::shared_ptr<GetCall>& call) {
  const v1::GetRequest& request = call->request();
  const absl::StatusOr<core::HandleId> id = ReadId(request.id(), "id");
  if (!id.ok()) return call->Refuse(id.status());
  const absl::StatusOr<core::Nanos> wait =
      ReadWait(request.has_wait_timeout(), request.wait_timeout(), call->service());
  if (!wait.ok()) return call->Refuse(wait.status());
  const core::WorkerId from = call->task_worker();
  DropWhenCancelled(
      call,
      call->service().engine.AskAtHandle(
          *id, [&](core::Core& core, core::Nanos now, core::SubscriberId me) { core.OnGet(now, me, *id, *wait, from); },
          [call](engine::Answer answer) {
            const auto& handle = std::get<absl::StatusOr<core::HandleView>>(answer);
            if (!handle.ok()) return call->Refuse(handle.status());
            v1::GetResponse response;
            WriteHandle(*handle, call->service().display(), call->service().options.max_inline_result_bytes, &response);
            call->Answer(response);
          }));
}

void Cancel(const std::shared_ptr<CancelCall>& call) {
  const absl::StatusOr<std::vector<core::HandleId>> ids = ReadIds(call->request().ids(), call->service());
  if (!ids.ok()) return call->Refuse(ids.status());
  const bool running = call->request().running();
  const engine::Engine& engine = call->service().engine;
  const std::vector<engine::HandleGroup> groups = engine.Locate(*ids);
  absl::Status known;
  engine.AtEach(groups, [&](core::Core& core, core::Nanos, const core::HandleId& id, std::size_t) {
    known.Update(core.ViewHandle(id).status());
  });
  if (!known.ok()) return call->Refuse(known);
  v1::CancelResponse response;
  response.mutable_cancelled()->Resize(static_cast<int>(ids->size()), false);
  engine.AtEach(groups, [&](core::Core& core, core::Nanos now, const core::HandleId& id, std::size_t place) {
    response.set_cancelled(static_cast<int>(place), core.OnCancel(now, id, running).value_or(false));
  });
  call->Answer(response);
}

void Release(const std::shared_ptr<ReleaseCall>& call) {
  const absl::StatusOr<std::vector<core::HandleId>> ids = ReadIds(call->request().ids(), call->service());
  if (!ids.ok()) return call->Refuse(ids.status());
  const engine::Engine& engine = call->service().engine;
  UploadStore& uploads = call->service().uploads;
  std::uint32_t released = 0;
  engine.AtEach(engine.Locate(*ids), [&](core::Core& core, core::Nanos now, const core::HandleId& id, std::size_t) {
    released += core.OnRelease(now, id) || uploads.Drop(id) ? 1 : 0;
  });
  v1::ReleaseResponse response;
  response.set_released(released);
  call->Answer(response);
}

}  // namespace poold::api
