// Accepts connections and hands them over.
//
// Role: one small thread that waits on the listening sockets; refuses peers of other users on Unix sockets and
// connections above the cap; pauses, and goes on, when descriptors run out. Non-role: speaks no gRPC.
// Ownership: owns the listening sockets and a duplicate of every connection's descriptor, by which it knows that the
// connection is gone (and so how many there are).
// Thread safety: Start and Stop by one thread; the hand-over is called by the acceptor's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "rpc/listen_socket.h"
#include "wire/unique_fd.h"

namespace poold::rpc {

class Acceptor {
 public:
  // `hand_over` takes ownership of a connected, non-blocking descriptor.
  Acceptor(std::vector<ListenSocket> sockets, std::uint32_t max_connections, std::function<void(int fd)> hand_over);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  absl::Status Start();
  // Stops accepting and removes the sockets. Connections that were handed over live on. Idempotent.
  void Stop();

 private:
  void Run();
  void AcceptFrom(const ListenSocket& socket);
  bool Admit(const ListenSocket& socket, int fd);
  void Watch(int fd);
  void Listen(bool on);

  std::vector<ListenSocket> sockets_;
  const std::uint32_t max_connections_;
  const std::function<void(int)> hand_over_;
  wire::UniqueFd epoll_;
  wire::UniqueFd stop_;
  std::thread thread_;

  // The thread's own.
  std::map<int, wire::UniqueFd> connections_;
  bool paused_ = false;
};

}  // namespace poold::rpc
