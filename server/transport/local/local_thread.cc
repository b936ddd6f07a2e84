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
#include "transport/local/local_calls.h"
#include "transport/local/local_session.h"
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
  loop_.post = [this](std::function<void()> work) { Post(std::move(work)); };
}

LocalThread::~LocalThread() { Stop({}); }

absl::Status LocalThread::Start() {
  loop_.epoll.Reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_.get()}};
  if (!loop_.epoll || !wake_ || epoll_ctl(loop_.epoll.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot wait for connections: ", strerror(errno)));
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

bool LocalThread::Take(wire::PayloadAsk what, wire::UniqueFd* socket, Ticket* ticket) {
  const bool session = what == wire::PayloadAsk::kSession;
  absl::MutexLock lock(&mu_);
  if (stopping_ || (session && sessions_ >= max_sessions_)) return false;
  if (session) ++sessions_;
  come_.push_back({what, std::move(*socket), std::move(*ticket)});
  Wake();
  return true;
}

void LocalThread::LookAt(int fd) {
  absl::MutexLock lock(&mu_);
  look_at_.push_back(fd);
  Wake();
}

void LocalThread::Post(std::function<void()> work) {
  absl::MutexLock lock(&mu_);
  posted_.push_back(std::move(work));
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
    RunTimers();
    if (loop_.to_tend > 0) Tend();
  }
  busy_poller_.Rearm();
  for (auto& [fd, connection] : connections_) connection->Cut();
  connections_.clear();
  std::vector<std::function<void()>> posted;
  absl::MutexLock lock(&mu_);
  posted.swap(posted_);
}

int LocalThread::Timeout() const {
  if (ending_) return 1;
  auto due = loop_.due.next();
  if (loop_.to_tend > 0) due = std::min(due.value_or(next_tend_), next_tend_);
  if (!loop_.timers.empty()) due = std::min(due.value_or(loop_.timers.begin()->first), loop_.timers.begin()->first);
  if (!due) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - session::DelayQueue::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
}

void LocalThread::Tend() {
  const auto now = session::DelayQueue::Clock::now();
  if (now < next_tend_) return;
  next_tend_ = now + LocalConnection::kTendTime;
  for (auto& [fd, connection] : connections_) connection->Tend();
}

// What runs may erase others.
void LocalThread::RunTimers() {
  LocalLoop::Timers& timers = loop_.timers;
  if (timers.empty()) return;
  const auto now = LocalLoop::Clock::now();
  for (auto first = timers.begin(); first != timers.end() && first->first <= now; first = timers.begin()) {
    const LocalLoop::Timers::node_type due = timers.extract(first);
    due.mapped()();
  }
}

void LocalThread::OnEvents(int fd, std::uint32_t events) {
  if (fd == wake_.get()) return TakeNew();
  const auto found = connections_.find(fd);
  if (found == connections_.end() || found->second->OnEvents(events)) return;
  Forget(*found->second);
  connections_.erase(found);
}

void LocalThread::Forget(const LocalConnection& connection) {
  if (!connection.is_session()) return;
  absl::MutexLock lock(&mu_);
  --sessions_;
}

void LocalThread::TakeNew() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &wakes, sizeof wakes);
  std::vector<Comer> come;
  std::vector<int> look_at;
  std::vector<std::function<void()>> posted;
  {
    absl::MutexLock lock(&mu_);
    come.swap(come_);
    look_at.swap(look_at_);
    posted.swap(posted_);
  }
  for (Comer& comer : come) Begin(comer.what, std::move(comer.socket), std::move(comer.ticket));
  for (const std::function<void()>& work : posted) work();
  for (const int fd : look_at) OnEvents(fd, 0);
}

void LocalThread::Begin(wire::PayloadAsk what, wire::UniqueFd socket, Ticket ticket) {
  std::shared_ptr<LocalConnection> connection;
  if (what == wire::PayloadAsk::kSession) {
    connection = std::make_shared<LocalSession>(&loop_, std::move(socket), std::move(ticket));
  } else {
    connection = std::make_shared<LocalCalls>(&loop_, std::move(socket), std::move(ticket));
  }
  const int fd = connection->fd();
  if (!SayTaken(fd) || !connection->Start()) return Forget(*connection);
  if (ending_) connection->EndForShutdown();
  connections_.emplace(fd, std::move(connection));
}

// Whether the thread ends. Once it is to stop, its connections end first.
bool LocalThread::Over() {
  session::DelayQueue::Clock::time_point stop_at;
  {
    absl::MutexLock lock(&mu_);
    if (!stopping_) return false;
    stop_at = stop_at_;
  }
  if (!std::exchange(ending_, true)) EndAll();
  return connections_.empty() || session::DelayQueue::Clock::now() >= stop_at;
}

void LocalThread::EndAll() {
  for (auto& [fd, connection] : connections_) connection->EndForShutdown();
}

}  // namespace poold::transport
