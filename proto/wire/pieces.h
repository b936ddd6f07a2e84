// Bytes that lie in several places, one behind the other: put together where they are to lie, not before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace poold::wire {

// A view.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> pieces) : pieces_(pieces) {
    for (const std::string_view piece : pieces) size_ += piece.size();
  }

  std::size_t size() const { return size_; }
  std::span<const std::string_view> all() const { return pieces_; }

  // The first `bytes` of them. REQUIRES: there are so many.
  void CopyTo(char* into, std::size_t bytes) const {
    for (const std::string_view piece : pieces_) {
      const std::size_t some = std::min(piece.size(), bytes);
      if (some == 0) continue;
      std::memcpy(into, piece.data(), some);
      into += some;
      bytes -= some;
    }
  }
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
