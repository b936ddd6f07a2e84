// VisitValue: reads MessagePack. Compiling this file takes long: what only writes values includes write.h.
//
// Performance: one zone for each thread, used again and again; texts and bytes are referred to in place.
// Threads: pure functions, safe from any thread.
#pragma once

#include <cstddef>
#include <msgpack.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "poold/codec/msgpack.h"

namespace poold::codec {

namespace detail {

// As KeyAt and ValueAt (msgpack.h) take the entries of a map.
static_assert(sizeof(msgpack::object_kv) == 2 * sizeof(msgpack::object) && offsetof(msgpack::object_kv, key) == 0);

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

// Calls `visit(const msgpack::object&)` with the one value of `bytes`. The object refers to `bytes` and is valid during
// the call. INVALID_ARGUMENT: the bytes are not exactly one value, or nest deeper than 512; `visit` was not called.
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
