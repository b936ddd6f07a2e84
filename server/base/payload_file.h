// A large payload in a file in place of memory: sealed memory that another process made, or an unlinked file of the
// spool. It ends with its last owner, also when the daemon is killed: it has no name.
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
#include "base/room.h"
#include "wire/mapped_file.h"
#include "wire/unique_fd.h"

namespace poold::base {

class PayloadFile {
 public:
  // `fd` is read-only, or sealed; its first `bytes` bytes stay as they are. The shares are held as long as it lives.
  static absl::StatusOr<std::shared_ptr<const PayloadFile>> Make(wire::UniqueFd fd, std::uint64_t bytes, Share room,
                                                                 Share files);
  // The file whose memory this owner keeps; null if it keeps something else. Cheap.
  static const PayloadFile* Behind(const std::shared_ptr<const void>& owner);

  int fd() const { return fd_.get(); }
  std::string_view view() const { return mapped_.view(); }
  // REQUIRES: there are so many bytes. DATA_LOSS: the file cannot be read.
  absl::Status Read(std::uint64_t offset, char* into, std::size_t bytes) const;

  PayloadFile(const PayloadFile&) = delete;
  PayloadFile& operator=(const PayloadFile&) = delete;

 private:
  struct Deleter {
    void operator()(const PayloadFile* file) const { delete file; }
  };
  PayloadFile(wire::UniqueFd fd, wire::MappedFile mapped, Share room, Share files);
  ~PayloadFile() = default;

  const wire::UniqueFd fd_;
  const wire::MappedFile mapped_;
  const Share room_;
  const Share files_;
};

// A part of a payload: where it lies in its file.
struct FilePart {
  const PayloadFile* file = nullptr;  // null: it lies in no file
  std::uint64_t offset = 0;
  // It is all of the file.
  bool whole = false;
};
FilePart PartBehind(const std::shared_ptr<const void>& owner, std::string_view view);

}  // namespace poold::base
