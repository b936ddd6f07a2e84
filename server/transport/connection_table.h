// ConnectionTable: the open connections of one kind, their peers, and the bounds on both.
//
// A *peer* is a process on this host, or on TCP an address. A *stranger* is a connection on which no call was made yet.
// Role: decides which connection is closed when a bound is reached. At a peer's bound the peer's oldest stranger is
// closed. At the bound
//   of all, the oldest stranger of the peer with the most connections is closed; where there is no stranger, the
//   connection of that peer that is idle for longest, if the newcomer's peer has fewer. A connection in use is never
//   closed.
// Threads: thread-safe. Ownership: a Ticket keeps a connection in the table; the owner of the descriptor gives the
// ticket back before
//   the descriptor is closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "transport/peer.h"

namespace poold::transport {

class ConnectionTable;

// The account of a peer's connections. Lives as long as one of them.
struct PeerAccount {
  // Connections of the peer. Guarded by the table's mutex.
  std::uint32_t connections = 0;
};

// One open connection. Thread-safe.
class Connection {
 public:
  Connection(Peer peer, std::shared_ptr<PeerAccount> account, int fd)
      : peer_(std::move(peer)), account_(std::move(account)), fd_(fd) {}

  const Peer& peer() const { return peer_; }

  // Between these two the connection is in use.
  void BeginCall() {
    ++calls_;
    ++open_calls_;
  }
  void EndCall();
  // The number of calls that were begun.
  std::uint64_t calls() const { return calls_; }

 private:
  friend class ConnectionTable;

  bool IsStranger() const { return calls_ == 0; }
  bool IsIdle() const { return open_calls_ == 0; }

  const Peer peer_;
  const std::shared_ptr<PeerAccount> account_;
  const int fd_;
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::uint32_t> open_calls_ = 0;
  // The end of its last call, counted in ends of calls of all connections.
  std::atomic<std::uint64_t> last_use_ = 0;
};

// Keeps a connection in its table.
class Ticket {
 public:
  Ticket() = default;
  Ticket(std::shared_ptr<ConnectionTable> table, std::shared_ptr<Connection> connection)
      : table_(std::move(table)), connection_(std::move(connection)) {}
  Ticket(Ticket&&) noexcept = default;
  Ticket& operator=(Ticket&& other) noexcept;
  ~Ticket() { GiveBack(); }

  Connection* operator->() const { return connection_.get(); }
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  // Removes the connection from the table. Call before the descriptor is closed.
  void GiveBack();

 private:
  std::shared_ptr<ConnectionTable> table_;
  std::shared_ptr<Connection> connection_;
};

class ConnectionTable : public std::enable_shared_from_this<ConnectionTable> {
 public:
  // The most connections of all peers together, and of one peer.
  struct Bounds {
    std::uint32_t all = 1024;
    std::uint32_t per_peer = 256;
  };

  // `farewell`: bytes that a connection is sent before it is closed for another one; they say why in the transport's
  // form.
  ConnectionTable(Bounds bounds, std::string farewell) : bounds_(bounds), farewell_(std::move(farewell)) {}

  // Adds the connection of a descriptor and gives it a number. May shut another one down. RESOURCE_EXHAUSTED
  // (TOO_MANY_CONNECTIONS) names the bound that is reached.
  absl::StatusOr<Ticket> Admit(Peer peer, int fd);
  // Shuts the oldest stranger down. False: there is none.
  bool ShedStranger();
  // The number of the oldest stranger; kNobody: there is none. Numbers are unique across all tables.
  std::uint64_t OldestStrangerNumber() const;
  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};

  // The connection with this number. Null: it is gone.
  std::shared_ptr<Connection> Find(std::uint64_t number) const;
  std::size_t size() const;

 private:
  friend class Ticket;
  using PeerKey = std::tuple<std::string, uid_t, pid_t>;
  using Connections = std::map<std::uint64_t, std::shared_ptr<Connection>>;

  static PeerKey KeyOf(const Peer& peer) { return {peer.host, peer.uid, peer.pid}; }
  void Remove(std::uint64_t number);
  void Erase(Connections::iterator connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::shared_ptr<PeerAccount> AccountOf(const Peer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status MakeRoom(const PeerAccount& newcomer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Null: of anybody.
  Connections::iterator OldestStranger(const PeerAccount* of) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Connections::iterator WhoMakesRoom(const PeerAccount& newcomer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: there is none.
  bool ShutDown(Connections::iterator connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Bounds bounds_;
  const std::string farewell_;
  mutable absl::Mutex mu_;
  // By number: the oldest first.
  Connections connections_ ABSL_GUARDED_BY(mu_);
  std::map<PeerKey, std::weak_ptr<PeerAccount>> accounts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::transport
