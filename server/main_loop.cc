#include "main_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

namespace poold {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

MainLoop::MainLoop() {
  const sigset_t signals = StopSignals();
  signals_.Reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int MainLoop::Next(core::Nanos wait) {
  pollfd events[] = {{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  wait = std::clamp<core::Nanos>(wait, 0, 3600 * core::kSecond);
  const timespec timeout = {wait / core::kSecond, wait % core::kSecond};
  if (ppoll(events, 2, &timeout, nullptr) <= 0) return 0;
  std::uint64_t count;
  if (events[1].revents != 0 && read(wake_.get(), &count, sizeof count) < 0) return 0;
  signalfd_siginfo signal;
  if (events[0].revents != 0 && read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    return static_cast<int>(signal.ssi_signo);
  }
  return 0;
}

void MainLoop::Wake() {
  const std::uint64_t one = 1;
  // It fails only when the counter is full: then the loop is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

}  // namespace poold
