// Pieces: bytes in several places, one behind the other, which are joined only at their destination.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace poold::wire {

// A view: the pieces and the span must outlive the object.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> pieces) : pieces_(pieces) {
    for (const std::string_view piece : pieces) size_ += piece.size();
  }

  // The bytes of all pieces.
  std::size_t size() const { return size_; }
  std::span<const std::string_view> all() const { return pieces_; }

  // Copies the first `bytes` bytes. REQUIRES: there are so many, and `into` has room for them.
  void CopyTo(char* into, std::size_t bytes) const {
    for (const std::string_view piece : pieces_) {
      const std::size_t some = std::min(piece.size(), bytes);
      if (some == 0) continue;
      std::memcpy(into, piece.data(), some);
      into += some;
      bytes -= some;
    }
  }
  // All bytes in one string.
  std::string Join() const {
    std::string joined;
    joined.reserve(size_);
    for (const std::string_view piece : pieces_) joined += piece;
    return joined;
  }

 private:
  std::span<const std::string_view> pieces_;
  std::size_t size_ = 0;
};

}  // namespace poold::wire
