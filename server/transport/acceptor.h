// Acceptor: accepts connections, identifies the peer, and hands over those that may come in.
//
// Role: one small thread that waits on the listening sockets. It refuses peers of other users on Unix sockets and peers
// for which the table of connections has no room, and tells them why. A connection stays here until its client has sent
// its first bytes. Non-role: speaks no gRPC.
// Bounds: descriptors are kept in reserve for workers, arenas and payloads. When only the reserve is left, connections
// without a call are closed, and a newcomer waits a moment for that before it is refused. When even the reserve is
// gone, the acceptor pauses.
// Threads: one thread calls Start and Stop; the acceptor's thread calls the functions of a door. Ownership: owns the
// listening sockets. Errors: Start fails for lack of descriptors; refusals go to the clients.
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

// A listening socket, and the treatment of its connections.
struct Door {
  ListenSocket socket;
  Transport transport = Transport::kUnknown;
  std::shared_ptr<ConnectionTable> table;
  // The number of bytes that a client sends first, unasked. The connection is handed over once they have come.
  std::size_t first_bytes = 1;
  // Takes over a connected, non-blocking descriptor. An error: the descriptor was not taken, and the client is refused
  // for this reason.
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
  // Whether there is a descriptor that the reserve can spare.
  bool HasFreeDescriptor() const;
  // Closes connections that wait or are silent and whose clients have hung up. False: there was none.
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
  // Closes the oldest connection without a call, of all doors. False: there is none.
  bool ShedStranger();
  void Pause(const Door& door);
  void Listen(bool on);

  std::vector<Door> doors_;
  wire::UniqueFd epoll_;
  wire::UniqueFd stop_;
  std::thread thread_;

  // Owned by the acceptor's thread.
  // A newcomer that waits for a descriptor which is being given back, and the number of looks so far.
  struct Waiting {
    const Door* door;
    wire::UniqueFd fd;
    int looks = 0;
  };
  // A connection that was let in and whose client has sent nothing yet.
  struct Silent {
    const Door* door;
    wire::UniqueFd fd;
    Ticket ticket;
  };
  // By descriptor.
  std::map<int, Silent> silent_;
  std::vector<Waiting> waiting_;
  // When waiting newcomers were looked at last.
  std::chrono::steady_clock::time_point looked_;
  GrpcRefusals refusals_;
  // When a refusal was logged last, and how many were not logged since.
  std::chrono::steady_clock::time_point logged_{};
  std::uint64_t not_logged_ = 0;
  // The listening sockets are not waited for, because descriptors ran out.
  bool paused_ = false;
};

}  // namespace poold::transport
