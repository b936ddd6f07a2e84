#include "cli/live/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cli/exit_status.h"

namespace poold::cli {
namespace {

// SIGINT is ours from outside, SIGUSR1 tells the thread to go.
sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

}  // namespace

void Interrupt::Block() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Interrupt::Interrupt(std::function<void()> on_interrupt)
    : thread_([this, on_interrupt = std::move(on_interrupt)] { Await(on_interrupt); }) {}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void Interrupt::Await(const std::function<void()>& on_interrupt) {
  const sigset_t signals = Signals();
  bool told = false;
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGUSR1) return;
    if (told) _exit(static_cast<int>(ExitStatus::kInterrupted));
    told = true;
    on_interrupt();
  }
}

}  // namespace poold::cli
