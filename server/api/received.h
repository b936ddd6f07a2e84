// Received: a request as it comes from a client. Its parts are counted before it is parsed, whatever carries it.
//
// Threads: one at a time. Ownership: owns the message; `options` must outlive it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "api/service_options.h"

namespace poold::api {

// The most parts of a message. A part is a message inside of it, an entry of a list, or a field that the contract does
// not know; of packed numbers of varying length every tenth byte counts, since none is longer.
struct PartBounds {
  // The most entries of each list of the message itself.
  std::uint64_t most_entries = 0;
  // The most parts of the whole message.
  std::uint64_t most_parts = 0;
};

// Messages of fewer bytes have few parts, and are not counted.
inline constexpr std::uint64_t kFewMessageBytes = 16 << 10;

// Counts the parts of a message before it is parsed, because two bytes on the wire may become an object of some
// hundred. Performance: linear in the number of fields, whatever their bytes; takes no memory. Errors: made by
// core::MakeError with TOO_MANY, naming the list; or INVALID_FIELD where the bytes are no such message.
absl::Status CheckParts(google::protobuf::io::ZeroCopyInputStream* bytes, const google::protobuf::Descriptor& type,
                        const PartBounds& bounds);

// INVALID_FIELD: the bytes are no message of this type.
absl::Status NoSuchMessage(const google::protobuf::Descriptor& type);

template <typename Message>
class Received {
 public:
  explicit Received(const ServiceOptions& options) : options_(options) {}

  // The message that came last. Empty if it was refused.
  Message& message() { return message_; }
  // OK, or the reason for which the last message was refused.
  const absl::Status& status() const { return status_; }

  // Counts and parses a message.
  void Parse(std::string_view bytes) {
    ParseStream(bytes.size(),
                [&] { return google::protobuf::io::ArrayInputStream(bytes.data(), static_cast<int>(bytes.size())); });
  }
  // As Parse. `open` makes a stream of the bytes, from the first one on; it may be called twice.
  template <typename Open>
  void ParseStream(std::uint64_t bytes, Open open) {
    // A message keeps the memory of the largest that it ever was.
    if (bytes_ >= kFewMessageBytes) message_ = Message();
    bytes_ = bytes;
    const google::protobuf::Descriptor& type = *Message::descriptor();
    status_ = absl::OkStatus();
    if (bytes >= kFewMessageBytes) {
      auto stream = open();
      status_ = CheckParts(&stream, type, {options_.max_items_per_call, options_.max_message_parts()});
    }
    if (!status_.ok()) return message_.Clear();
    auto stream = open();
    if (message_.ParseFromZeroCopyStream(&stream)) return;
    message_.Clear();
    status_ = NoSuchMessage(type);
  }

 private:
  const ServiceOptions& options_;
  std::uint64_t bytes_ = 0;
  Message message_;
  absl::Status status_;
};

}  // namespace poold::api
