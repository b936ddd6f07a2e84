// The process thread's loop: descriptors, timers and wake-ups, thin over libuv.
//
// Role: calls back when a descriptor is ready, a moment has come, or another thread has called Wake. Before every
// sleep it calls `after_round` once: there what the callbacks gathered is handed on in one batch. What happens from the
// first callback after a sleep to the next sleep is one round.
// Threads: Run is called by one thread; watches and timers are touched by that thread only (before Run: by the thread
// that made the loop). Wake, Quit, TryWhileAsleep and WhileAsleep are thread-safe. A mutex is held for each round, so
// state that only callbacks touch is guarded by the round: it belongs to the loop's thread while that is awake, and to
// whoever is inside TryWhileAsleep or WhileAsleep while it sleeps.
// Errors: what libuv refuses (no memory, no descriptor) is a Status when something is made, and aborts afterwards.
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

  // Makes the loop. `on_wake` runs after Wake; several calls of Wake may lead to one of it. `after_round` runs before
  // each sleep. RESOURCE_EXHAUSTED: no descriptors or no memory; the loop cannot be used.
  absl::Status Open(std::function<void()> on_wake, std::function<void()> after_round);
  // Runs callbacks until Quit. All watches and timers must be gone when it returns.
  void Run();
  // Makes the loop call `on_wake` soon. Cheap, and never blocks.
  void Wake();
  // Makes Run return after the round that is under way.
  void Quit();
  // Calls `call` while the loop sleeps; no callback begins before `call` returns. `call` may use what callbacks share,
  // but no watch and no timer. False: the loop is awake; it was not waited for, and `call` was not called.
  bool TryWhileAsleep(absl::FunctionRef<void()> call);
  // TryWhileAsleep, but waits for the end of the round that is under way. Not from a callback.
  void WhileAsleep(absl::FunctionRef<void()> call);

  // The loop of libuv, for watches and timers of this file.
  uv_loop_s* uv() { return loop_.get(); }

  // Begins a round if none is under way. Each callback of this file does that first.
  void BeginRound();

 private:
  void EndRound();

  std::unique_ptr<uv_loop_s> loop_;
  std::unique_ptr<uv_async_s> wake_;
  std::unique_ptr<uv_prepare_s> prepare_;
  std::function<void()> on_wake_;
  std::function<void()> after_round_;
  std::atomic<bool> quit_{false};
  // Held by the loop's thread for a round, by another thread inside TryWhileAsleep and WhileAsleep.
  absl::Mutex round_;
  // Whether the loop's thread is in a round. Only that thread looks.
  bool in_round_ = false;
};

// Watches one descriptor, level-triggered.
//
// Threads: the loop's. Ownership: does not own descriptor and loop. Stop or destroy the watch before the descriptor is
// closed; that may be done from inside its callback.
class FdWatch {
 public:
  FdWatch() = default;
  ~FdWatch() { Stop(); }
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  // Attaches the watch, which watches for nothing yet. An earlier descriptor is let go. RESOURCE_EXHAUSTED: libuv
  // cannot watch it.
  absl::Status Start(EventLoop& loop, int fd, std::function<void()> on_ready);
  // Chooses the events to watch for. `on_ready` runs in each round in which the descriptor is ready for one of them, or
  // broken. With neither the watch rests, but stays attached. A watch that was not started ignores the call.
  void Want(bool readable, bool writable);
  bool wants_write() const { return writable_; }
  // Detaches the watch: `on_ready` is not called any more. Idempotent.
  void Stop();
  bool started() const { return poll_ != nullptr; }

 private:
  struct Handle;
  Handle* poll_ = nullptr;
  bool readable_ = false;
  bool writable_ = false;
};

// Calls back once, later. Threads: the loop's. Does not own the loop.
class Timer {
 public:
  Timer() = default;
  ~Timer() { Stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // REQUIRED before Arm. `on_time` runs once for each arming that was not replaced.
  void Open(EventLoop& loop, std::function<void()> on_time);
  // In `delay_ns` from now, rounded up to milliseconds; replaces an earlier arming.
  void Arm(std::int64_t delay_ns);
  void Disarm();
  bool armed() const;
  // Disarms for ever: Arm does nothing from here on. Idempotent; also from inside `on_time`.
  void Stop();

 private:
  struct Handle;
  Handle* timer_ = nullptr;
};

}  // namespace poold::process
