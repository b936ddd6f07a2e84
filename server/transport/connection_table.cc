#include "transport/connection_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "core/errors.h"

namespace poold::transport {
namespace {

std::uint64_t NextNumber() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

absl::Status TooManyConnections(std::string_view who, std::string_view key, std::uint32_t bound) {
  return core::MakeError(reason::kTooManyConnections,
                         absl::StrCat("too many connections: ", std::string(who), " at most ", bound, " (",
                                      std::string(key), " of poold); close some, or raise it"),
                         key, core::kSecond);
}

}  // namespace

void Connection::EndCall() {
  static std::atomic<std::uint64_t> ends = 0;
  last_use_ = ++ends;
  --open_calls_;
}

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  GiveBack();
  table_ = std::move(other.table_);
  connection_ = std::move(other.connection_);
  return *this;
}

void Ticket::GiveBack() {
  if (table_ != nullptr) table_->Remove(connection_->peer().connection);
  table_ = nullptr;
}

absl::StatusOr<Ticket> ConnectionTable::Admit(Peer peer, int fd) {
  absl::MutexLock lock(&mu_);
  std::shared_ptr<PeerAccount> account = AccountOf(peer);
  if (absl::Status status = MakeRoom(*account); !status.ok()) return status;
  peer.connection = NextNumber();
  ++account->connections;
  auto connection = std::make_shared<Connection>(std::move(peer), std::move(account), fd);
  connections_.emplace_hint(connections_.end(), connection->peer().connection, connection);
  return Ticket(shared_from_this(), std::move(connection));
}

std::shared_ptr<PeerAccount> ConnectionTable::AccountOf(const Peer& peer) {
  if (accounts_.size() > 2 * connections_.size() + 64) {
    std::erase_if(accounts_, [](const auto& entry) { return entry.second.expired(); });
  }
  std::weak_ptr<PeerAccount>& known = accounts_[KeyOf(peer)];
  std::shared_ptr<PeerAccount> account = known.lock();
  if (account == nullptr) known = account = std::make_shared<PeerAccount>();
  return account;
}

absl::Status ConnectionTable::MakeRoom(const PeerAccount& newcomer) {
  if (newcomer.connections >= bounds_.per_peer && !ShutDown(OldestStranger(&newcomer))) {
    return TooManyConnections("one process, or one address of TCP, has", "max_connections_per_peer", bounds_.per_peer);
  }
  if (connections_.size() >= bounds_.all && !ShutDown(WhoMakesRoom(newcomer))) {
    return TooManyConnections("there are", "max_connections", bounds_.all);
  }
  return absl::OkStatus();
}

ConnectionTable::Connections::iterator ConnectionTable::OldestStranger(const PeerAccount* of) {
  return std::find_if(connections_.begin(), connections_.end(), [of](const auto& entry) {
    const Connection& connection = *entry.second;
    return connection.IsStranger() && (of == nullptr || connection.account_.get() == of);
  });
}

// A stranger of the peer with the most connections, else what is idle for longest of a peer that has more than the
// newcomer will have.
ConnectionTable::Connections::iterator ConnectionTable::WhoMakesRoom(const PeerAccount& newcomer) {
  auto best = connections_.end();
  std::tuple<bool, std::uint32_t, std::uint64_t> best_rank;
  for (auto one = connections_.begin(); one != connections_.end(); ++one) {
    const Connection& connection = *one->second;
    const bool stranger = connection.IsStranger();
    const std::uint32_t has = connection.account_->connections;
    if (!stranger && (!connection.IsIdle() || has <= newcomer.connections + 1)) continue;
    const auto rank = std::make_tuple(stranger, has, ~connection.last_use_.load());
    if (best != connections_.end() && rank <= best_rank) continue;
    best = one;
    best_rank = rank;
  }
  return best;
}

std::uint64_t ConnectionTable::OldestStrangerNumber() const {
  absl::MutexLock lock(&mu_);
  const auto oldest = std::find_if(connections_.begin(), connections_.end(),
                                   [](const auto& entry) { return entry.second->IsStranger(); });
  return oldest == connections_.end() ? kNobody : oldest->first;
}

bool ConnectionTable::ShedStranger() {
  absl::MutexLock lock(&mu_);
  return ShutDown(OldestStranger(nullptr));
}

// Its owner sees that. It counts no more.
bool ConnectionTable::ShutDown(Connections::iterator connection) {
  if (connection == connections_.end()) return false;
  const int fd = connection->second->fd_;
  send(fd, farewell_.data(), farewell_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(fd, SHUT_RDWR);
  Erase(connection);
  return true;
}

void ConnectionTable::Remove(std::uint64_t number) {
  absl::MutexLock lock(&mu_);
  if (const auto found = connections_.find(number); found != connections_.end()) Erase(found);
}

void ConnectionTable::Erase(Connections::iterator connection) {
  --connection->second->account_->connections;
  connections_.erase(connection);
}

std::shared_ptr<Connection> ConnectionTable::Find(std::uint64_t number) const {
  absl::MutexLock lock(&mu_);
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : found->second;
}

std::size_t ConnectionTable::size() const {
  absl::MutexLock lock(&mu_);
  return connections_.size();
}

}  // namespace poold::transport
