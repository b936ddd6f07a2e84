#include "rpc/grpc_refusals.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "rpc/refusal.h"

namespace poold::rpc {
namespace {

// Each costs a descriptor.
constexpr std::size_t kMost = 8;

void Say(int socket, const std::string& words) {
  send(socket, words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

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

}  // namespace poold::rpc
