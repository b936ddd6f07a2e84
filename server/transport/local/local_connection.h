// A connection without gRPC that carries messages: a session, or calls (poold/v1/payload_socket.md).
//
// Role: receives messages and counts their memory, sends what there is to send, and ends. What the messages mean is for
// whoever derives from it. Threads: made, read and ended by its LocalThread; Pump is called by any thread, and whoever
// has the turn packs and sends; where the socket was full, the LocalThread goes on. Ownership: the LocalThread shares
// it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "session/delay_queue.h"
#include "transport/connection_table.h"
#include "transport/flush_guard.h"
#include "transport/half_read.h"
#include "transport/transport_context.h"
#include "wire/message_socket.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// What the connections of one LocalThread share.
struct LocalLoop {
  using Clock = session::DelayQueue::Clock;
  // What is to happen at a moment, unless it was erased before.
  using Timers = std::multimap<Clock::time_point, std::function<void()>>;

  TransportContext* transport = nullptr;
  session::DelayQueue due;
  wire::UniqueFd epoll;
  // Call OnEvents of the connection with this socket, soon. Thread-safe.
  std::function<void(int socket)> look_at;
  // Run this on the LocalThread, soon. Thread-safe.
  std::function<void(std::function<void()>)> post;
  // The LocalThread's.
  Timers timers;
  // How many of its connections want Tend. The LocalThread's.
  std::size_t to_tend = 0;
};

class LocalConnection {
 public:
  virtual ~LocalConnection() = default;
  LocalConnection(const LocalConnection&) = delete;
  LocalConnection& operator=(const LocalConnection&) = delete;

  int fd() const { return socket_.fd(); }
  // False: it cannot be waited for.
  bool Start();
  // What epoll said of its socket. False: it is over, and has left.
  bool OnEvents(std::uint32_t events);
  // To be called every kTendTime while there are connections to tend. Who waits for memory tries again; who has waited
  // for long is told that there is none.
  void Tend();
  static constexpr auto kTendTime = std::chrono::milliseconds(250);
  virtual bool is_session() const = 0;
  // The server stops: what is under way may end.
  virtual void EndForShutdown() = 0;
  // Sends what waits, says why, and is over then.
  void End(const absl::Status& status);
  // Over now; whatever waits is lost.
  void Cut();

 protected:
  // `events`: what to wait for beside input. `loop` must outlive it.
  LocalConnection(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket, std::uint32_t events);

  // ---- For whoever derives from it ----
  // By the LocalThread: it can be waited for.
  virtual void OnStart() = 0;
  // By the LocalThread, before it looks for the next message.
  virtual void BeforeNext() {}
  // By the LocalThread: a message came. An error ends the connection.
  virtual absl::Status OnMessage(const wire::MessageSocket::Message& message) = 0;
  // By the LocalThread: the client sends nothing more, or is gone. False: it is over.
  virtual bool OnHangUp() = 0;
  // By the LocalThread: it is over.
  virtual void OnCut() = 0;
  // Whether nothing more is to be taken from the client now. `paused`: what it was before. Asked again whenever
  // something was sent. Thread-safe, and takes no mutex of others.
  virtual bool Pauses(bool paused) = 0;
  // By the one who has the turn: packs what there is to send next. False: nothing.
  virtual bool PutNext(wire::MessageSocket* socket) = 0;
  // By the one who has the turn: all that was packed is sent; so many bytes of it wait for the client to read. False:
  // that is too much.
  virtual void OnSent() {}
  virtual bool OnFull(std::size_t /*bytes*/) { return true; }

  // There may be something to send. False: another one has the turn, and will see it. Thread-safe.
  bool Pump();
  // Since when the socket is full; 0: it is not. Thread-safe.
  core::Nanos stuck_since() const { return stuck_since_.load(std::memory_order_relaxed); }
  // The client does not read, and too much waits for it. Thread-safe.
  void CutOff(std::string_view event);

  LocalLoop& loop() const { return loop_; }
  api::ServiceContext& services() const { return loop_.transport->service; }
  const Ticket& ticket() const { return ticket_; }
  bool ending() const { return ending_; }

 private:
  // False: nothing more is to be had, in either direction.
  bool Read();
  bool TakeMemory();
  void CountMemory();
  void WantTend();
  void SetHungry(bool hungry);
  bool TakeRead();
  void EndStalled();
  bool GoesOn();

  void Drive();
  bool PutSome();
  bool Send();
  void SendRest();
  void Await(std::uint32_t events, bool on) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  LocalLoop& loop_;
  wire::MessageSocket socket_;
  const Ticket ticket_;  // goes before the socket

  // The LocalThread's.
  bool ending_ = false;
  bool left_ = false;
  // Memory for a message that has not wholly come, where it is a large one.
  HalfRead::Holder half_read_;
  bool hungry_ = false;  // it waits for memory
  int hungry_for_ = 0;   // for so many Tend
  bool to_tend_ = false;

  // Of the one who has the turn.
  FlushGuard turn_;
  bool put_last_ = false;

  absl::Status status_;  // constant after ended_
  std::atomic<bool> ended_ = false;
  // Nothing more is sent: all was, or nothing can be.
  std::atomic<bool> sent_ = false;
  std::atomic<core::Nanos> stuck_since_ = 0;

  absl::Mutex mu_;
  std::uint32_t awaited_ ABSL_GUARDED_BY(mu_);
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::transport
