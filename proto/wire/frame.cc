#include "wire/frame.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace poold::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");

// The parser's buffer is given back when it is empty and larger than this.
constexpr std::size_t kKeepBytes = 8u << 20;
constexpr std::size_t kLeastBufferBytes = 16u << 10;
// Who announces more than this has lost the thread.
constexpr std::uint64_t kMaxPassedOverBytes = std::uint64_t{1} << 40;

struct Header {
  std::uint32_t message_bytes;
  std::uint16_t kind;
  std::uint16_t zero;
  std::uint64_t blob_bytes;
};
static_assert(sizeof(Header) == kFrameHeaderBytes);

absl::Status Check(const Header& header, std::uint64_t max_blob_bytes) {
  if (header.zero != 0 || !internal::FrameKind_IsValid(header.kind) || header.kind == 0) {
    return absl::InvalidArgumentError(absl::StrCat("broken frame: no such kind (", header.kind, ")"));
  }
  if (header.message_bytes > kMaxFrameMessageBytes) {
    return absl::InvalidArgumentError(absl::StrCat("broken frame: a message of ", header.message_bytes,
                                                   " bytes; the limit is ", kMaxFrameMessageBytes));
  }
  if (header.blob_bytes > max_blob_bytes &&
      (header.kind != internal::FRAME_KIND_OUTCOMES || header.blob_bytes > kMaxPassedOverBytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("broken frame: a blob of ", header.blob_bytes, " bytes; the limit is ", max_blob_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

void AppendFrameHead(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::uint64_t blob_bytes,
                     std::string* out) {
  const std::size_t message_bytes = message == nullptr ? 0 : message->ByteSizeLong();
  const Header header{static_cast<std::uint32_t>(message_bytes), static_cast<std::uint16_t>(kind), 0, blob_bytes};
  const std::size_t begin = out->size();
  out->resize(begin + sizeof header + message_bytes);
  std::memcpy(out->data() + begin, &header, sizeof header);
  if (message_bytes == 0) return;
  message->SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out->data()) + begin + sizeof header);
}

void AppendFrame(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::string_view blob,
                 std::string* out) {
  AppendFrameHead(kind, message, blob.size(), out);
  out->append(blob);
}

char* FrameParser::Reserve(std::size_t bytes) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (size_ > kKeepBytes && bytes <= kKeepBytes) {
      buffer_.reset();
      size_ = 0;
    }
  }
  if (size_ - end_ < bytes && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (size_ - end_ < bytes) Resize(std::max({end_ + bytes, kLeastBufferBytes, 2 * size_}));
  return buffer_.get() + end_;
}

void FrameParser::Resize(std::size_t bytes) {
  std::unique_ptr<char[]> resized = std::make_unique_for_overwrite<char[]>(bytes);
  if (end_ > 0) std::memcpy(resized.get(), buffer_.get(), end_);
  buffer_ = std::move(resized);
  size_ = bytes;
}

void FrameParser::Commit(std::size_t bytes) { end_ += bytes; }

bool FrameParser::PassOver() {
  const std::uint64_t here = std::min<std::uint64_t>(pass_over_bytes_, end_ - begin_);
  begin_ += here;
  pass_over_bytes_ -= here;
  return pass_over_bytes_ == 0;
}

absl::StatusOr<std::optional<Frame>> FrameParser::Next() {
  if (!PassOver()) return std::nullopt;
  const std::size_t there = end_ - begin_;
  if (there < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, buffer_.get() + begin_, sizeof header);
  if (absl::Status checked = Check(header, max_blob_bytes_); !checked.ok()) return checked;
  const bool without_blob = header.blob_bytes > max_blob_bytes_;
  const std::uint64_t blob_bytes = without_blob ? 0 : header.blob_bytes;
  const std::uint64_t body = header.message_bytes + blob_bytes;
  if (there - sizeof header < body) return std::nullopt;

  const char* const message = buffer_.get() + begin_ + sizeof header;
  begin_ += sizeof header + body;
  if (without_blob) pass_over_bytes_ = header.blob_bytes;
  return Frame{static_cast<internal::FrameKind>(header.kind),
               {message, header.message_bytes},
               {message + header.message_bytes, static_cast<std::size_t>(blob_bytes)},
               without_blob};
}

std::size_t FrameParser::Wanted() const {
  const std::size_t there = end_ - begin_;
  if (pass_over_bytes_ > 0 || there < sizeof(Header)) return sizeof(Header) - std::min(there, sizeof(Header));
  Header header;
  std::memcpy(&header, buffer_.get() + begin_, sizeof header);
  if (!Check(header, max_blob_bytes_).ok()) return 0;
  const std::uint64_t blob_bytes = header.blob_bytes > max_blob_bytes_ ? 0 : header.blob_bytes;
  const std::uint64_t whole = sizeof header + header.message_bytes + blob_bytes;
  return whole > there ? whole - there : 0;
}

}  // namespace poold::wire
