// The process thread's loop: descriptors, timers and wake-ups, thin over libuv.
//
// Role: calls back when a descriptor is ready, a moment has come, or another thread has called Wake. Before every
// sleep it calls `after_round` once: there what the callbacks gathered is handed on in one batch.
// Threads: Run is called by one thread; all else by that thread only (before Run: by the thread that made the loop),
// except Wake, Quit and TryWhileAsleep, which are thread-safe.
// Errors: what libuv refuses (no memory, no descriptor) is a Status when it is made, abort afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

struct uv_loop_s;
struct uv_async_s;
struct uv_poll_s;
struct uv_timer_s;
struct uv_prepare_s;

namespace poold::process {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // `on_wake`: after Wake, some calls of it may be one. `after_round`: before each sleep.
  absl::Status Open(std::function<void()> on_wake, std::function<void()> after_round);
  // Returns after Quit. All watches and timers must be gone by then.
  void Run();
  void Wake();
  void Quit();
  // Calls it while no callback runs, and none begins before it is over: what the callbacks share may be used. It may
  // touch no watch and no timer. False: the loop is awake, and was not waited for.
  bool TryWhileAsleep(absl::FunctionRef<void()> call);
  // The same, but waits for the round that is under way.
  void WhileAsleep(absl::FunctionRef<void()> call);

  uv_loop_s* uv() { return loop_.get(); }

  // At the begin of each callback.
  void BeginRound();

 private:
  void EndRound();

  std::unique_ptr<uv_loop_s> loop_;
  std::unique_ptr<uv_async_s> wake_;
  std::unique_ptr<uv_prepare_s> prepare_;
  std::function<void()> on_wake_;
  std::function<void()> after_round_;
  std::atomic<bool> quit_{false};
  // Held from the first callback after a sleep to the next sleep.
  absl::Mutex round_;
  bool in_round_ = false;
};

// Watches one descriptor, level-triggered. Does not own it; Stop (or destroy) the watch before it is closed.
class FdWatch {
 public:
  FdWatch() = default;
  ~FdWatch() { Stop(); }
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  absl::Status Start(EventLoop& loop, int fd, std::function<void()> on_ready);
  // What to watch for. Neither: rests, but stays attached.
  void Want(bool readable, bool writable);
  bool wants_write() const { return writable_; }
  void Stop();
  bool started() const { return poll_ != nullptr; }

 private:
  struct Handle;
  Handle* poll_ = nullptr;
  bool readable_ = false;
  bool writable_ = false;
};

// Calls back once, later.
class Timer {
 public:
  Timer() = default;
  ~Timer() { Stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void Open(EventLoop& loop, std::function<void()> on_time);
  // In `delay_ns` from now, rounded up to milliseconds; replaces an earlier arming.
  void Arm(std::int64_t delay_ns);
  void Disarm();
  bool armed() const;
  // For ever.
  void Stop();

 private:
  struct Handle;
  Handle* timer_ = nullptr;
};

}  // namespace poold::process
