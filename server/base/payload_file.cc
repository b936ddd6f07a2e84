#include "base/payload_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/arena.h"

namespace poold::base {

PayloadFile::PayloadFile(wire::UniqueFd fd, wire::MappedFile mapped, Reservation room, Reservation files)
    : fd_(std::move(fd)),
      mapped_(std::move(mapped)),
      room_(std::move(room)),
      files_(std::move(files)),
      view_(mapped_.view()) {}

PayloadFile::PayloadFile(std::shared_ptr<Arena> arena, wire::ArenaPlace place, std::uint64_t bytes)
    : arena_(std::move(arena)),
      place_(place),
      offset_(place.slot * arena_->mapping().shape().slot_bytes),
      view_(arena_->mapping().View(place.slot, bytes)) {}

PayloadFile::~PayloadFile() {
  if (arena_ != nullptr) arena_->Free(place_);
}

absl::StatusOr<std::shared_ptr<const PayloadFile>> PayloadFile::Make(wire::UniqueFd fd, std::uint64_t bytes,
                                                                     Reservation room, Reservation files) {
  auto mapped = wire::MappedFile::Map(fd.get(), bytes, wire::Faults::kHereAndThere);
  if (!mapped.ok()) return mapped.status();
  return std::shared_ptr<const PayloadFile>(
      new PayloadFile(std::move(fd), *std::move(mapped), std::move(room), std::move(files)), Deleter());
}

std::shared_ptr<const PayloadFile> PayloadFile::InArena(std::shared_ptr<Arena> arena, wire::ArenaPlace place,
                                                        std::uint64_t bytes) {
  return std::shared_ptr<const PayloadFile>(new PayloadFile(std::move(arena), place, bytes), Deleter());
}

int PayloadFile::fd() const { return arena_ != nullptr ? arena_->fd() : fd_.get(); }

// Only these two give an owner this deleter, and then the owner's pointer is the file.
const PayloadFile* PayloadFile::Behind(const std::shared_ptr<const void>& owner) {
  if (std::get_deleter<Deleter>(owner) == nullptr) return nullptr;
  return static_cast<const PayloadFile*>(owner.get());
}

absl::Status PayloadFile::Read(std::uint64_t offset, char* into, std::size_t bytes) const {
  offset += offset_;
  while (bytes > 0) {
    const ssize_t got = pread(fd(), into, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::DataLossError(
          absl::StrCat("the file of a payload cannot be read: ", got == 0 ? "it is too short" : std::strerror(errno)));
    }
    into += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return absl::OkStatus();
}

FilePart PartBehind(const std::shared_ptr<const void>& owner, std::string_view view) {
  const PayloadFile* const file = PayloadFile::Behind(owner);
  if (file == nullptr) return {};
  return {file, static_cast<std::uint64_t>(view.data() - file->view().data()), view.size() == file->view().size()};
}

}  // namespace poold::base
