// MessagePack in both directions: a client writes arguments that a worker reads, and a worker writes results that a
// client reads.
//
// Performance: writing appends to a string. Reading uses one zone for each thread again and again and refers to texts
//   and bytes in place; it allocates only what the C++ value allocates.
// Threads: pure functions, safe from any thread.
// Errors: INVALID_ARGUMENT in words for people. The only exception that leaves is TooLong, for a text or bytes of 4 GiB
//   and more, and for a list or a map of 2^32 elements and more.
// Example:
//   const std::string bytes = codec::Encode(std::vector<int>{1, 2});
//   absl::StatusOr<std::vector<int>> list = codec::Decode<std::vector<int>>(bytes);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/codec/containers.h"
#include "poold/codec/convert.h"
#include "poold/codec/scalars.h"
#include "poold/codec/structs.h"
#include "poold/codec/times.h"
#include "poold/codec/travels.h"
#include "poold/codec/variant.h"

namespace poold::codec {

// The type that travels for an argument: literals are text.
template <typename T>
using Plain = std::decay_t<const T&>;

// Appends one value. A type that cannot travel does not compile.
template <typename T>
void Append(std::string* out, const T& value) {
  static_assert(kWritable<Plain<T>>,
                "poold: a value of this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind "
                "it.");
  if constexpr (kIsScalar<Plain<T>>) {
    AppendScalar(out, value);
  } else if constexpr (kWritable<Plain<T>>) {
    StringSink sink{out};
    Packer packer(sink);
    Convert<Plain<T>>::Write(packer, value);
  }
}

// Appends arguments: one array with one element for each.
template <typename... Args>
void AppendArguments(std::string* out, const Args&... args) {
  StringSink sink{out};
  Packer packer(sink);
  packer.pack_array(sizeof...(Args));
  (Append(out, args), ...);
}

// One value as MessagePack.
template <typename T>
std::string Encode(const T& value) {
  std::string out;
  Append(&out, value);
  return out;
}

// Arguments as MessagePack.
template <typename... Args>
std::string EncodeArguments(const Args&... args) {
  std::string out;
  AppendArguments(&out, args...);
  return out;
}

// Calls `visit(const msgpack::object&)` with the one value of `bytes`. The object refers to `bytes` and is valid during
// the call. INVALID_ARGUMENT: the bytes are not exactly one value, or nest deeper than 512; `visit` was not called.
template <typename Visit>
absl::Status VisitValue(std::string_view bytes, Visit&& visit);

// Reads the one value of `bytes` as a T. INVALID_ARGUMENT: malformed, or a value that is no T ("wanted int32, given
// string at [3].name"). A type that cannot travel does not compile.
template <typename T>
absl::StatusOr<T> Decode(std::string_view bytes) {
  static_assert(kReadable<T>,
                "poold: a value of this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind it, "
                "and a constructor without arguments.");
  if constexpr (!kReadable<T>) return absl::InternalError("");
  T value{};
  if constexpr (kIsScalar<T>) {
    if (ReadOnly(bytes, &value)) return value;
  }
  Mismatch mismatch;
  bool read = false;
  const absl::Status parsed =
      VisitValue(bytes, [&](const msgpack::object& object) { read = Convert<T>::Read(object, &value, &mismatch); });
  if (!parsed.ok()) return parsed;
  if (!read) return absl::InvalidArgumentError(mismatch.Text());
  return value;
}

// --- below: implementation ---

namespace detail {

// Longer messages are walked through before they are parsed, so that the claim of a hostile message (an array of four
// billion) allocates nothing.
constexpr std::size_t kBelievedBytes = 256;
constexpr std::size_t kMaxDepth = 512;

// Whether the bytes are exactly one value.
inline bool WellFormed(std::string_view bytes) {
  msgpack::null_visitor walker;
  std::size_t end = 0;
  return msgpack::v2::parse(bytes.data(), bytes.size(), end, walker) && end == bytes.size();
}

// Parses a value whose texts refer to `bytes`. Throws the library's exceptions.
inline msgpack::object Parse(msgpack::zone& zone, std::string_view bytes, std::size_t* end) {
  bool referenced = false;
  const auto refer = [](msgpack::type::object_type, std::size_t, void*) { return true; };
  const std::size_t size = bytes.size();
  return msgpack::unpack(zone, bytes.data(), size, *end, referenced, refer, nullptr,
                         msgpack::unpack_limit(size, size, size, size, size, kMaxDepth));
}

// Lends the thread's zone, cleared; a fresh zone where the thread's is in use further up the stack.
class ZoneLoan {
 public:
  ZoneLoan() : shared_(Shared()), first_(!shared_.lent) {
    if (first_) {
      shared_.lent = true;
    } else {
      own_.emplace();
    }
  }
  ZoneLoan(const ZoneLoan&) = delete;
  ZoneLoan& operator=(const ZoneLoan&) = delete;
  ~ZoneLoan() {
    if (!first_) return;
    shared_.zone.clear();
    shared_.lent = false;
  }
  // Valid as long as the loan. REQUIRES: the loan is used by the thread that made it.
  msgpack::zone& zone() { return first_ ? shared_.zone : *own_; }

 private:
  // One zone for each thread, kept between calls.
  struct OfThread {
    msgpack::zone zone;
    bool lent = false;
  };
  static OfThread& Shared() {
    thread_local OfThread shared;
    return shared;
  }
  OfThread& shared_;
  const bool first_;
  std::optional<msgpack::zone> own_;
};

}  // namespace detail

template <typename Visit>
absl::Status VisitValue(std::string_view bytes, Visit&& visit) {
  detail::ZoneLoan loan;
  msgpack::object value;
  std::size_t end = 0;
  try {
    if (bytes.size() > detail::kBelievedBytes && !detail::WellFormed(bytes)) {
      return absl::InvalidArgumentError("malformed MessagePack");
    }
    value = detail::Parse(loan.zone(), bytes, &end);
  } catch (const msgpack::depth_size_overflow&) {
    return absl::InvalidArgumentError("nested deeper than 512");
  } catch (const msgpack::unpack_error&) {
    return absl::InvalidArgumentError("malformed MessagePack");
  }
  if (end != bytes.size()) return absl::InvalidArgumentError("malformed MessagePack: bytes behind the value");
  visit(value);
  return absl::OkStatus();
}

}  // namespace poold::codec
