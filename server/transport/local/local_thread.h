// A thread that carries sessions and calls of clients without gRPC.
//
// Role: waits for their sockets, runs what is due, and looks for what its poll source has while it does not sleep.
// Bounded: at most so many sessions; connections with calls by their table. Threads: Run happens on it; Take is
// thread-safe; the other functions are called by the one that started it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "transport/busy_poller.h"
#include "transport/local/local_connection.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::transport {

class LocalThread {
 public:
  // `poll_source` may be null. All must outlive it.
  LocalThread(TransportContext* transport, engine::PollSource* poll_source, std::size_t max_sessions);
  ~LocalThread();

  absl::Status Start();
  // A session, or calls, come through this socket from now on. False, with both still the caller's: there are too many.
  bool Take(wire::PayloadAsk what, wire::UniqueFd* socket, Ticket* ticket);
  // Connections get what waits for them and end; after `grace` they are cut. Then the thread ends. Idempotent.
  void Stop(std::chrono::nanoseconds grace);

 private:
  void Run();
  void OnEvents(int fd, std::uint32_t events);
  void LookAt(int fd);
  void Post(std::function<void()> work);
  void TakeNew();
  void Begin(wire::PayloadAsk what, wire::UniqueFd socket, Ticket ticket);
  void Forget(const LocalConnection& connection);
  void RunTimers();
  void EndAll();
  bool Over();
  int Timeout() const;
  void Tend();
  void Wake();

  const std::size_t max_sessions_;
  BusyPoller busy_poller_;
  LocalLoop loop_;
  wire::UniqueFd wake_;
  std::thread thread_;

  absl::Mutex mu_;
  std::size_t sessions_ ABSL_GUARDED_BY(mu_) = 0;  // with those that come
  struct Comer {
    wire::PayloadAsk what;
    wire::UniqueFd socket;
    Ticket ticket;
  };
  std::vector<Comer> come_ ABSL_GUARDED_BY(mu_);
  std::vector<int> look_at_ ABSL_GUARDED_BY(mu_);
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  session::DelayQueue::Clock::time_point stop_at_ ABSL_GUARDED_BY(mu_);

  // The thread's own.
  std::map<int, std::shared_ptr<LocalConnection>> connections_;
  bool ending_ = false;
  session::DelayQueue::Clock::time_point next_tend_;
};

}  // namespace poold::transport
