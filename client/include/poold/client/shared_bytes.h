// SharedBytes: a result where it lies.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace poold::client {

// The bytes of a result without a std::string of their own: they stay where they came to lie.
//
// Purpose: ask for it as the type of a result, Submit<SharedBytes>("render", ...). It takes texts, MessagePack's bytes
//   and raw bytes (a function's std::string, std::string_view, Bytes, BytesView).
// Performance: a result from 32 KiB to 64 MiB of a worker on this host, for a client of the same user, is not copied:
//   it lies in the worker's shared memory. A larger one lies in memory or a file that was handed over. What came
//   through gRPC, or inline, lies in this process; a small one is copied. Copying and moving this are cheap, as of a
//   shared_ptr.
// Ownership: all copies together. Valid as long as one of them lives, whatever becomes of the handle, the Client, the
//   daemon and the worker; not in a child that this process forks. Results that are held hold room where results lie
//   (256 MiB of a worker, and what the daemon has for all): who collects many lets others' go a slower way, copied or
//   through files. To keep one for long, copy it.
// Thread safety: as a shared_ptr; the bytes are constant.
// Security: what lies in a worker's shared memory can be changed under who reads it by a process of the same user that
//   means harm: who checks it copies it first. Its place and size are this process's own, and stay.
// Example:
//   absl::StatusOr<SharedBytes> image = pool.Apply<SharedBytes>("render", scene);
//   if (image.ok()) write(fd, image->view().data(), image->size());
class SharedBytes {
 public:
  // No bytes.
  SharedBytes() = default;
  // REQUIRES: as long as `owner` lives, the bytes are there.
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

  // Valid as long as this, or a copy of it, lives.
  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace poold::client
