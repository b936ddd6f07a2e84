// A session without gRPC: a client on this host that speaks through the payload socket (poold/v1/payload_socket.md).
//
// Threads: made and read by its LocalThread; what waits for the client is packed and sent by whichever thread flushes,
// and by the LocalThread where the socket was full. Ownership: the LocalThread and the tables of subscribers share it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/received.h"
#include "session/session.h"
#include "transport/connection_table.h"
#include "transport/flush_guard.h"
#include "transport/half_read.h"
#include "transport/transport_context.h"
#include "wire/message_socket.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// What the sessions of one LocalThread share.
struct LocalLoop {
  TransportContext* transport = nullptr;
  session::DelayQueue due;
  wire::UniqueFd epoll;
  // Call OnEvents of the session with this socket, soon. Thread-safe.
  std::function<void(int socket)> look_at;
  // How many of its sessions want Tend. The LocalThread's.
  std::size_t to_tend = 0;
};

class LocalSession final : public session::Session {
 public:
  // `loop` must outlive it.
  LocalSession(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket);

  int fd() const { return socket_.fd(); }
  // False: it cannot be waited for.
  bool Start();
  // What epoll said of its socket. False: it is over, and has left.
  bool OnEvents(std::uint32_t events);
  // To be called every kTendTime while there are sessions to tend. Who waits for memory tries again; who has waited for
  // long is told that there is none.
  void Tend();
  static constexpr auto kTendTime = std::chrono::milliseconds(250);
  // Sends what waits, says why, and is over then.
  void End(const absl::Status& status);
  // Over now; whatever waits is lost.
  void Cut();

  // Subscriber.
  void Flush() override;

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
  absl::Status TooLong() const;
  absl::Status TakeBytes(std::string_view bytes);

  void Drive();
  bool PutNext();
  bool Send();
  void SendRest();
  void Await(std::uint32_t events, bool on) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  LocalLoop& loop_;
  wire::MessageSocket socket_;
  const Ticket ticket_;  // goes before the socket

  // The LocalThread's.
  api::Received<v1::SessionRequest> request_;
  bool ending_ = false;
  bool left_ = false;
  // Memory for a message that has not wholly come, where it is a large one.
  HalfRead::Holder half_read_;
  bool hungry_ = false;  // it waits for memory
  int hungry_for_ = 0;   // for so many Tend
  bool to_tend_ = false;

  // Of the one who has the turn.
  FlushGuard turn_;
  v1::SessionResponse response_;
  bool put_last_ = false;

  absl::Status status_;  // constant after ended_
  std::atomic<bool> ended_ = false;
  // Nothing more is sent: all was, or nothing can be.
  std::atomic<bool> sent_ = false;
  // Since when the socket is full; 0: it is not.
  std::atomic<core::Nanos> stuck_since_ = 0;

  absl::Mutex mu_;
  std::uint32_t awaited_ ABSL_GUARDED_BY(mu_) = 0;
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::transport
