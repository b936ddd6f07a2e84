// PayloadFile: a large payload in a file in place of memory: sealed memory of another process, an unlinked file of the
// spool, or a slot of an arena (arena.h).
//
// The file has no name and ends with its last owner, also when the daemon is killed. To the core a PayloadFile is bytes
// like others: a view of a mapping. To copy many bytes call Read, which touches no page of the mapping: touched pages
// count as the process's memory.
// Threads: thread-safe: constant after construction. Errors: see each call.
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

// Owned by shared_ptr only; made by Make and InArena.
class PayloadFile {
 public:
  // Wraps a file that is read-only or sealed, whose first `bytes` bytes never change. Holds the reservations as long as
  // it lives. Errors: the file cannot be mapped.
  static absl::StatusOr<std::shared_ptr<const PayloadFile>> Make(wire::UniqueFd fd, std::uint64_t bytes,
                                                                 Reservation room, Reservation files);
  // Wraps a slot that the daemon has taken, and frees the slot at its end.
  static std::shared_ptr<const PayloadFile> InArena(std::shared_ptr<Arena> arena, wire::ArenaPlace place,
                                                    std::uint64_t bytes);
  // The file whose memory this owner keeps; null: the owner keeps something else. Costs one comparison.
  static const PayloadFile* Behind(const std::shared_ptr<const void>& owner);

  // The descriptor of the file, or of the arena. Owned by this object.
  int fd() const;
  // Null: the payload has a file of its own.
  Arena* arena() const { return arena_.get(); }
  // REQUIRES: arena() is not null.
  wire::ArenaPlace place() const { return place_; }
  // The payload's first byte in fd().
  std::uint64_t offset() const { return offset_; }
  // The mapped bytes. Valid as long as this object.
  std::string_view view() const { return view_; }
  // Copies `bytes` bytes from `offset` on into `into`. REQUIRES: the payload has them. DATA_LOSS: the file cannot be
  // read.
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

// A part of a payload, and its place in the payload's file.
struct FilePart {
  // Null: the part lies in no file.
  const PayloadFile* file = nullptr;
  std::uint64_t offset = 0;
  // Whether the part is the whole payload.
  bool whole = false;
};
// The file part of a view whose memory `owner` keeps.
FilePart PartBehind(const std::shared_ptr<const void>& owner, std::string_view view);

}  // namespace poold::base
