#include "base/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/memory_file.h"

namespace poold::base {
namespace {

absl::Status NoRoom(const Quota& room, const char* what, const char* key) {
  return absl::ResourceExhaustedError(absl::StrCat("the room for ", what, " is full (", room.used(), " of ", room.max(),
                                                   ", ", key, "): try again when some are released"));
}

absl::Status Failed(const std::string& folder, const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot ", what, " a file in ", folder, " (spool.folder): ", std::strerror(errno)));
}

// Where the file system has no files without a name, the name goes at once.
wire::UniqueFd OpenUnnamed(const std::string& folder) {
  wire::UniqueFd fd(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = folder + "/poold-spool-XXXXXX";
  fd.Reset(mkostemp(name.data(), O_CLOEXEC));
  if (fd) unlink(name.c_str());
  return fd;
}

}  // namespace

Spool::Spool(SpoolOptions options, std::shared_ptr<Quota> memory)
    : options_(std::move(options)),
      disk_(std::make_shared<Quota>(options_.max_bytes)),
      memory_(std::make_shared<Quota>(options_.max_memory_bytes, std::move(memory))),
      files_(std::make_shared<Quota>(options_.max_files)) {}

absl::Status Spool::Check() const {
  if (OpenUnnamed(options_.folder)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("spool.folder: no file can be made in '", options_.folder,
                                                 "': ", std::strerror(errno), "; make it, or name another folder"));
}

absl::StatusOr<Reservation> Spool::TakeFile() const {
  Reservation file(files_);
  if (!file.Take(1)) return NoRoom(*files_, "files of payloads", "open files");
  return file;
}

absl::StatusOr<std::shared_ptr<const PayloadFile>> Spool::Adopt(wire::UniqueFd* sealed, std::uint64_t bytes) const {
  if (absl::Status checked = wire::CheckSealedFile(sealed->get(), bytes); !checked.ok()) return checked;
  absl::StatusOr<Reservation> room = TakeMemory(bytes);
  if (!room.ok()) return room.status();
  absl::StatusOr<Reservation> file = TakeFile();
  if (!file.ok()) return file.status();
  return PayloadFile::Make(std::move(*sealed), bytes, *std::move(room), *std::move(file));
}

absl::StatusOr<Reservation> Spool::TakeMemory(std::uint64_t bytes) const {
  Reservation room(memory_);
  if (room.Take(bytes) || (arenas_->CloseUnused() > 0 && room.Take(bytes))) return room;
  return NoRoom(*memory_, "payloads in memory", "spool.max_memory_bytes");
}

absl::StatusOr<std::shared_ptr<Arena>> Spool::AdoptArena(wire::UniqueFd* fd, std::uint64_t slot_bytes) const {
  const absl::StatusOr<wire::ArenaShape> shape = wire::CheckArena(fd->get(), slot_bytes);
  if (!shape.ok()) return shape.status();
  absl::StatusOr<Reservation> room = TakeMemory(shape->bytes());
  if (!room.ok()) return room.status();
  absl::StatusOr<Reservation> file = TakeFile();
  if (!file.ok()) return file.status();
  auto mapping = wire::ArenaMapping::Map(fd->get(), *shape, wire::ArenaAccess::kHead);
  if (!mapping.ok()) return mapping.status();
  const auto arena = std::make_shared<Arena>(arenas_->NewNumber(), std::move(*fd), *std::move(mapping),
                                             *std::move(room), *std::move(file));
  arenas_->Add(arena);
  return arena;
}

absl::StatusOr<Spool::File> Spool::NewFile() const {
  absl::StatusOr<Reservation> file = TakeFile();
  if (!file.ok()) return file.status();
  wire::UniqueFd fd = OpenUnnamed(options_.folder);
  if (!fd) return Failed(options_.folder, "make");
  return File(std::move(fd), Reservation(disk_), *std::move(file));
}

absl::Status Spool::File::Append(std::string_view bytes) {
  if (!room_.Take(bytes.size())) return NoRoom(room_.quota(), "payloads on disk", "spool.max_bytes");
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return absl::ResourceExhaustedError(absl::StrCat("cannot write to the spool: ", std::strerror(errno)));
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

// What others get must not be written through: another descriptor, for reading only.
absl::StatusOr<std::shared_ptr<const PayloadFile>> Spool::File::Finish() && {
  wire::UniqueFd readable(open(absl::StrCat("/proc/self/fd/", fd_.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable) return absl::ResourceExhaustedError(absl::StrCat("cannot open the spool: ", std::strerror(errno)));
  fd_.Reset();
  return PayloadFile::Make(std::move(readable), size_, std::move(room_), std::move(files_));
}

// For so many more.
bool PayloadDraft::TakeMemory(std::size_t bytes) {
  const std::size_t wanted = text_.size() + bytes;
  if (wanted > spool_->options().threshold_bytes) return false;
  if (wanted <= text_.capacity()) return true;
  const std::size_t capacity = std::max(wanted, 2 * text_.capacity());
  if (!taken_.Resize(capacity)) return false;
  text_.reserve(capacity);
  return true;
}

absl::Status PayloadDraft::Append(std::string_view bytes) {
  if (!file_ && !TakeMemory(bytes.size())) {
    if (absl::Status moved = MoveToFile(); !moved.ok()) return moved;
  }
  if (file_) return file_->Append(bytes);
  text_.append(bytes);
  return absl::OkStatus();
}

absl::Status PayloadDraft::MoveToFile() {
  absl::StatusOr<Spool::File> file = spool_->NewFile();
  if (!file.ok()) return file.status();
  file_.emplace(*std::move(file));
  const std::string text = std::exchange(text_, {});
  taken_.Clear();
  return file_->Append(text);
}

absl::StatusOr<Kept> PayloadDraft::Finish() {
  if (file_) {
    auto finished = std::move(*file_).Finish();
    Clear();
    if (!finished.ok()) return finished.status();
    const std::string_view view = (*finished)->view();
    return Kept{*std::move(finished), view};
  }
  struct Text {
    std::string text;
    Reservation taken;
  };
  text_.shrink_to_fit();
  taken_.Resize(std::min<std::uint64_t>(text_.capacity(), taken_.taken()));
  auto kept = std::make_shared<Text>();
  kept->text = std::exchange(text_, {});
  kept->taken = std::exchange(taken_, Reservation(memory_));
  const std::string_view view = kept->text;
  return Kept{std::move(kept), view};
}

void PayloadDraft::Clear() {
  std::string().swap(text_);
  taken_.Clear();
  file_.reset();
}

}  // namespace poold::base
