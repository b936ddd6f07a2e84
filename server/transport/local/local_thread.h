// A thread that carries sessions and calls of clients without gRPC.
//
// Role: waits for their sockets, runs delayed work, and polls its poll source while it does not sleep. Non-role:
// accepts no connection; the acceptor and the payload socket hand them over.
// Bounds: at most `max_sessions` sessions; connections with calls by their table. Threads: Run happens on it; Take is
// thread-safe; the other functions are called by the thread that started it. Ownership: shares its connections until
// they are over. Errors: Start fails for lack of descriptors or threads.
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

  // Call once.
  absl::Status Start();
  // Takes over a connection that carries a session or calls from now on. False, with both still the caller's: there are
  // too many sessions, or the thread ends.
  bool Take(wire::PayloadAsk what, wire::UniqueFd* socket, Ticket* ticket);
  // Lets connections send what waits for them and end; after `grace` they are cut. Then the thread ends. Idempotent.
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
  // Sessions, those that are about to begin among them.
  std::size_t sessions_ ABSL_GUARDED_BY(mu_) = 0;
  // A connection that was handed over and has not begun.
  struct Comer {
    wire::PayloadAsk what;
    wire::UniqueFd socket;
    Ticket ticket;
  };
  std::vector<Comer> come_ ABSL_GUARDED_BY(mu_);
  // Sockets of connections whose OnEvents is to be called.
  std::vector<int> look_at_ ABSL_GUARDED_BY(mu_);
  // Functions that are to run on the thread.
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // When connections that are left are cut; valid while `stopping_`.
  session::DelayQueue::Clock::time_point stop_at_ ABSL_GUARDED_BY(mu_);

  // The thread's own, as the two that follow: by their sockets.
  std::map<int, std::shared_ptr<LocalConnection>> connections_;
  bool ending_ = false;
  // When connections are tended next.
  session::DelayQueue::Clock::time_point next_tend_;
};

}  // namespace poold::transport
