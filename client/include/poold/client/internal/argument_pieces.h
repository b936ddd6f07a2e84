// ArgumentPieces: the arguments of a call as MessagePack, with large texts and bytes left where they are. Not for
// users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "poold/codec/text.h"
#include "poold/codec/write.h"

namespace poold::client::internal {

// Types whose large values are handed over without a first copy.
template <typename T>
inline constexpr bool kIsText =
    std::is_same_v<codec::Plain<T>, std::string> || std::is_same_v<codec::Plain<T>, std::string_view>;
template <typename T>
inline constexpr bool kIsTextOrBytes =
    kIsText<T> || std::is_same_v<codec::Plain<T>, Bytes> || std::is_same_v<codec::Plain<T>, BytesView> ||
    codec::kIsByteList<codec::Plain<T>>;

// Arguments of this size and more are handed over in shared memory.
inline constexpr std::size_t kLargeTextBytes = std::size_t{32} << 10;

// Returns the text or bytes of `value` if they are large; empty: anything else. Does not look inside other values,
// because they may make a text only while they are written.
template <typename T>
std::string_view LargeTextOf(const T& value) {
  std::string_view text;
  if constexpr (kIsText<T>) {
    text = value;
  } else if constexpr (codec::kIsByteList<codec::Plain<T>>) {
    text = codec::BytesOf(value);
  } else if constexpr (kIsTextOrBytes<T>) {
    text = value.data;
  }
  return text.size() >= kLargeTextBytes && text.size() <= UINT32_MAX ? text : std::string_view();
}

// Role: packs small arguments into one string and refers to large ones, so that a large argument is copied once, to
//   where it is handed over.
// Thread safety: none; a local of one call.
class ArgumentPieces {
 public:
  // Packs the arguments. REQUIRES: the arguments outlive this object. Throws codec::TooLong.
  template <typename... Args>
  explicit ArgumentPieces(const Args&... args) {
    codec::StringSink sink{&small_};
    codec::Packer(sink).pack_array(sizeof...(Args));
    (Add(args), ...);
  }
  ArgumentPieces(const ArgumentPieces&) = delete;
  ArgumentPieces& operator=(const ArgumentPieces&) = delete;

  // Returns the pieces, one behind the other. Valid as long as this object and the arguments.
  std::vector<std::string_view> All() const {
    std::vector<std::string_view> all;
    std::size_t begin = 0;
    for (const Large& large : large_) {
      all.push_back(std::string_view(small_).substr(begin, large.behind - begin));
      all.push_back(large.text);
      begin = large.behind;
    }
    all.push_back(std::string_view(small_).substr(begin));
    return all;
  }

 private:
  // A large argument, behind the first `behind` bytes of small_.
  struct Large {
    std::size_t behind;  // so much of small_
    std::string_view text;
  };

  template <typename T>
  void Add(const T& value) {
    const std::string_view text = LargeTextOf(value);
    if (text.empty()) return codec::Append(&small_, value);
    small_ += (kIsText<T> ? codec::TextHead::OfText(text.size()) : codec::TextHead::OfBytes(text.size())).view();
    large_.push_back({small_.size(), text});
  }

  std::string small_;
  std::vector<Large> large_;
};

}  // namespace poold::client::internal
