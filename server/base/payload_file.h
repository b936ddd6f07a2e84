// A large payload in a file in place of memory: sealed memory that another process made, an unlinked file of the spool,
// or a slot of an arena (arena.h). It ends with its last owner, also when the daemon is killed: it has no name.
//
// For the core it is bytes like others: a view of a mapping that is touched when it is read. What copies much of it
// calls Read, which touches no mapping: what a process has touched counts as its memory.
// Thread-safe: constant after construction. Errors: see each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/quota.h"
#include "wire/arena.h"
#include "wire/mapped_file.h"
#include "wire/unique_fd.h"

namespace poold::base {

class Arena;

class PayloadFile {
 public:
  // `fd` is read-only, or sealed; its first `bytes` bytes stay as they are. The shares are held as long as it lives.
  static absl::StatusOr<std::shared_ptr<const PayloadFile>> Make(wire::UniqueFd fd, std::uint64_t bytes,
                                                                 Reservation room, Reservation files);
  // The payload in this slot, which is the daemon's, and free again when this goes.
  static std::shared_ptr<const PayloadFile> InArena(std::shared_ptr<Arena> arena, wire::ArenaPlace place,
                                                    std::uint64_t bytes);
  // The file whose memory this owner keeps; null if it keeps something else. Cheap.
  static const PayloadFile* Behind(const std::shared_ptr<const void>& owner);

  // Of the file, or of the arena.
  int fd() const;
  // Null: it has a file of its own.
  Arena* arena() const { return arena_.get(); }
  // REQUIRES: it lies in an arena.
  wire::ArenaPlace place() const { return place_; }
  // Where it begins in what fd() says.
  std::uint64_t offset() const { return offset_; }
  std::string_view view() const { return view_; }
  // REQUIRES: there are so many bytes. DATA_LOSS: the file cannot be read.
  absl::Status Read(std::uint64_t offset, char* into, std::size_t bytes) const;

  PayloadFile(const PayloadFile&) = delete;
  PayloadFile& operator=(const PayloadFile&) = delete;

 private:
  struct Deleter {
    void operator()(const PayloadFile* file) const { delete file; }
  };
  PayloadFile(wire::UniqueFd fd, wire::MappedFile mapped, Reservation room, Reservation files);
  PayloadFile(std::shared_ptr<Arena> arena, wire::ArenaPlace place, std::uint64_t bytes);
  ~PayloadFile();

  const wire::UniqueFd fd_;
  const wire::MappedFile mapped_;
  const Reservation room_;
  const Reservation files_;
  const std::shared_ptr<Arena> arena_;
  const wire::ArenaPlace place_;
  const std::uint64_t offset_ = 0;
  const std::string_view view_;
};

// A part of a payload: where it lies in its file.
struct FilePart {
  const PayloadFile* file = nullptr;  // null: it lies in no file
  std::uint64_t offset = 0;
  // It is all of the payload.
  bool whole = false;
};
FilePart PartBehind(const std::shared_ptr<const void>& owner, std::string_view view);

}  // namespace poold::base
