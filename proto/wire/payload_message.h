// The messages of the payload socket, as poold/v1/payload_socket.md tells them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace poold::wire {

static_assert(std::endian::native == std::endian::little, "the messages are little-endian");

// The payload socket of a daemon that listens at a Unix socket lies beside it: the same path, and this.
inline constexpr std::string_view kPayloadSocketSuffix = ".payloads";

enum class PayloadAsk : std::uint32_t {
  kOffer = 1,    // with one descriptor: take these arguments
  kFetch = 2,    // the result of this handle
  kShare = 3,    // with one descriptor: know this arena
  kMap = 4,      // the arena of this number
  kSession = 5,  // from here on this connection carries a session
};

struct PayloadRequest {
  std::uint32_t ask;
  std::uint32_t zero;
  // kOffer: of the upload, chosen by the client. kFetch: of the handle. Else zeros.
  char id[16];
  // kOffer: how many bytes the descriptor has. kFetch: the item of a map, else 0. kShare: how many a slot has. kMap:
  // the arena's.
  std::uint64_t number;
};
static_assert(sizeof(PayloadRequest) == 32);

enum class PayloadStatus : std::uint32_t {
  kTaken = 1,       // kOffer: it waits under its id. kFetch, kMap: with one descriptor. kSession: speak
  kNotThisWay = 2,  // ask through gRPC, this time
  kBad = 3,         // makes no sense; the connection is closed
  // To whatever is asked, or to nothing: the connection is closed.
  kTooManyConnections = 4,
};

struct PayloadAnswer {
  std::uint32_t status;
  std::uint32_t zero;
  // Of kFetch: how many bytes the descriptor has. Of kShare: the arena's number. Of kMap: how many bytes a slot has.
  std::uint64_t number;
};
static_assert(sizeof(PayloadAnswer) == 16);

}  // namespace poold::wire
