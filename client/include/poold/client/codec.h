// Conversion between C++ values and payloads. poold/codec/convert.h says which types convert, and the rules for
// numbers; the worker SDK uses the same.
//
//   arguments (1, "two", std::vector<double>{...})   MessagePack, one array
//   one protobuf message                             ENCODING_PROTOBUF with its name
//   one poold::Bytes or poold::BytesView             ENCODING_RAW
//   one Payload                                      unchanged
//
// Results convert in the same way, but must own their memory: no BytesView, no std::string_view. Bytes, vectors and
// arrays of bytes, and SharedBytes accept texts and bytes of either encoding.
// Thread safety: the functions are pure.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/payload.h"
#include "poold/client/shared_bytes.h"
#include "poold/codec/large_text.h"
#include "poold/codec/payload.h"
#include "poold/codec/read.h"
#include "poold/codec/text.h"
#include "poold/codec/write.h"

namespace poold::client {

// The answer of a function that returns T: absl::StatusOr<T>, or absl::Status for void.
template <typename T>
using Result =
    std::conditional_t<std::is_void_v<T>, absl::Status, absl::StatusOr<std::conditional_t<std::is_void_v<T>, int, T>>>;

namespace internal {

// Types by the way in which they travel.
template <typename T>
inline constexpr bool kIsBytes = std::is_same_v<T, Bytes>;
template <typename T>
inline constexpr bool kIsRaw = std::is_same_v<T, Bytes> || std::is_same_v<T, BytesView>;
template <typename T>
inline constexpr bool kIsMessage = codec::ProtobufMessage<T>;

// Whether T may be the type of a result.
template <typename T>
inline constexpr bool kIsResult = std::is_same_v<T, Payload> || std::is_same_v<T, SharedBytes> || kIsMessage<T> ||
                                  (codec::kReadable<T> && codec::kOwning<T>);
template <>
inline constexpr bool kIsResult<void> = true;

// INVALID_ARGUMENT (RESULT_TYPE): "square returned a result that is not of the type asked for: wanted an integer, got a
// string".
absl::Status ResultTypeError(std::string_view function, std::string_view detail);
// INVALID_ARGUMENT (RESULT_TYPE): the result has another encoding than `wanted`.
absl::Status WrongEncoding(std::string_view function, Encoding wanted, const ResultView& got);

// codec::VisitValue, compiled once.
absl::Status VisitValue(std::string_view bytes, absl::FunctionRef<void(const msgpack::object&)> visit);
// As codec::Decode.
template <typename T>
absl::StatusOr<T> Decode(std::string_view bytes) {
  return codec::DecodeBy<T>(VisitValue, bytes);
}

// The status of a Result.
inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Writes the arguments into `out` as one MessagePack array, over what was there. Throws codec::TooLong.
template <typename... Args>
void EncodeValues(Payload* out, const Args&... args) {
  out->encoding = Encoding::kMsgpack;
  out->type_name.clear();
  out->data.clear();
  codec::AppendArguments(&out->data, args...);
}

// Writes one argument into `out`, with the encoding of its type. Throws codec::TooLong.
template <typename Arg>
void EncodeOne(Payload* out, const Arg& arg) {
  if constexpr (kIsMessage<Arg>) {
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    if (arg.ByteSizeLong() > kMost) throw codec::TooLong(arg.ByteSizeLong(), kMost);
    *out = {.encoding = Encoding::kProtobuf, .type_name = std::string(arg.GetTypeName()), .data = {}};
    arg.SerializeToString(&out->data);
  } else if constexpr (kIsRaw<Arg>) {
    *out = {.encoding = Encoding::kRaw, .type_name = "", .data = codec::CopyText(arg.data)};
  } else if constexpr (std::is_same_v<Arg, Payload>) {
    *out = arg;
  } else {
    EncodeValues(out, arg);
  }
}

// Writes the arguments into `out`, reusing its memory where possible. Throws codec::TooLong.
template <typename... Args>
void EncodeArguments(Payload* out, const Args&... args) {
  if constexpr (sizeof...(Args) == 1) {
    EncodeOne(out, args...);
  } else {
    EncodeValues(out, args...);
  }
}

// Says what `value` holds in place of a text. Looks at a copy, because other processes may change `value`.
inline std::string WhyNoText(std::string_view value) {
  const absl::Status wrong = Decode<Bytes>(codec::CopyText(value)).status();
  return wrong.ok() ? "it changed while it was read" : std::string(wrong.message());
}

// Returns the bytes where they are, without a copy. Other processes may change them meanwhile.
template <typename Name>
absl::StatusOr<SharedBytes> DecodeOwned(const Name& name, OwnedResult&& result) {
  std::optional<std::string_view> bytes;
  if (result.encoding == Encoding::kRaw) bytes = result.data;
  if (result.encoding == Encoding::kMsgpack) bytes = codec::ReadOnlyText(result.data);
  if (bytes) return SharedBytes(std::move(result.owner), *bytes);
  const ResultView view{result.encoding, result.type_name, result.data};
  if (result.encoding != Encoding::kMsgpack) return WrongEncoding(name(), Encoding::kMsgpack, view);
  return ResultTypeError(name(), WhyNoText(result.data));
}

// Returns a view of the bytes of a raw or MessagePack result. Valid as long as `result`.
template <typename Name>
absl::StatusOr<std::string_view> ReadBytes(const Name& name, const ResultView& result) {
  if (result.encoding == Encoding::kRaw) return result.data;
  if (result.encoding != Encoding::kMsgpack) return WrongEncoding(name(), Encoding::kRaw, result);
  if (const auto bytes = codec::ReadOnlyText(result.data)) return *bytes;
  return ResultTypeError(name(), WhyNoText(result.data));
}

// Parses a protobuf message. INVALID_ARGUMENT (RESULT_TYPE).
template <typename T, typename Name>
Result<T> DecodeMessage(const Name& name, const ResultView& result) {
  T message;
  if (result.encoding != Encoding::kProtobuf) return WrongEncoding(name(), Encoding::kProtobuf, result);
  const std::string type_name(message.GetTypeName());
  if (!result.type_name.empty() && result.type_name != type_name) {
    return ResultTypeError(name(), "wanted " + type_name + ", got " + std::string(result.type_name));
  }
  if (result.data.size() > std::numeric_limits<int>::max()) {
    return ResultTypeError(name(), "these bytes are too many for a protobuf message");
  }
  if (!message.ParseFromArray(result.data.data(), static_cast<int>(result.data.size()))) {
    return ResultTypeError(name(), "these bytes are no " + type_name);
  }
  return message;
}

// Decodes a MessagePack value, or bytes. INVALID_ARGUMENT (RESULT_TYPE).
template <typename T, typename Name>
Result<T> DecodeValue(const Name& name, const ResultView& result) {
  if constexpr (codec::kIsByteList<T>) {
    T list{};
    if (result.encoding == Encoding::kRaw) {
      if (codec::SetBytes(&list, result.data)) return list;
      return ResultTypeError(name(),
                             "wanted " + codec::Convert<T>::Name() + ", got " + std::to_string(result.data.size()));
    }
  }
  if (result.encoding == Encoding::kRaw && result.data.size() <= std::numeric_limits<std::uint32_t>::max()) {
    // A result that is bytes alone comes so, also where bytes are one of several things that T may be.
    absl::StatusOr<T> bytes = Decode<T>(codec::Encode(BytesView{result.data}));
    if (bytes.ok()) return bytes;
  }
  if (result.encoding != Encoding::kMsgpack) return WrongEncoding(name(), Encoding::kMsgpack, result);
  absl::StatusOr<T> value = Decode<T>(result.data);
  if (!value.ok()) return ResultTypeError(name(), std::string(value.status().message()));
  return value;
}

// Decodes a result. `name` returns the function's name and is called for errors only. INVALID_ARGUMENT (RESULT_TYPE).
template <typename T, typename Name>
Result<T> DecodeResult(const Name& name, const ResultView& result) {
  static_assert(kIsResult<T>,
                "poold: a result of this type cannot travel. It must own what it holds; give a struct "
                "POOLD_FIELDS(Type, its fields...) behind it, and a constructor without arguments.");
  if constexpr (!kIsResult<T>) {
    return absl::InternalError("");
  } else if constexpr (std::is_void_v<T>) {
    return absl::OkStatus();
  } else if constexpr (std::is_same_v<T, Payload>) {
    return Payload{result.encoding, std::string(result.type_name), codec::CopyText(result.data)};
  } else if constexpr (std::is_same_v<T, SharedBytes>) {
    auto owner = std::make_shared<const std::string>(codec::CopyText(result.data));
    const std::string_view data = *owner;
    return DecodeOwned(name, {result.encoding, std::string(result.type_name), data, std::move(owner)});
  } else if constexpr (std::is_same_v<T, Bytes>) {
    const absl::StatusOr<std::string_view> bytes = ReadBytes(name, result);
    if (!bytes.ok()) return bytes.status();
    return T{codec::CopyText(*bytes)};
  } else if constexpr (kIsMessage<T>) {
    return DecodeMessage<T>(name, result);
  } else {
    return DecodeValue<T>(name, result);
  }
}

}  // namespace internal

// Returns the arguments of one call as Submit sends them. Throws codec::TooLong for texts and bytes of 4 GiB and more
// (Submit makes a refusal of that: TOO_LARGE).
// Example:
//   client->OpenPool({.name = "demo", .initializer = "setup", .initializer_args = Arguments(1, "two")});
template <typename... Args>
Payload Arguments(const Args&... args) {
  Payload payload;
  internal::EncodeArguments(&payload, args...);
  return payload;
}

}  // namespace poold::client
