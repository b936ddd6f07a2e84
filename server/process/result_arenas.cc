#include "process/result_arenas.h"

#include <algorithm>
#include <string>
#include <utility>

namespace poold::process {
namespace {

// Of an arena for which there was no room.
constexpr std::uint64_t kNotKept = 0;
constexpr std::size_t kCopyPieceBytes = 1u << 20;

// The worker is to take no more slots in it; what lies there already is copied.
absl::StatusOr<std::shared_ptr<base::Arena>> NotKept(wire::UniqueFd fd, std::uint64_t slot_bytes) {
  const absl::StatusOr<wire::ArenaShape> shape = wire::CheckArena(fd.get(), slot_bytes);
  if (!shape.ok()) return shape.status();
  auto mapping = wire::ArenaMapping::Map(fd.get(), *shape, wire::ArenaAccess::kHead);
  if (!mapping.ok()) return mapping.status();
  const auto arena = std::make_shared<base::Arena>(kNotKept, std::move(fd), *std::move(mapping), base::Reservation(),
                                                   base::Reservation());
  arena->Close();
  return arena;
}

absl::StatusOr<base::Kept> Copy(const base::Spool& spool, const base::PayloadFile& file) {
  base::PayloadDraft draft(&spool);
  const std::size_t size = file.view().size();
  std::string piece(std::min(kCopyPieceBytes, size), '\0');
  for (std::size_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min(piece.size(), size - at));
    if (absl::Status read = file.Read(at, piece.data(), piece.size()); !read.ok()) return read;
    if (absl::Status added = draft.Append(piece); !added.ok()) return added;
  }
  return draft.Finish();
}

}  // namespace

absl::StatusOr<base::Kept> ResultArenas::Take(const base::Spool& spool, const wire::ResultPlace& place,
                                              NextFile next_file) {
  const auto arena = Find(spool, place, next_file);
  if (!arena.ok()) return arena.status();
  if (*arena == nullptr) return absl::ResourceExhaustedError("there was no room to look at the arena of the result");
  auto file = (*arena)->Take({place.slot, place.use}, place.bytes);
  if (!file.ok()) return absl::InvalidArgumentError(file.status().message());
  if ((*arena)->number() == kNotKept) return Copy(spool, **file);
  const std::string_view view = (*file)->view();
  return base::Kept{*std::move(file), view};
}

std::uint64_t ResultArenas::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [number, arena] : arenas_) sum += arena != nullptr ? arena->mapping().shape().bytes() : 0;
  return sum;
}

absl::StatusOr<std::shared_ptr<base::Arena>> ResultArenas::Find(const base::Spool& spool,
                                                                const wire::ResultPlace& place, NextFile next_file) {
  if (const auto found = arenas_.find(place.arena); found != arenas_.end()) return found->second;
  if (place.arena != came_) return absl::InvalidArgumentError("there is no arena of that number");
  std::optional<wire::UniqueFd> sent = next_file();
  if (!sent) return absl::InvalidArgumentError("the arena was not sent");
  ++came_;
  if (!*sent) return arenas_.emplace(place.arena, nullptr).first->second;
  wire::UniqueFd fd = *std::move(sent);
  std::erase_if(arenas_, [](const auto& entry) { return entry.second != nullptr && entry.second->empty(); });
  auto arena = spool.AdoptArena(&fd, place.slot_bytes);
  if (absl::IsResourceExhausted(arena.status()) && fd) arena = NotKept(std::move(fd), place.slot_bytes);
  if (absl::IsInvalidArgument(arena.status())) return arena.status();
  // Not the worker's fault: what it put there is lost, and it lives.
  return arenas_.emplace(place.arena, arena.ok() ? *arena : nullptr).first->second;
}

}  // namespace poold::process
