// Accepts connections, identifies the peer, and hands over those that may come in.
//
// Role: one small thread that waits on the listening sockets. It refuses peers of other users on Unix sockets, and
// peers for which the table of connections has no room, and tells them why. A connection stays here until its client
// has sent something. Descriptors are kept in reserve for what exists: workers, arenas, payloads in files. When only
// the reserve is left, connections on which nothing was asked yet are closed, and a newcomer waits a moment for that
// before it is refused. When even the reserve is gone, the acceptor pauses and goes on later. Non-role: speaks no gRPC.
// Ownership: owns the listening sockets. Thread safety: Start and Stop by one thread; the functions of a door are
// called by the acceptor's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "transport/connection_table.h"
#include "transport/grpc/grpc_refusals.h"
#include "transport/listen.h"
#include "transport/peer.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// A socket that listens, and what becomes of who comes there.
struct Door {
  ListenSocket socket;
  Transport transport = Transport::kUnknown;
  std::shared_ptr<ConnectionTable> table;
  // Bytes that a client sends by itself, and first: its connection is handed over once they are there.
  std::size_t first_bytes = 1;
  // Takes over a connected, non-blocking descriptor. An error: it did not, and why the client is refused.
  std::function<absl::Status(wire::UniqueFd* fd, Ticket* ticket)> hand_over;
};

class Acceptor {
 public:
  explicit Acceptor(std::vector<Door> doors);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  absl::Status Start();
  // Stops accepting and removes the sockets. Connections that were handed over live on. Idempotent.
  void Stop();

 private:
  void Run();
  void AcceptFrom(const Door& door);
  // That the reserve can spare.
  bool HasFreeDescriptor() const;
  // Those that wait or are silent and have hung up. False: there was none.
  bool DropEnded();
  void Receive(const Door& door, wire::UniqueFd fd);
  int Patience() const;
  void LookAtWaiting();
  void LetIn(const Door& door, wire::UniqueFd fd);
  void HearSilent(int fd);
  absl::StatusOr<Ticket> Admit(const Door& door, int fd);
  bool CanAfford(int fd);
  void HandOver(const Door& door, wire::UniqueFd fd, Ticket ticket);
  void Refuse(const Door& door, wire::UniqueFd fd, const absl::Status& why);
  void LogRefusal(const Door& door, int fd, const absl::Status& why);
  // False: there is none at any door.
  bool ShedStranger();
  void Pause(const Door& door);
  void Listen(bool on);

  std::vector<Door> doors_;
  wire::UniqueFd epoll_;
  wire::UniqueFd stop_;
  std::thread thread_;

  // The thread's own.
  // For a descriptor that is being given back.
  struct Waiting {
    const Door* door;
    wire::UniqueFd fd;
    int looks = 0;
  };
  struct Silent {
    const Door* door;
    wire::UniqueFd fd;
    Ticket ticket;
  };
  std::map<int, Silent> silent_;
  std::vector<Waiting> waiting_;
  std::chrono::steady_clock::time_point looked_;
  GrpcRefusals refusals_;
  std::chrono::steady_clock::time_point logged_{};
  std::uint64_t not_logged_ = 0;
  bool paused_ = false;
};

}  // namespace poold::transport
