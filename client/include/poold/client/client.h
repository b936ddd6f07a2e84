// Client: a connection to a daemon.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "poold/client/connection.h"
#include "poold/client/map_handle.h"
#include "poold/client/options.h"
#include "poold/client/pool.h"
#include "poold/client/task_handle.h"

namespace poold::client {

// Purpose: find the daemon, open pools, take up handles that were written down.
// Performance: a value of one pointer; copy it. Make one for each process and keep it: it holds a connection, a thread
//   that reads when nobody waits, and one for callbacks once there are any.
// Thread safety: all of it may be called from any thread. A thread that is cancelled (pthread_cancel) while it waits
// for
//   a handle ends within a second; in another call, when that is over. The client stays usable.
// Fork: in a child that is forked every call answers FAILED_PRECONDITION (FORKED), Connect too, since gRPC does not
//   survive a fork. When handles or a PoolScope go in the child, nothing happens to the parent's. Make no Client before
//   the fork and one in each child, or exec.
// Errors: Connect says at once where it looked and what to do. Later the client reconnects by itself: while the daemon
//   is away, waiting waits and submitting queues; handles survive. A daemon that was restarted does not know them: they
//   end with HANDLE_LOST, and nothing is submitted again silently.
// Lifetime: handles and pools keep the connection. When the last of them goes, what was submitted and not sent yet is
//   sent, for at most ClientOptions::flush_timeout.
// Example:
//   auto client = Client::Connect();
//   if (!client.ok()) return Fail(client.status());
//   auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
class Client {
 public:
  static absl::StatusOr<Client> Connect(ClientOptions options = {});
  explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // Opens a pool, or takes the live one with the same spec. Answers when its workers are ready. FAILED_PRECONDITION
  // (POOL_FAILED): they cannot start, in the worker's own words.
  absl::StatusOr<Pool> OpenPool(const PoolSpec& spec) const;
  // A pool that is there. NOT_FOUND (POOL_NOT_FOUND).
  absl::StatusOr<Pool> GetPool(std::string_view name) const;
  // The pool "default" of the daemon's configuration; nothing is asked.
  Pool Default() const { return Pool(connection_, "default"); }
  absl::StatusOr<std::vector<v1::Pool>> ListPools() const;

  // A handle that TaskHandle::ToString wrote, here or in another process. The first time its state is asked for, the
  // daemon is: NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED) or HANDLE_LOST comes through the handle.
  template <typename T>
  absl::StatusOr<TaskHandle<T>> Resume(std::string_view written) const {
    auto task = connection_->ResumeTask(written);
    if (!task.ok()) return task.status();
    return TaskHandle<T>(*std::move(task));
  }
  template <typename R>
  absl::StatusOr<MapHandle<R>> ResumeMap(std::string_view written, MapOrder order = MapOrder::kInOrder) const {
    auto map = connection_->ResumeMap(written);
    if (!map.ok()) return map.status();
    return MapHandle<R>(*std::move(map), order);
  }

  // Tasks and maps that the daemon knows, in the order of their submission, a page at a time.
  absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request = {}) const;
  // All that is known of a handle: why it waits, where it ran, how each attempt ended.
  absl::StatusOr<v1::ExplainResponse> Explain(HandleId id) const;
  // What happens to these handles, as it happens, with what they print and report: until `take` returns false, or all
  // of them have ended. Called in this thread.
  absl::Status Watch(const std::vector<HandleId>& ids, const WatchCallback& take, bool output = true) const;
  absl::StatusOr<v1::ServerInfo> GetServerInfo() const;
  absl::StatusOr<v1::GetStatsResponse> GetStats() const;
  // Waits until the daemon has taken everything that was submitted before.
  absl::Status Flush(Duration timeout = kForever) const { return connection_->Flush(timeout); }
  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace poold::client
