// BoundFunction: an ordinary function that takes its arguments and gives its result as bytes.
//
// Role: decodes the arguments, calls the function, encodes the result.
// Performance: arguments that are all numbers are read without the MessagePack library; a parameter std::string_view or
//   BytesView refers to the received bytes. A large result that is a text or bytes is written once, into the caller's
//   room.
// Errors: arguments that do not decode become a TaskFailure "poold.ArgumentError" that names the argument; a result
//   that does not serialize becomes "poold.ResultError". Exceptions of the function pass through.
// Thread safety: as the function's; a worker calls in one thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/codec/codec.h"
#include "poold/codec/large_text.h"
#include "poold/codec/payload.h"
#include "poold/codec/scalars.h"
#include "poold/codec/text.h"
#include "poold/worker/call.h"

namespace poold::worker {

// The T of an absl::StatusOr<T>; void for every other type.
template <typename T>
struct StatusOrValue {
  using type = void;
};
template <typename T>
struct StatusOrValue<absl::StatusOr<T>> {
  using type = T;
};

// The parameters and the result of a function, or of an object with one operator().
template <typename F>
struct Signature : Signature<decltype(&F::operator())> {};
template <typename R, typename... A>
struct Signature<R (*)(A...)> {
  using Result = std::remove_cvref_t<R>;
  using Values = std::tuple<std::remove_cvref_t<A>...>;
  static constexpr std::size_t kCount = sizeof...(A);
  // Calls `function` with `values` as its arguments, moved where the parameter takes an rvalue.
  template <typename F>
  static R Apply(F& function, Values& values) {
    return std::apply([&](auto&... value) -> R { return function(static_cast<A>(static_cast<A&&>(value))...); },
                      values);
  }
};
template <typename R, typename... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};

// Types that also accept ENCODING_RAW as the only argument.
template <typename T>
inline constexpr bool kBytesAlone = std::is_same_v<T, Bytes> || std::is_same_v<T, BytesView> || codec::kIsByteList<T>;

// Whether a function may take arguments of these types: values, or one protobuf message alone.
template <typename Values>
inline constexpr bool kTaken = codec::Each<codec::Reads, Values>::kTrue;
template <codec::ProtobufMessage T>
inline constexpr bool kTaken<std::tuple<T>> = true;
// Whether a function may return the type.
template <typename Result>
inline constexpr bool kReturned = codec::kWritable<Result>;
template <codec::ProtobufMessage Result>
inline constexpr bool kReturned<Result> = true;
template <>
inline constexpr bool kReturned<void> = true;
template <>
inline constexpr bool kReturned<absl::Status> = true;
template <typename T>
inline constexpr bool kReturned<absl::StatusOr<T>> = kReturned<T>;

// Makes the failure "poold.ArgumentError": "square: argument 1: wanted an integer, given a string".
inline void RefuseArguments(const Call& call, const std::string& why, Reply* reply) {
  reply->failure = TaskFailure{"poold.ArgumentError", std::string(call.function) + ": " + why, "", 0};
}

// The encoding's name for error texts.
inline std::string EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUnspecified:
      return "unspecified";
    case Encoding::kMsgpack:
      return "msgpack";
    case Encoding::kProtobuf:
      return "protobuf";
    case Encoding::kRaw:
      return "raw";
  }
  return "unknown (" + std::to_string(static_cast<std::uint32_t>(encoding)) + ")";
}

// The type in words, for `poolctl functions`: "int64", "array of string", the name of a message; "": not known.
template <typename T>
std::string TypeWord() {
  if constexpr (std::is_void_v<T> || std::is_same_v<T, absl::Status>) {
    return "nothing";
  } else if constexpr (codec::ProtobufMessage<T>) {
    return T().GetTypeName();
  } else if constexpr (requires { codec::Convert<T>::Name(); }) {
    return codec::Convert<T>::Name();
  } else {
    return "";
  }
}

// Holds the function. Copyable if the function is.
template <typename F>
class BoundFunction {
  using Types = Signature<F>;
  using Values = typename Types::Values;
  using Result = typename Types::Result;

 public:
  // A parameter or result that cannot travel does not compile; the error names POOLD_FIELDS.
  explicit BoundFunction(F function) : function_(std::move(function)) {
    static_assert(kTaken<Values>,
                  "poold: a parameter of this function cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) "
                  "behind it, and a constructor without arguments; poold/worker.h lists what travels.");
    static_assert(kReturned<Result>,
                  "poold: the result of this function cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) "
                  "behind it; poold/worker.h lists what travels.");
  }

