#include "base/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace poold::base {
namespace {

// A thread that no signal comes to: they are for who waits for them.
template <typename Work>
void StartDeaf(Work work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread(std::move(work)).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

LogWriter::LogWriter(int fd, Tell tell, std::size_t max_bytes)
    : fd_(fd), tell_(std::move(tell)), max_bytes_(max_bytes) {
  StartDeaf([this] { Run(); });
}

void LogWriter::Put(std::string_view line) {
  const std::lock_guard lock(mu_);
  if (waiting_.size() + line.size() > max_bytes_) {
    ++dropped_;
    return;
  }
  waiting_ += line;
  changed_.notify_all();
}

bool LogWriter::Drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, patience, [this] { return waiting_.empty() && !writing_; });
}

std::uint64_t LogWriter::dropped() const {
  const std::lock_guard lock(mu_);
  return dropped_;
}

void LogWriter::Run() {
  pthread_setname_np(pthread_self(), "poold-log");
  std::unique_lock lock(mu_);
  while (true) {
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    std::string text = std::exchange(waiting_, {});
    const std::uint64_t untold = dropped_ - std::exchange(told_, dropped_);
    writing_ = true;
    lock.unlock();
    if (untold > 0) text += tell_(untold);
    Write(text);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void LogWriter::Write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return;  // nobody will read it
    pollfd writable{fd_, POLLOUT, 0};
    poll(&writable, 1, -1);
  }
}

}  // namespace poold::base
