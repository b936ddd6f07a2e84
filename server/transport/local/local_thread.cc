#include "transport/local/local_thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "wire/fd_socket.h"
#include "wire/payload_message.h"

namespace poold::transport {
namespace {

bool SayTaken(int socket) {
  const wire::PayloadAnswer answer{static_cast<std::uint32_t>(wire::PayloadStatus::kTaken), 0, 0};
  const std::string_view bytes(reinterpret_cast<const char*>(&answer), sizeof answer);
  return wire::SendAll(socket, bytes, {}, wire::Patience::kNoWait).ok();
}

}  // namespace

LocalThread::LocalThread(TransportContext* transport, engine::PollSource* poll_source, std::size_t max_sessions)
    : max_sessions_(max_sessions), busy_poller_(transport->service.clock, poll_source, transport->spin) {
  loop_.transport = transport;
  loop_.look_at = [this](int fd) { LookAt(fd); };
}

LocalThread::~LocalThread() { Stop({}); }

absl::Status LocalThread::Start() {
  loop_.epoll.Reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_.get()}};
  if (!loop_.epoll || !wake_ || epoll_ctl(loop_.epoll.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot wait for sessions: ", strerror(errno)));
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

bool LocalThread::Take(wire::UniqueFd* socket, Ticket* ticket) {
  absl::MutexLock lock(&mu_);
  if (stopping_ || count_ >= max_sessions_) return false;
  ++count_;
  come_.push_back({std::move(*socket), std::move(*ticket)});
  Wake();
  return true;
}

void LocalThread::LookAt(int fd) {
  absl::MutexLock lock(&mu_);
  look_at_.push_back(fd);
  Wake();
}

void LocalThread::Stop(std::chrono::nanoseconds grace) {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    stop_at_ = session::DelayQueue::Clock::now() + grace;
    Wake();
  }
  thread_.join();
}

void LocalThread::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void LocalThread::Run() {
  pthread_setname_np(pthread_self(), "poold-local");
  std::array<epoll_event, 64> events;
  while (!Over()) {
    int ready = 0;
    const auto poll = [&](int timeout) {
      ready = epoll_wait(loop_.epoll.get(), events.data(), events.size(), timeout);
      return ready > 0;
    };
    if (!busy_poller_.Poll([&] { return poll(0); })) poll(Timeout());
    for (int i = 0; i < ready; ++i) OnEvents(events[i].data.fd, events[i].events);
    loop_.due.RunDue();
    if (loop_.to_tend > 0) Tend();
  }
  busy_poller_.Rearm();
  for (auto& [fd, session] : sessions_) session->Cut();
  sessions_.clear();
}

int LocalThread::Timeout() const {
  if (ending_) return 1;
  auto due = loop_.due.next();
  if (loop_.to_tend > 0) due = std::min(due.value_or(next_tend_), next_tend_);
  if (!due) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - session::DelayQueue::Clock::now());
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

void LocalThread::Tend() {
  const auto now = session::DelayQueue::Clock::now();
  if (now < next_tend_) return;
  next_tend_ = now + LocalSession::kTendTime;
  for (auto& [fd, session] : sessions_) session->Tend();
}

void LocalThread::OnEvents(int fd, std::uint32_t events) {
  if (fd == wake_.get()) return TakeNew();
  const auto found = sessions_.find(fd);
  if (found == sessions_.end() || found->second->OnEvents(events)) return;
  sessions_.erase(found);
  absl::MutexLock lock(&mu_);
  --count_;
}

void LocalThread::TakeNew() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &wakes, sizeof wakes);
  std::vector<Comer> come;
  std::vector<int> look_at;
  {
    absl::MutexLock lock(&mu_);
    come.swap(come_);
    look_at.swap(look_at_);
  }
  for (Comer& comer : come) {
    auto session = std::make_shared<LocalSession>(&loop_, std::move(comer.socket), std::move(comer.ticket));
    const int fd = session->fd();
    if (SayTaken(fd) && session->Start()) {
      if (ending_) session->End(api::ShuttingDown());
      sessions_.emplace(fd, std::move(session));
      continue;
    }
    absl::MutexLock lock(&mu_);
    --count_;
  }
  for (const int fd : look_at) OnEvents(fd, 0);
}

// Whether the thread ends. Once it is to stop, its sessions end first.
bool LocalThread::Over() {
  session::DelayQueue::Clock::time_point stop_at;
  {
    absl::MutexLock lock(&mu_);
    if (!stopping_) return false;
    stop_at = stop_at_;
  }
  if (!std::exchange(ending_, true)) EndAll();
  return sessions_.empty() || session::DelayQueue::Clock::now() >= stop_at;
}

void LocalThread::EndAll() {
  for (auto& [fd, session] : sessions_) session->End(api::ShuttingDown());
}

}  // namespace poold::transport