  // The full name of the protobuf message that the function returns; empty: the function returns none.
  static std::string ResultType() {
    if constexpr (codec::ProtobufMessage<Result>) return Result().GetTypeName();
    if constexpr (codec::ProtobufMessage<typename StatusOrValue<Result>::type>) {
      return typename StatusOrValue<Result>::type().GetTypeName();
    }
    return "";
  }

  // The types of the arguments in words.
  static std::vector<std::string> ArgumentWords() { return WordsOf(static_cast<Values*>(nullptr)); }
  // The type of the result in words.
  static std::string ResultWord() {
    using Value = typename StatusOrValue<Result>::type;
    if constexpr (std::is_void_v<Value>) {
      return TypeWord<Result>();
    } else {
      return TypeWord<Value>();
    }
  }

  // Calls the function with the arguments of `call` and fills `reply`. Throws what the function throws, and
  // codec::TooLong for a result of 4 GiB or more.
  void operator()(const Call& call, Reply* reply) const {
    if constexpr (!kTaken<Values> || !kReturned<Result>) {
      // The constructor has said it.
    } else if constexpr (TakesOne<IsMessage>()) {
      CallWithMessage(call, reply);
    } else if (TakesOne<IsBytes>() && call.encoding == Encoding::kRaw) {
      CallWithBytes(call, reply);
    } else if (call.encoding == Encoding::kMsgpack) {
      CallWithValues(call, reply);
    } else if (call.encoding == Encoding::kUnspecified && call.args.empty()) {
      CallWithNothing(call, reply);
    } else {
      RefuseEncoding(call, TakesOne<IsBytes>() ? "raw or msgpack" : "msgpack", reply);
    }
  }

 private:
  // Predicates for TakesOne.
  template <typename T>
  struct IsMessage : std::bool_constant<codec::ProtobufMessage<T>> {};
  template <typename T>
  struct IsBytes : std::bool_constant<kBytesAlone<T>> {};
  template <typename T>
  static constexpr bool kIsText = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;
  template <typename... A>
  static std::vector<std::string> WordsOf(std::tuple<A...>*) {
    return {TypeWord<A>()...};
  }
  // Whether the function has exactly one parameter, and its type is one.
  template <template <typename> typename Is>
  static constexpr bool TakesOne() {
    if constexpr (Types::kCount == 1) return Is<std::tuple_element_t<0, Values>>::value;
    return false;
  }

  static void RefuseEncoding(const Call& call, const std::string& wanted, Reply* reply) {
    RefuseArguments(call, "wanted arguments encoded as " + wanted + ", given " + EncodingName(call.encoding), reply);
  }
  static void RefuseCount(const Call& call, std::size_t given, Reply* reply) {
    RefuseArguments(call,
                    "wanted " + std::to_string(Types::kCount) + (Types::kCount == 1 ? " argument" : " arguments") +
                        ", given " + std::to_string(given),
                    reply);
  }

  // The five ways of a call, by the encoding of the arguments.
  void CallWithNothing(const Call& call, Reply* reply) const {
    if constexpr (Types::kCount == 0) {
      Values values;
      Run(values, reply);
    } else {
      RefuseCount(call, 0, reply);
    }
  }

  void CallWithBytes(const Call& call, Reply* reply) const {
    if constexpr (TakesOne<IsBytes>()) {
      Values values;
      auto& bytes = std::get<0>(values);
      using Type = std::remove_reference_t<decltype(bytes)>;
      if constexpr (std::is_same_v<Type, BytesView>) {
        bytes.data = call.args;
      } else if constexpr (std::is_same_v<Type, Bytes>) {
        bytes.data = codec::CopyText(call.args);
      } else if (!codec::SetBytes(&bytes, call.args)) {
        return RefuseArguments(
            call, "argument 1: wanted " + codec::Convert<Type>::Name() + ", given " + std::to_string(call.args.size()),
            reply);
      }
      Run(values, reply);
    }
  }

  void CallWithMessage(const Call& call, Reply* reply) const {
    Values values;
    auto& message = std::get<0>(values);
    const std::string wanted = message.GetTypeName();
    if (call.encoding != Encoding::kProtobuf) return RefuseEncoding(call, "protobuf (" + wanted + ")", reply);
    if (!call.type_name.empty() && call.type_name != wanted) {
      return RefuseArguments(call, "argument 1: wanted " + wanted + ", given " + std::string(call.type_name), reply);
    }
    const bool too_large = call.args.size() > std::numeric_limits<int>::max();
    if (too_large || !message.ParseFromArray(call.args.data(), static_cast<int>(call.args.size()))) {
      return RefuseArguments(call, "argument 1: wanted " + wanted + ", given malformed protobuf", reply);
    }
    Run(values, reply);
  }

