#include "process/event_loop.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace poold::process {
namespace {

void Must(int result) {
  if (result != 0) std::abort();
}

absl::Status Refused(const char* what, int result) {
  return absl::ResourceExhaustedError(std::string("event loop: ") + what + ": " + uv_strerror(result));
}

}  // namespace

EventLoop::EventLoop() = default;

EventLoop::~EventLoop() {
  if (loop_ == nullptr) return;
  if (wake_ != nullptr) uv_close(reinterpret_cast<uv_handle_t*>(wake_.get()), nullptr);
  if (prepare_ != nullptr) uv_close(reinterpret_cast<uv_handle_t*>(prepare_.get()), nullptr);
  // Lets the close callbacks run, also those of watches that were stopped last.
  uv_run(loop_.get(), UV_RUN_DEFAULT);
  uv_loop_close(loop_.get());
}

absl::Status EventLoop::Open(std::function<void()> on_wake, std::function<void()> after_round) {
  on_wake_ = std::move(on_wake);
  after_round_ = std::move(after_round);
  auto loop = std::make_unique<uv_loop_t>();
  if (const int result = uv_loop_init(loop.get()); result != 0) return Refused("cannot be made", result);
  loop_ = std::move(loop);
  auto wake = std::make_unique<uv_async_t>();
  wake->data = this;
  loop_->data = this;
  const int result = uv_async_init(loop_.get(), wake.get(), [](uv_async_t* handle) {
    auto* self = static_cast<EventLoop*>(handle->data);
    self->BeginRound();
    if (self->quit_.load(std::memory_order_acquire)) uv_stop(self->loop_.get());
    self->on_wake_();
  });
  if (result != 0) return Refused("cannot be woken", result);
  wake_ = std::move(wake);
  prepare_ = std::make_unique<uv_prepare_t>();
  prepare_->data = this;
  Must(uv_prepare_init(loop_.get(), prepare_.get()));
  Must(uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) {
    auto* self = static_cast<EventLoop*>(handle->data);
    self->BeginRound();
    self->after_round_();
    self->EndRound();
  }));
  return absl::OkStatus();
}

void EventLoop::Run() { uv_run(loop_.get(), UV_RUN_DEFAULT); }

void EventLoop::Wake() { uv_async_send(wake_.get()); }

void EventLoop::Quit() {
  quit_.store(true, std::memory_order_release);
  Wake();
}

void EventLoop::BeginRound() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!std::exchange(in_round_, true)) round_.Lock();
}

void EventLoop::EndRound() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  in_round_ = false;
  round_.Unlock();
}

bool EventLoop::TryWhileAsleep(absl::FunctionRef<void()> call) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!round_.TryLock()) return false;
  call();
  round_.Unlock();
  return true;
}

void EventLoop::WhileAsleep(absl::FunctionRef<void()> call) {
  absl::MutexLock lock(&round_);
  call();
}

struct FdWatch::Handle {
  uv_poll_t poll;
  std::function<void()> on_ready;
};

absl::Status FdWatch::Start(EventLoop& loop, int fd, std::function<void()> on_ready) {
  Stop();
  auto handle = std::make_unique<Handle>();
  handle->on_ready = std::move(on_ready);
  handle->poll.data = handle.get();
  if (const int result = uv_poll_init(loop.uv(), &handle->poll, fd); result != 0) {
    return Refused("descriptor cannot be watched", result);
  }
  poll_ = handle.release();
  return absl::OkStatus();
}

void FdWatch::Want(bool readable, bool writable) {
  if (poll_ == nullptr || (readable == readable_ && writable == writable_)) return;
  readable_ = readable;
  writable_ = writable;
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (events == 0) {
    Must(uv_poll_stop(&poll_->poll));
    return;
  }
  Must(uv_poll_start(&poll_->poll, events, [](uv_poll_t* poll, int, int) {
    static_cast<EventLoop*>(poll->loop->data)->BeginRound();
    // An error on the descriptor is found by whoever reads it.
    static_cast<Handle*>(poll->data)->on_ready();
  }));
}

void FdWatch::Stop() {
  if (poll_ == nullptr) return;
  Handle* const handle = std::exchange(poll_, nullptr);
  readable_ = writable_ = false;
  uv_poll_stop(&handle->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll),
           [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

struct Timer::Handle {
  uv_timer_t timer;
  std::function<void()> on_time;
};

void Timer::Open(EventLoop& loop, std::function<void()> on_time) {
  Stop();
  timer_ = new Handle;
  timer_->on_time = std::move(on_time);
  timer_->timer.data = timer_;
  Must(uv_timer_init(loop.uv(), &timer_->timer));
}

void Timer::Arm(std::int64_t delay_ns) {
  if (timer_ == nullptr) return;
  const std::uint64_t milliseconds = (std::max<std::int64_t>(delay_ns, 0) + 999'999) / 1'000'000;
  uv_update_time(timer_->timer.loop);
  Must(uv_timer_start(
      &timer_->timer,
      [](uv_timer_t* timer) {
        static_cast<EventLoop*>(timer->loop->data)->BeginRound();
        static_cast<Handle*>(timer->data)->on_time();
      },
      milliseconds, 0));
}

void Timer::Disarm() {
  if (timer_ != nullptr) uv_timer_stop(&timer_->timer);
}

bool Timer::armed() const {
  return timer_ != nullptr && uv_is_active(reinterpret_cast<const uv_handle_t*>(&timer_->timer)) != 0;
}

void Timer::Stop() {
  if (timer_ == nullptr) return;
  Handle* const handle = std::exchange(timer_, nullptr);
  uv_timer_stop(&handle->timer);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->timer),
           [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

}  // namespace poold::process
