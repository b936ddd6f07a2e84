#include "output_boundary.h"

#include <sched.h>
#include <stdio_ext.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <utility>

namespace poold::worker {
namespace {

constexpr std::size_t kOutputReadBytes = 64 * 1024;
// A child that a task left behind could write for ever.
constexpr int kMaxReads = 64;

// The buffers as the program was loaded, before anybody could have called sync_with_stdio(false). These hold nothing
// back: what is written to them is in stdio's buffers.
const std::streambuf* const kInStep = std::cout.rdbuf();
const std::streambuf* const kLogInStep = std::clog.rdbuf();

}  // namespace

OutputBoundary::OutputBoundary(wire::WorkerPage* page, OutcomeWriter* outcomes, wire::UniqueFd stdout_read,
                               wire::UniqueFd stderr_read)
    : page_(page), outcomes_(outcomes), stdout_(std::move(stdout_read)), stderr_(std::move(stderr_read)) {
  WatchPipes();
}

void OutputBoundary::PrepareStdio() { std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); }

void OutputBoundary::Lock() {
  // The daemon holds it for microseconds.
  std::uint32_t free = static_cast<std::uint32_t>(wire::OutputLock::kFree);
  while (!page_->output_lock.compare_exchange_weak(free, static_cast<std::uint32_t>(wire::OutputLock::kWorker),
                                                   std::memory_order_acquire, std::memory_order_relaxed)) {
    free = static_cast<std::uint32_t>(wire::OutputLock::kFree);
    sched_yield();
  }
}

void OutputBoundary::Unlock() {
  page_->output_lock.store(static_cast<std::uint32_t>(wire::OutputLock::kFree), std::memory_order_release);
}

void OutputBoundary::Begin(std::uint32_t ticket, std::uint32_t item) {
  Lock();
  page_->current_ticket.store(ticket, std::memory_order_relaxed);
  page_->current_item.store(item, std::memory_order_relaxed);
  page_->running.store(1, std::memory_order_relaxed);
  Unlock();
}

void OutputBoundary::Collect() {
  Flush();
  Lock();
  DrainPipes();
  Unlock();
}

void OutputBoundary::End() {
  Flush();
  Lock();
  DrainPipes();
  page_->running.store(0, std::memory_order_relaxed);
  Unlock();
}

void OutputBoundary::EndSilent() {
  Lock();
  page_->running.store(0, std::memory_order_relaxed);
  Unlock();
}

bool OutputBoundary::StdioPending() {
  // In step with stdio, std::cout has no buffer of its own; out of step it has another one, which tells nothing.
  return __fpending(stdout) != 0 || __fpending(stderr) != 0 || std::cout.rdbuf() != kInStep;
}

void OutputBoundary::Flush() {
  // Not under the lock: a full pipe is emptied by the daemon.
  if (std::cout.rdbuf() != kInStep) std::cout.flush();
  if (std::clog.rdbuf() != kLogInStep) std::clog.flush();
  if (__fpending(stdout) != 0) std::fflush(stdout);
  if (__fpending(stderr) != 0) std::fflush(stderr);
}

void OutputBoundary::WatchPipes() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {stdout_.get(), stderr_.get()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
}

void OutputBoundary::DrainPipes() {
  epoll_event full[2];
  for (int reads = 0; reads < kMaxReads; ++reads) {
    if (epoll_ && epoll_wait(epoll_.get(), full, 2, 0) <= 0) return;
    bool more = DrainOne(stdout_.get(), wire::RecordKind::kStdout);
    more |= DrainOne(stderr_.get(), wire::RecordKind::kStderr);
    if (!more) return;
  }
}

bool OutputBoundary::DrainOne(int fd, wire::RecordKind kind) {
  int waiting = 0;
  if (ioctl(fd, FIONREAD, &waiting) != 0 || waiting <= 0) return false;  // reading would wait
  if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<char[]>(kOutputReadBytes);
  const ssize_t got = read(fd, buffer_.get(), kOutputReadBytes);
  if (got <= 0) return false;
  outcomes_->Add(kind, page_->current_ticket.load(std::memory_order_relaxed),
                 page_->current_item.load(std::memory_order_relaxed), 0, 0,
                 std::string_view(buffer_.get(), static_cast<std::size_t>(got)));
  return got == static_cast<ssize_t>(kOutputReadBytes);
}

}  // namespace poold::worker
