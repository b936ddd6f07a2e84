// Encoding and ProtobufMessage: how arguments and results travel that are no MessagePack.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

namespace poold::codec {

// How the bytes of a payload are to be read: the values of poold.v1.Encoding.
enum class Encoding : std::uint32_t {
  // Not stated.
  kUnspecified = 0,
  // MessagePack: arguments are one array with an element for each parameter, a result is one value.
  kMsgpack = 1,
  // One serialized protobuf message.
  kProtobuf = 2,
  // Bytes as they are.
  kRaw = 3,
};

// A protobuf message, recognised by its methods, so that protobuf's headers are not needed.
template <typename T>
concept ProtobufMessage = std::is_class_v<T> && requires(T message, const T& constant, std::string* out) {
  { message.ParseFromString(std::string()) } -> std::same_as<bool>;
  { constant.SerializeToString(out) } -> std::same_as<bool>;
  { constant.GetTypeName() } -> std::convertible_to<std::string>;
};

}  // namespace poold::codec
