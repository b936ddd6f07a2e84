// The socket through which clients on this host hand over descriptors: poold/v1/payload_socket.md.
//
// Role: one small thread that reads fixed messages, asks the handler and answers. Connections that are to carry a
// session or calls it hands on. It also lets uploads expire that no other thread knows. It waits for no client: a
// client that does not read its answers, or sends what makes no sense, is cut off. Thread safety: Start and Stop by one
// thread; Take by any. Ownership: owns its connections; the service must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/service_context.h"
#include "base/arena.h"
#include "base/payload_file.h"
#include "transport/connection_table.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// The bytes for a client whose connection is not wanted: the answer TOO_MANY_CONNECTIONS, to whatever is asked.
inline std::string LocalFarewell() {
  const wire::PayloadAnswer answer{static_cast<std::uint32_t>(wire::PayloadStatus::kTooManyConnections), 0, 0};
  return {reinterpret_cast<const char*>(&answer), sizeof answer};
}

// Whether the first bytes that wait in this socket ask for a session or for calls. REQUIRES: as many are there as
// HTTP/2 begins with.
bool AsksToBeHandedOn(int socket);

// The decisions of the payload socket, without sockets: takes arguments over into the uploads, finds results, knows
// arenas. Thread-safe. Does not own the service, which must outlive it.
class PayloadHandler {
 public:
  explicit PayloadHandler(api::ServiceContext* service) : service_(*service) {}

  // Takes sealed memory with arguments as an upload. The descriptor is taken over with kTaken only.
  wire::PayloadStatus Offer(const wire::PayloadRequest& request, wire::UniqueFd* sealed);
  // A result that lies in a file; the file is null where the result lies in none, or there is no result. `owner` keeps
  // the file.
  struct Found {
    std::shared_ptr<const void> owner;
    const base::PayloadFile* file = nullptr;
  };
  Found Fetch(const wire::PayloadRequest& request);

  // Makes the client's arena known to submissions. The arena lives as long as the caller keeps it. Null: refused, and
  // `status` says why.
  std::shared_ptr<base::Arena> Share(const wire::PayloadRequest& request, wire::UniqueFd* fd,
                                     wire::PayloadStatus* status);
  // The arena with results that the request names. Null: there is none.
  std::shared_ptr<base::Arena> Map(const wire::PayloadRequest& request) const;

 private:
  api::ServiceContext& service_;
};

// One small thread that reads fixed messages, asks the handler and answers: see the head of this file.
class PayloadSocket {
 public:
  // Takes a connection that carries a session or calls from here on; false, with the socket still the caller's: it
  // cannot.
  using HandOn = std::function<bool(wire::PayloadAsk what, wire::UniqueFd* connection, Ticket* ticket)>;

  PayloadSocket(api::ServiceContext* service, HandOn hand_on);
  ~PayloadSocket();
  PayloadSocket(const PayloadSocket&) = delete;
  PayloadSocket& operator=(const PayloadSocket&) = delete;

  absl::Status Start();
  // A client speaks through this connection from now on. Thread-safe.
  void Take(wire::UniqueFd connection, Ticket ticket);
  // Closes all connections. Idempotent.
  void Stop();

 private:
  // A connection and the request that is being read from it.
  struct Connection {
    wire::UniqueFd fd;
    Ticket ticket;
    char request[sizeof(wire::PayloadRequest)];
    // Bytes of `request` that have come.
    std::size_t have = 0;
    // Descriptors that came with the request.
    std::vector<wire::UniqueFd> descriptors;
    // A descriptor came for which there was no room: the request is refused.
    bool lost_descriptors = false;
    // Arenas that the client made. They end with the connection; payloads in them that are in use stay good.
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
  bool ServeHandOn(Connection* connection, wire::PayloadAsk what);
  bool ServeArena(Connection* connection, const wire::PayloadRequest& request);
  // `descriptor` may be -1: none.
  bool Answer(const Connection& connection, wire::PayloadStatus status, std::uint64_t number = 0, int descriptor = -1);

  api::ServiceContext& service_;
  PayloadHandler payload_handler_;
  const HandOn hand_on_;
  wire::UniqueFd epoll_;
  wire::UniqueFd wake_;
  std::thread thread_;

  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // Connections that were handed over and have not begun.
  std::vector<Connection> come_ ABSL_GUARDED_BY(mu_);

  // The thread's own.
  std::map<int, Connection> connections_;
};

}  // namespace poold::transport
