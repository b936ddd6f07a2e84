// The messages of the payload socket; poold/v1/payload_socket.md is their contract.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace poold::wire {

static_assert(std::endian::native == std::endian::little, "the messages are little-endian");

// The payload socket of a daemon that listens at a Unix socket has the same path with this suffix.
inline constexpr std::string_view kPayloadSocketSuffix = ".payloads";

// The kinds of requests.
enum class PayloadAsk : std::uint32_t {
  // With one descriptor: take these arguments.
  kOffer = 1,
  // Give the result of this handle.
  kFetch = 2,
  // With one descriptor: know this arena.
  kShare = 3,
  // Give the arena of this number.
  kMap = 4,
  // From here on this connection carries a session.
  kSession = 5,
  // From here on this connection carries calls, one after the other.
  kCalls = 6,
};

// A request of 32 bytes, little-endian.
struct PayloadRequest {
  std::uint32_t ask;
  std::uint32_t zero;
  // kOffer: the upload's id, chosen by the client. kFetch: the handle's id. Otherwise zeros.
  char id[16];
  // kOffer: the bytes of the descriptor. kFetch: the item of a map, else 0. kShare: the bytes of a slot. kMap: the
  // arena's number.
  std::uint64_t number;
};
static_assert(sizeof(PayloadRequest) == 32);

// The kinds of answers.
enum class PayloadStatus : std::uint32_t {
  kTaken = 1,       // kOffer: it waits under its id. kFetch, kMap: with one descriptor. kSession, kCalls: speak
  kNotThisWay = 2,  // ask through gRPC, this time
  kBad = 3,         // makes no sense; the connection is closed
  // The answer to any request, or to none: the connection is closed.
  kTooManyConnections = 4,
};

// An answer of 16 bytes, little-endian; a descriptor may come with it.
struct PayloadAnswer {
  std::uint32_t status;
  std::uint32_t zero;
  // kFetch: the bytes of the descriptor. kShare: the arena's number. kMap: the bytes of a slot.
  std::uint64_t number;
};
static_assert(sizeof(PayloadAnswer) == 16);

}  // namespace poold::wire
