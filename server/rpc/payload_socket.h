// The socket through which clients on this host hand over descriptors: poold/v1/payload_socket.md.
//
// Role: one small thread that reads fixed messages, asks the desk and answers; connections that are to carry a session
// it hands on. It also lets uploads expire of which only it knows. Waits for nobody: who does not read its answers, or
// sends what makes no sense, is cut off. Thread safety: Start and Stop by one thread; Take by any. Ownership: owns its
// connections; the service context must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "rpc/connection_table.h"
#include "rpc/payload_handler.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::rpc {

class PayloadSocket {
 public:
  // Takes a connection that carries a session from here on; false, with the socket still the caller's: it cannot.
  using TakeSession = std::function<bool(wire::UniqueFd* connection, Ticket* ticket)>;

  PayloadSocket(ServiceContext* service_context, TakeSession take_session);
  ~PayloadSocket();
  PayloadSocket(const PayloadSocket&) = delete;
  PayloadSocket& operator=(const PayloadSocket&) = delete;

  absl::Status Start();
  // A client speaks through this connection from now on. Thread-safe.
  void Take(wire::UniqueFd connection, Ticket ticket);
  // Closes all connections. Idempotent.
  void Stop();

 private:
  struct Connection {
    wire::UniqueFd fd;
    Ticket ticket;
    char request[sizeof(wire::PayloadRequest)];
    std::size_t have = 0;
    std::vector<wire::UniqueFd> descriptors;
    bool lost_descriptors = false;  // there was no room for one
    // That the client made. They end with the connection; what lies in them then is still used.
    std::vector<std::shared_ptr<base::Arena>> arenas;
  };

  void Run();
  int Timeout() const;
  // False: the thread is to end.
  bool TakeNew();
  void Wake();
  void Close(std::map<int, Connection>::iterator connection);
  // False: the connection is over.
  bool Read(Connection* connection);
  bool Serve(Connection* connection);
  bool ServeSession(Connection* connection);
  bool ServeArena(Connection* connection, const wire::PayloadRequest& request);
  // `descriptor` may be -1: none.
  bool Answer(const Connection& connection, wire::PayloadStatus status, std::uint64_t number = 0, int descriptor = -1);

  ServiceContext& service_context_;
  PayloadHandler payload_handler_;
  const TakeSession take_session_;
  wire::UniqueFd epoll_;
  wire::UniqueFd wake_;
  std::thread thread_;

  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Connection> come_ ABSL_GUARDED_BY(mu_);

  // The thread's own.
  std::map<int, Connection> connections_;
};

}  // namespace poold::rpc
