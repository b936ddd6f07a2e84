// The socket through which clients on this host hand over descriptors: poold/v1/payload_socket.md.
//
// Role: one small thread that accepts, reads fixed messages, asks the desk and answers; connections that are to carry a
// session it hands on. It also lets uploads expire of which only it knows. Refuses peers of other users and connections
// above its cap. Waits for nobody: who does not read its answers, or sends what makes no sense, is cut off. Thread
// safety: Start and Stop by one thread. Ownership: owns its sockets; the backend must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "rpc/listen_socket.h"
#include "rpc/payload_desk.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::rpc {

class PayloadSocket {
 public:
  // Takes a connection that carries a session from here on; false, with the socket still the caller's: it cannot.
  using TakeSession = std::function<bool(wire::UniqueFd* connection)>;

  PayloadSocket(ListenSocket socket, Backend* backend, TakeSession take_session);
  ~PayloadSocket();
  PayloadSocket(const PayloadSocket&) = delete;
  PayloadSocket& operator=(const PayloadSocket&) = delete;

  absl::Status Start();
  // Closes all connections and removes the socket. Idempotent.
  void Stop();

 private:
  struct Connection {
    wire::UniqueFd fd;
    char request[sizeof(wire::PayloadRequest)];
    std::size_t have = 0;
    std::vector<wire::UniqueFd> descriptors;
    bool lost_descriptors = false;  // there was no room for one
    bool same_user = false;
    // That the client made. They end with the connection; what lies in them then is still used.
    std::vector<std::shared_ptr<base::Arena>> arenas;
  };

  void Run();
  int Timeout() const;
  void Accept();
  void Close(std::map<int, Connection>::iterator connection);
  // False: the connection is over.
  bool Read(Connection* connection);
  bool Serve(Connection* connection);
  bool ServeSession(Connection* connection);
  bool ServeArena(Connection* connection, const wire::PayloadRequest& request);
  // `descriptor` may be -1: none.
  bool Answer(const Connection& connection, wire::PayloadStatus status, std::uint64_t number = 0, int descriptor = -1);

  std::unique_ptr<ListenSocket> socket_;
  Backend& backend_;
  PayloadDesk desk_;
  const TakeSession take_session_;
  wire::UniqueFd epoll_;
  wire::UniqueFd stop_;
  std::thread thread_;

  // The thread's own.
  std::map<int, Connection> connections_;
};

}  // namespace poold::rpc
