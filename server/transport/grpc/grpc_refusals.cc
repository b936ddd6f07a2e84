#include "transport/grpc/grpc_refusals.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "google/rpc/status.pb.h"
#include "transport/grpc/http2_frames.h"
#include "wire/absl_text.h"

namespace poold::transport {
namespace {

// Of GOAWAY.
constexpr std::uint32_t kNoError = 0;
constexpr std::uint32_t kEnhanceYourCalm = 0xb;
constexpr std::uint32_t kLastStream = 0x7fffffff;

// A string of HPACK (RFC 7541), as it is.
std::string HpackString(std::string_view text) {
  std::string out;
  std::size_t left = text.size();
  if (left < 0x7f) {
    out.push_back(static_cast<char>(left));
    return out.append(text);
  }
  out.push_back(0x7f);
  for (left -= 0x7f; left >= 0x80; left >>= 7) out.push_back(static_cast<char>(0x80 | (left & 0x7f)));
  out.push_back(static_cast<char>(left));
  return out.append(text);
}

std::string HpackField(std::string_view name, std::string_view value) {
  constexpr char kNotToBeIndexed = 0;
  return kNotToBeIndexed + HpackString(name) + HpackString(value);
}

// As gRPC sends messages: what is not printable ASCII, and '%', in hexadecimal.
std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

std::string GoAway(std::uint32_t last_stream, std::uint32_t error, std::string_view words) {
  return Http2Frame(kHttp2GoAway, 0, 0, BigEndian(last_stream, 4) + BigEndian(error, 4) + std::string(words));
}

// Each costs a descriptor.
constexpr std::size_t kMost = 8;

void Say(int socket, const std::string& words) {
  send(socket, words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

std::string GrpcGreeting() { return Http2Frame(kHttp2Settings, 0, 0, ""); }

std::string GrpcAnswer(std::uint32_t stream, const absl::Status& status) {
  const google::rpc::Status proto = api::ToProto(status);
  const char http_ok = static_cast<char>(0x88);  // ":status: 200" of HPACK's static table
  const std::string fields = http_ok + HpackField("content-type", "application/grpc") +
                             HpackField("grpc-status", std::to_string(proto.code())) +
                             HpackField("grpc-message", PercentEncoded(proto.message())) +
                             HpackField("grpc-status-details-bin", absl::Base64Escape(proto.SerializeAsString()));
  return Http2Frame(kHttp2Headers, kHttp2EndHeaders | kHttp2EndStream, stream, fields);
}

std::string GrpcGoodbye() { return GoAway(kLastStream, kNoError, ""); }

std::string GrpcFarewell(std::string_view words) { return GoAway(0, kEnhanceYourCalm, words); }

std::string GrpcCutOff(std::string_view words) { return GoAway(kLastStream, kEnhanceYourCalm, words); }

bool GrpcRefusals::Open() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  return static_cast<bool>(epoll_);
}

void GrpcRefusals::Add(wire::UniqueFd socket, const absl::Status& why) {
  if (refused_.size() == kMost) refused_.pop_front();
  Say(socket.get(), GrpcGreeting());
  refused_.push_back({.socket = std::move(socket), .why = why});
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &refused_.back()}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, refused_.back().socket.get(), &event) != 0) refused_.pop_back();
}

void GrpcRefusals::Proceed() {
  std::array<epoll_event, kMost> events;
  const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), 0);
  for (int i = 0; i < ready; ++i) {
    auto* const refused = static_cast<Refused*>(events[i].data.ptr);
    if (Read(refused)) continue;
    refused_.remove_if([refused](const Refused& one) { return &one == refused; });
  }
}

// The client ends it: closed before, an answer might be lost.
bool GrpcRefusals::Read(Refused* refused) {
  char bytes[4096];
  const ssize_t got = recv(refused->socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  Answer(refused, {bytes, static_cast<std::size_t>(got)});
  return true;
}

void GrpcRefusals::Answer(Refused* refused, std::string_view bytes) {
  const int socket = refused->socket.get();
  Http2FrameHead frame;
  while (refused->heads.Next(&bytes, &frame)) {
    if (frame.type != kHttp2Headers) continue;
    Say(socket, GrpcAnswer(frame.stream, refused->why));
    if (!std::exchange(refused->has_answered, true)) Say(socket, GrpcGoodbye());
  }
}

}  // namespace poold::transport
