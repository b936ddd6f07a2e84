#include "drivers/socket_relay.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cstring>

#include "drivers/socketpair_frame.h"
#include "trip_times.h"
#include "wire/unique_fd.h"

namespace poold::bench {

absl::Status SocketRelay::Start() {
  auto child = Child::RunRole("relay", {});
  if (!child.ok()) return child.status();
  relay_ = *std::move(child);
  return absl::OkStatus();
}

Samples SocketRelay::Measure(const Job& job) {
  const std::uint32_t number = 7;
  std::string back;
  return MeasureTrips(job.count, [&]() -> absl::Status {
    Request request;
    std::uint32_t square = 0;
    const bool there = WriteFrame(relay_->fd(), Request::kSquare, &number, sizeof number) &&
                       ReadFrame(relay_->fd(), &request, &back) && back.size() == sizeof square;
    if (there) std::memcpy(&square, back.data(), sizeof square);
    return square == 49 ? absl::OkStatus() : absl::UnavailableError("the relay is gone");
  });
}

int RelayToWorker(const std::vector<std::string>&) {
  auto worker = Child::RunRole("socketpair-worker", {});
  if (!worker.ok()) return 1;
  // As a daemon waits, that has many of both.
  const wire::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {STDIN_FILENO, worker->fd()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 1;
  }
  Request request;
  std::string bytes;
  epoll_event event;
  while (epoll_wait(epoll.get(), &event, 1, -1) == 1) {
    const int from = event.data.fd;
    const int to = from == STDIN_FILENO ? worker->fd() : STDIN_FILENO;
    if (!ReadFrame(from, &request, &bytes) || !WriteFrame(to, request, bytes.data(), bytes.size())) break;
  }
  return 0;
}

}  // namespace poold::bench
