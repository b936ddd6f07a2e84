// A connection without gRPC that carries messages: a session, or calls (poold/v1/payload_socket.md).
//
// Role: receives messages and counts their memory, sends what there is to send, and ends. Non-role: gives messages no
// meaning; the derived class does. Bounds: a message of ServiceOptions::max_message_bytes; memory of half-read messages
// by HalfRead. Threads: made, read and ended by its LocalThread; Pump is called by any thread, and whoever has the turn
// packs and sends; where the socket was full, the LocalThread goes on. Ownership: the LocalThread shares it. Errors: an
// error of the derived class, a message that is too long, or a lack of memory ends the connection with that status.
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

// The state that the connections of one LocalThread share. Outlives them.
struct LocalLoop {
  using Clock = session::DelayQueue::Clock;
  // Functions by the moment at which they run, unless they are erased before.
  using Timers = std::multimap<Clock::time_point, std::function<void()>>;

  TransportContext* transport = nullptr;
  // The LocalThread's.
  session::DelayQueue due;
  // Every connection that has started is in it.
  wire::UniqueFd epoll;
  // Has OnEvents of the connection with this socket called soon. Thread-safe.
  std::function<void(int socket)> look_at;
  // Has a function run on the LocalThread soon. Thread-safe.
  std::function<void(std::function<void()>)> post;
  // The LocalThread's.
  Timers timers;
  // The number of connections that want Tend. The LocalThread's.
  std::size_t to_tend = 0;
};

class LocalConnection {
 public:
  virtual ~LocalConnection() = default;
  LocalConnection(const LocalConnection&) = delete;
  LocalConnection& operator=(const LocalConnection&) = delete;

  int fd() const { return socket_.fd(); }
  // Waits for input from now on. False: epoll does not take the socket. Call once, before all else.
  bool Start();
  // Handles what epoll said of the socket. False: the connection is over, and has left epoll.
  bool OnEvents(std::uint32_t events);
  // Tries again for memory that the connection waits for; one that has waited for ten seconds is ended. Call every
  // kTendTime while there are connections to tend.
  void Tend();
  static constexpr auto kTendTime = std::chrono::milliseconds(250);
  // Whether it counts as one of the sessions of its thread.
  virtual bool is_session() const = 0;
  // The server stops: what is under way may end, and then the connection does.
  virtual void EndForShutdown() = 0;
  // Ends the connection with `status` once all that waits was sent. The first call counts.
  void End(const absl::Status& status);
  // Ends the connection now; messages that wait are lost. Idempotent.
  void Cut();

 protected:
  // `events`: what epoll waits for beside input. `loop` must outlive it.
  LocalConnection(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket, std::uint32_t events);

  // ---- For whoever derives from it ----
  // Called by the LocalThread in Start, when the socket can be waited for.
  virtual void OnStart() = 0;
  // Called by the LocalThread before it looks for the next message.
  virtual void BeforeNext() {}
  // Called by the LocalThread with each message that came. An error ends the connection.
  virtual absl::Status OnMessage(const wire::MessageSocket::Message& message) = 0;
  // Called by the LocalThread: the client sends nothing more, or is gone. False: the connection is over.
  virtual bool OnHangUp() = 0;
  // Called by the LocalThread, once, when the connection is over.
  virtual void OnCut() = 0;
  // Whether nothing more is to be taken from the client now. `paused`: the answer before this one. Asked before each
  // message and whenever something was sent. Thread-safe, and takes no mutex of others.
  virtual bool Pauses(bool paused) = 0;
  // Called by whoever has the turn: packs what is to be sent next. False: there is nothing.
  virtual bool PutNext(wire::MessageSocket* socket) = 0;
  // Called by whoever has the turn: everything that was packed is sent.
  virtual void OnSent() {}
  // Called by whoever has the turn: so many packed bytes wait for the client to read. False: that is too much, and the
  // connection is cut.
  virtual bool OnFull(std::size_t /*bytes*/) { return true; }

  // Tells that there may be something to send. False: another thread has the turn, and will see it. Thread-safe.
  bool Pump();
  // The moment since which the socket is full; 0: it is not. Thread-safe.
  core::Nanos stuck_since() const { return stuck_since_.load(std::memory_order_relaxed); }
  // Cuts the connection of a client that does not read. `event`: the name of the line of the log, written if the socket
  // is full. Thread-safe.
  void CutOff(std::string_view event);

  LocalLoop& loop() const { return loop_; }
  api::ServiceContext& services() const { return loop_.transport->service; }
  const Ticket& ticket() const { return ticket_; }
  // End or Cut was called.
  bool ending() const { return ending_; }

 private:
  // Reads what the socket has. False: nothing more is to be had, in either direction.
  bool Read();
  // Reserves memory for the next message. False: there is none now, and nothing is read until there is.
  bool TakeMemory();
  // Gives back memory that the socket does not use any more.
  void CountMemory();
  // Keeps LocalLoop::to_tend right.
  void WantTend();
  // Waits for memory, or no longer: stops reading meanwhile.
  void SetHungry(bool hungry);
  // Hands on messages that have come, until the connection pauses.
  bool TakeRead();
  // Ends a connection whose memory HalfRead wants for others.
  void EndStalled();
  bool GoesOn();

  // Packs and sends until nothing is left or the socket is full. REQUIRES: the caller has the turn.
  void Drive();
  // Packs the next message, or the closing status. False: there is nothing to send.
  bool PutSome();
  // Writes. False: the socket is full, broken or done; the LocalThread goes on when it can be written.
  bool Send();
  void SendRest();
  void Await(std::uint32_t events, bool on) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  LocalLoop& loop_;
  wire::MessageSocket socket_;
  // Declared behind the socket, so that it is given back before the socket is closed.
  const Ticket ticket_;

  // The LocalThread's.
  bool ending_ = false;
  // Cut was called: the connection is over.
  bool left_ = false;
  // Memory for a message that has not wholly come, where it is a large one.
  HalfRead::Holder half_read_;
  // The connection waits for memory and reads nothing.
  bool hungry_ = false;
  // So many calls of Tend have found no memory.
  int hungry_for_ = 0;
  // Counted in LocalLoop::to_tend.
  bool to_tend_ = false;

  // Held by the thread that packs and sends; `put_last_` is that thread's.
  FlushGuard turn_;
  // The closing status was packed: nothing comes after it.
  bool put_last_ = false;

  // The reason of the end. Constant after `ended_`.
  absl::Status status_;
  // End was called: the closing status goes behind all that waits.
  std::atomic<bool> ended_ = false;
  // Nothing more is sent: everything was, or nothing can be.
  std::atomic<bool> sent_ = false;
  std::atomic<core::Nanos> stuck_since_ = 0;

  absl::Mutex mu_;
  // What epoll waits for now.
  std::uint32_t awaited_ ABSL_GUARDED_BY(mu_);
  // The last answer of Pauses.
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::transport
