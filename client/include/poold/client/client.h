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

// Purpose: a Client finds the daemon, opens pools and resumes handles that were written down.
// Performance: a Client is one shared pointer; copy it. Make one for each process and keep it: it holds a connection, a
//   background thread that reads while no caller waits, and a callback thread as soon as there is a callback.
// Thread safety: every method may be called from any thread. A thread that is cancelled (pthread_cancel) while it waits
//   for a handle ends within a second; a thread that is cancelled in another call ends when the call returns. The
//   client stays usable.
// Fork: a child that was forked after Connect gets FAILED_PRECONDITION (FORKED) from every call, from Connect too,
//   because gRPC does not survive a fork. Destroying handles or a PoolScope in the child does nothing to the parent's.
//   Make no Client before the fork and one in each child, or exec.
// Errors: Connect fails at once and names the address and the remedy. Later the client reconnects by itself: while the
//   daemon is away, waits go on, submissions queue up and handles survive. A restarted daemon does not know older
//   handles: they end with HANDLE_LOST. The client never submits anything again silently. Every method that asks the
//   daemon may also answer UNAVAILABLE (no daemon answered, after attempts for up to 3 s), DEADLINE_EXCEEDED
//   (ClientOptions::call_timeout has passed) and FAILED_PRECONDITION (FORKED). The methods below list what they answer
//   beside that.
// Lifetime: handles and pools keep the connection open. When the last of them is destroyed, the client sends what was
//   submitted and not sent yet, for at most ClientOptions::flush_timeout.
// Example:
//   auto client = Client::Connect();
//   if (!client.ok()) return Fail(client.status());
//   auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
class Client {
 public:
  // Connects to the daemon at ClientOptions::address. Blocks for at most ClientOptions::connect_timeout. Repeating is
  // safe: each call makes a connection of its own.
  // Answers: UNAVAILABLE (no daemon listens there, or no daemon answered in time), FAILED_PRECONDITION (FORKED), or the
  //   daemon's refusal of the connection (TOO_MANY_CONNECTIONS, ANOTHER_USER).
  // Example:
  //   auto client = Client::Connect({.address = "unix:/run/poold/poold.sock", .client_name = "nightly"});
  //   if (!client.ok()) return std::fprintf(stderr, "%s\n", client.status().ToString().c_str()), 1;
  static absl::StatusOr<Client> Connect(ClientOptions options = {});
  // Wraps a connection that exists, a mock for one. REQUIRES: `connection` is not null.
  explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // Opens a pool, or takes the live pool that has the same name and the same spec. Blocks until the workers are ready,
  // for as long as that takes (PoolSpec::start_timeout is the daemon's limit). Repeating is safe: the same spec gives
  // the same pool.
  // Answers: FAILED_PRECONDITION (POOL_FAILED: the workers do not start, with the worker's own words; POOL_NOT_RUNNING:
  //   the pool was closed while it started; EXEC_NOT_ALLOWED; ENVIRONMENT_NOT_ALLOWED), ALREADY_EXISTS (POOL_EXISTS:
  //   the live pool has another spec, or is ending), NOT_FOUND (MODULE_NOT_FOUND, PROGRAM_NOT_FOUND), INVALID_ARGUMENT
  //   (INVALID_FIELD), RESOURCE_EXHAUSTED (TOO_MANY: the daemon has as many pools as it may have), UNAVAILABLE
  //   (SHUTTING_DOWN).
  // Example:
  //   auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
  //   if (!pool.ok()) return Fail(pool.status());
  absl::StatusOr<Pool> OpenPool(const PoolSpec& spec) const;
  // Takes a pool by name, in whatever state it is. Blocks for one call; repeating is safe. NOT_FOUND (POOL_NOT_FOUND):
  // there is no pool of this name.
  absl::StatusOr<Pool> GetPool(std::string_view name) const;
  // Returns the pool "default" of the daemon's configuration without asking the daemon. Where there is none, the
  // handles of its tasks end with NOT_FOUND (POOL_NOT_FOUND).
  Pool Default() const { return Pool(connection_, "default"); }
  // Lists the pools that the daemon shows, ended ones too until their name is opened anew. Blocks for one call;
  // repeating is safe.
  absl::StatusOr<std::vector<PoolInfo>> ListPools() const;

  // Makes a handle from a text that TaskHandle::ToString wrote, here or in another process, or from 32 hexadecimal
  // digits. Does not block; repeating is safe. INVALID_ARGUMENT: the text names no handle, or this client knows the
  // handle as a map. Whether the daemon knows the handle comes through the handle: NOT_FOUND (HANDLE_NOT_FOUND,
  // HANDLE_RELEASED) or UNAVAILABLE (HANDLE_LOST).
  // Example:
  //   auto handle = client->Resume<int>(text_of_yesterday);
  //   if (handle.ok()) std::printf("%d\n", handle->Get().value());
  template <typename T>
  absl::StatusOr<TaskHandle<T>> Resume(std::string_view written) const {
    auto task = connection_->ResumeTask(written);
    if (!task.ok()) return task.status();
    return TaskHandle<T>(*std::move(task));
  }
  // Makes a handle of a map from a text that MapHandle::ToString wrote. `order` is the order in which the handle is
  // walked. Otherwise as Resume.
  template <typename R>
  absl::StatusOr<MapHandle<R>> ResumeMap(std::string_view written, MapOrder order = MapOrder::kInOrder) const {
    auto map = connection_->ResumeMap(written);
    if (!map.ok()) return map.status();
    return MapHandle<R>(*std::move(map), order);
  }

  // Lists the tasks and maps that the daemon knows, in the order of their submission, one page of at most 1000 (unset:
  // 100) entries. Blocks for one call; repeating is safe. NOT_FOUND (POOL_NOT_FOUND); INVALID_ARGUMENT (INVALID_FIELD:
  // the page size or the page token).
  absl::StatusOr<TaskPage> ListTasks(const TaskQuery& query = {}) const;
  // Tells what is known of a handle: the reason why the task waits, and how each attempt ended. Blocks for a flush and
  // one call; repeating is safe. NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED); DEADLINE_EXCEEDED (WAIT_TIMEOUT: the
  // flush was not over in time).
  absl::StatusOr<Explanation> Explain(HandleId id) const;
  // Calls `take` with every event of these handles as the event happens, first with the states as they are, and with
  // the tasks' output if `output`. Calls in this thread. Blocks until `take` returns false (OK) or all handles have
  // ended (OK). REQUIRES: `ids` is not empty. NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED): one id is unknown.
  // UNAVAILABLE: the stream broke; calling again is safe and begins with the states as they are.
  absl::Status Watch(const std::vector<HandleId>& ids, const WatchCallback& take, bool output = true) const;
  // Tells the daemon's version, instance id and limits. Blocks for one call; repeating is safe.
  absl::StatusOr<ServerInfo> GetServerInfo() const;
  // Tells the counters of the daemon and of all pools. Blocks for one call; repeating is safe.
  absl::StatusOr<Stats> GetStats() const;
  // Blocks until the daemon has taken every submission that was sent or waits to be sent, for at most `timeout`. Tasks
  // and items that wait in this client for room in a pool's queue (TaskOptions::wait_when_full) do not count. Repeating
  // is safe. DEADLINE_EXCEEDED (WAIT_TIMEOUT): the daemon has not taken everything yet.
  absl::Status Flush(Duration timeout = kForever) const { return connection_->Flush(timeout); }
  // The connection, for calls that this class does not wrap. Never null.
  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace poold::client
