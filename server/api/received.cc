#include "api/received.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/errors.h"

namespace poold::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

constexpr std::size_t kMaxFields = 32;  // of a request
constexpr int kLongestNumber = 10;      // bytes on the wire

bool IsText(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING || field.type() == FieldDescriptor::TYPE_BYTES;
}

WireFormatLite::WireType WireTypeOf(const FieldDescriptor& field) {
  return WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type()));
}

class PartCounter {
 public:
  using Lists = std::array<std::uint64_t, kMaxFields>;

  explicit PartCounter(google::protobuf::io::ZeroCopyInputStream* bytes) : bytes_(bytes) {}

  // False: the bytes are no message.
  bool CountAll(const Descriptor& type) { return Count(type, &lists_) && bytes_.ConsumedEntireMessage(); }
  std::uint64_t parts() const { return parts_; }
  // Entries of the message's own lists, by the index of the field.
  const Lists& lists() const { return lists_; }

 private:
  bool Count(const Descriptor& type, Lists* lists) {
    while (const std::uint32_t tag = bytes_.ReadTag()) {
      const FieldDescriptor* const field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const WireFormatLite::WireType wire = WireFormatLite::GetTagWireType(tag);
      const bool listed = field != nullptr && field->is_repeated();
      if (listed && lists != nullptr && field->index() < static_cast<int>(kMaxFields)) ++(*lists)[field->index()];
      if (listed) ++parts_;
      if (!(wire == WireFormatLite::WIRETYPE_LENGTH_DELIMITED ? CountInside(field) : PassNumber(field, wire))) {
        return false;
      }
    }
    return true;
  }

  bool PassNumber(const FieldDescriptor* field, WireFormatLite::WireType wire) {
    if (field == nullptr || WireTypeOf(*field) != wire) ++parts_;
    std::uint64_t number = 0;
    if (wire == WireFormatLite::WIRETYPE_VARINT) return bytes_.ReadVarint64(&number);
    if (wire == WireFormatLite::WIRETYPE_FIXED64) return bytes_.Skip(8);
    return wire == WireFormatLite::WIRETYPE_FIXED32 && bytes_.Skip(4);  // groups are not of the contract
  }

  bool CountInside(const FieldDescriptor* field) {
    int length = 0;
    if (!bytes_.ReadVarintSizeAsInt(&length)) return false;
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE) {
      return CountMessage(*field->message_type(), length);
    }
    if (field == nullptr) {
      ++parts_;
    } else if (!IsText(*field)) {
      parts_ += WireTypeOf(*field) == WireFormatLite::WIRETYPE_VARINT ? length / kLongestNumber + 1 : 1;
    }
    return bytes_.Skip(length);
  }

  bool CountMessage(const Descriptor& type, int length) {
    ++parts_;
    const auto outer = bytes_.PushLimit(length);
    const bool counted = Count(type, nullptr) && bytes_.BytesUntilLimit() == 0;
    bytes_.PopLimit(outer);
    return counted;
  }

  google::protobuf::io::CodedInputStream bytes_;
  std::uint64_t parts_ = 0;
  Lists lists_{};
};

absl::Status CheckLists(const PartCounter& counter, const Descriptor& type, std::uint64_t most) {
  for (int i = 0; i < type.field_count() && i < static_cast<int>(kMaxFields); ++i) {
    const std::uint64_t entries = counter.lists()[i];
    const std::string& name = type.field(i)->name();
    if (entries > most) return TooMany(name, absl::StrCat(name, ": ", entries, " in one call; at most ", most));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckParts(google::protobuf::io::ZeroCopyInputStream* bytes, const Descriptor& type,
                        const PartBounds& bounds) {
  PartCounter counter(bytes);
  if (!counter.CountAll(type)) return NoSuchMessage(type);
  if (absl::Status status = CheckLists(counter, type, bounds.most_entries); !status.ok()) return status;
  if (counter.parts() <= bounds.most_parts) return absl::OkStatus();
  return TooMany(type.name(), absl::StrCat(type.name(), ": the message has ", counter.parts(),
                                           " parts (messages, entries of lists, unknown fields); at most ",
                                           bounds.most_parts, "; send several smaller ones"));
}

absl::Status NoSuchMessage(const Descriptor& type) {
  return InvalidField(type.name(), absl::StrCat("what came is no ", type.full_name()));
}

}  // namespace poold::api
