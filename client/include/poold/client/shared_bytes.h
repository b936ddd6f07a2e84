// SharedBytes: the bytes of a result, in the memory where they arrived.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace poold::client {

// A result whose bytes are not copied into a std::string.
//
// Purpose: name SharedBytes as the type of a result, as in Submit<SharedBytes>("render", ...). SharedBytes takes texts,
//   MessagePack's bytes and raw bytes (a function's std::string, std::string_view, Bytes, BytesView).
// Performance: a result from 32 KiB to 64 MiB of a worker on this host is not copied for a client of the same user: the
//   result stays in the worker's shared memory. A larger result lies in memory or in a file that the daemon handed
//   over. A result that came through gRPC or inline lies in this process; a small one is copied. Copying and moving
//   cost as much as for a shared_ptr.
// Ownership: all copies own the bytes together. The bytes are valid as long as one copy lives, whatever happens to the
//   handle, the Client, the daemon and the worker; they are not valid in a child that this process forks. A result that
//   is held occupies room for results (256 MiB of a worker, and the daemon's limit for all): while many are held, other
//   results are copied or go through files. To keep a result for long, copy the result.
// Thread safety: as a shared_ptr; the bytes are constant.
// Security: a process of the same user that means harm can change bytes in a worker's shared memory while they are
//   read. To check the bytes, copy them first. Their place and size belong to this process and do not change.
// Example:
//   absl::StatusOr<SharedBytes> image = pool.Apply<SharedBytes>("render", scene);
//   if (image.ok()) write(fd, image->view().data(), image->size());
class SharedBytes {
 public:
  // No bytes.
  SharedBytes() = default;
  // Shares `bytes`. REQUIRES: the bytes are valid as long as `owner` lives.
  SharedBytes(std::shared_ptr<const void> owner, std::string_view bytes) : owner_(std::move(owner)), view_(bytes) {}
  SharedBytes(const SharedBytes&) = default;
  SharedBytes(SharedBytes&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), view_(std::exchange(other.view_, {})) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~SharedBytes() = default;

  // The bytes. Valid as long as this object or a copy of this object lives.
  std::string_view view() const { return view_; }
  // The number of bytes.
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace poold::client