  void CallWithValues(const Call& call, Reply* reply) const {
    if constexpr (codec::AllScalars<Values>::value) {
      Values values;
      if (codec::ReadScalars(call.args, &values)) return Run(values, reply);
    }
    const absl::Status parsed = codec::VisitValue(call.args, [&](const msgpack::object& list) {
      Values values;
      if (ReadList(call, list, &values, reply)) Run(values, reply);
    });
    if (!parsed.ok()) RefuseArguments(call, std::string(parsed.message()), reply);
  }

  // Converts the arguments. False: `reply` has the failure, with the number of the argument that does not fit.
  static bool ReadList(const Call& call, const msgpack::object& list, Values* values, Reply* reply) {
    if (list.type != msgpack::type::ARRAY) {
      RefuseArguments(call, "wanted an array of arguments, given " + codec::Describe(list), reply);
      return false;
    }
    if (list.via.array.size != Types::kCount) {
      RefuseCount(call, list.via.array.size, reply);
      return false;
    }
    codec::Mismatch mismatch;
    std::size_t position = 0;
    const bool read = std::apply(
        [&](auto&... value) {
          return (codec::Convert<std::remove_reference_t<decltype(value)>>::Read(list.via.array.ptr[position++], &value,
                                                                                 &mismatch) &&
                  ...);
        },
        *values);
    if (!read) RefuseArguments(call, "argument " + std::to_string(position) + ": " + mismatch.Text(), reply);
    return read;
  }

  // Calls the function and writes its result.
  void Run(Values& values, Reply* reply) const {
    if constexpr (std::is_void_v<Result>) {
      Types::Apply(function_, values);
      Write(nullptr, reply);
    } else {
      Write(Types::Apply(function_, values), reply);
    }
  }

  // The overloads write a result by its type; nothing is MessagePack's nil.
  static void Write(std::nullptr_t, Reply* reply) {
    reply->encoding = Encoding::kMsgpack;
    reply->data.push_back('\xc0');
  }
  static void Write(const absl::Status& status, Reply* reply) {
    if (status.ok()) return Write(nullptr, reply);
    reply->failure =
        TaskFailure{"absl::Status", std::string(status.message()), "", static_cast<int>(status.raw_code())};
  }
  template <typename T>
  static void Write(const absl::StatusOr<T>& result, Reply* reply) {
    if (!result.ok()) return Write(result.status(), reply);
    Write(*result, reply);
  }
  static void Write(absl::StatusOr<Bytes>&& result, Reply* reply) {
    if (!result.ok()) return Write(result.status(), reply);
    Write(*std::move(result), reply);
  }
  static void Write(BytesView bytes, Reply* reply) {
    reply->encoding = Encoding::kRaw;
    if (!WriteToRoom("", bytes.data, reply)) reply->data.assign(bytes.data);
  }
  static void Write(const Bytes& bytes, Reply* reply) { Write(BytesView{bytes.data}, reply); }
  static void Write(Bytes&& bytes, Reply* reply) {
    reply->encoding = Encoding::kRaw;
    if (!WriteToRoom("", bytes.data, reply)) reply->data = std::move(bytes.data);
  }
  // Writes a large result into the caller's room. False: the result is small, or there is no room.
  static bool WriteToRoom(std::string_view head, std::string_view text, Reply* reply) {
    if (text.size() < ResultRoom::kLeastBytes || reply->room == nullptr) return false;
    char* const at = reply->room->Take(head.size() + text.size());
    if (at == nullptr) return false;
    std::memcpy(at, head.data(), head.size());
    std::memcpy(at + head.size(), text.data(), text.size());
    return true;
  }
  template <typename T>
  static void Write(const T& value, Reply* reply) {
    if constexpr (codec::ProtobufMessage<T>) {
      reply->encoding = Encoding::kProtobuf;
      if (!value.SerializeToString(&reply->data)) {
        reply->failure =
            TaskFailure{"poold.ResultError", "the message " + value.GetTypeName() + " does not serialize", "", 0};
      }
    } else {
      reply->encoding = Encoding::kMsgpack;
      if constexpr (kIsText<T>) {
        if (WriteToRoom(codec::TextHead::OfText(codec::Length(value.size())).view(), value, reply)) return;
      } else if constexpr (codec::kIsByteList<T>) {
        const std::string_view bytes = codec::BytesOf(value);
        if (WriteToRoom(codec::TextHead::OfBytes(codec::Length(bytes.size())).view(), bytes, reply)) return;
      }
      codec::Append(&reply->data, value);
    }
  }

  // Mutable, because a registered object may have an operator() that is not const.
  mutable F function_;
};

}  // namespace poold::worker
