#include "rpc/payload_handler.h"

#include <optional>
#include <string_view>
#include <utility>

#include "rpc/convert.h"

namespace poold::rpc {

using wire::PayloadStatus;

PayloadStatus PayloadHandler::Offer(const wire::PayloadRequest& request, wire::UniqueFd* sealed) {
  const std::optional<core::HandleId> id = ParseId(std::string_view(request.id, sizeof request.id));
  if (!id || request.number > service_context_.options.limits.max_payload_bytes) return PayloadStatus::kBad;
  const core::Nanos now = service_context_.clock->Now();
  if (!service_context_.uploads.Reserve(request.number, now).ok()) return PayloadStatus::kNotThisWay;
  auto file = service_context_.options.spool->Adopt(sealed, request.number);
  absl::Status status = file.status();
  if (status.ok()) status = service_context_.uploads.Keep(*id, core::Bytes(*file, (*file)->view()), now);
  if (status.ok()) return PayloadStatus::kTaken;
  service_context_.uploads.Abandon(request.number);
  return absl::IsResourceExhausted(status) ? PayloadStatus::kNotThisWay : PayloadStatus::kBad;
}

PayloadHandler::Found PayloadHandler::Fetch(const wire::PayloadRequest& request) {
  const std::optional<core::HandleId> id = ParseId(std::string_view(request.id, sizeof request.id));
  if (!id) return {};
  const absl::StatusOr<core::Payload> result = service_context_.ShardOfHandle(*id).Enter(
      [&](core::Core& core, core::Nanos) { return core.ViewResult(*id, request.number); });
  if (!result.ok()) return {};
  const base::FilePart part = base::PartBehind(result->data.owner(), result->data.view());
  // Who knows arenas was told where in which one it lies.
  if (part.file == nullptr || !part.whole || part.file->arena() != nullptr) return {};
  return {result->data.owner(), part.file};
}

std::shared_ptr<base::Arena> PayloadHandler::Share(const wire::PayloadRequest& request, wire::UniqueFd* fd,
                                                   PayloadStatus* status) {
  auto arena = service_context_.options.spool->AdoptArena(fd, request.number);
  *status = arena.ok()                                ? PayloadStatus::kTaken
            : absl::IsInvalidArgument(arena.status()) ? PayloadStatus::kBad
                                                      : PayloadStatus::kNotThisWay;
  return arena.ok() ? *std::move(arena) : nullptr;
}

std::shared_ptr<base::Arena> PayloadHandler::Map(const wire::PayloadRequest& request) const {
  return service_context_.options.spool->FindArena(request.number);
}

}  // namespace poold::rpc
