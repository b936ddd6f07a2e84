#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "poold/client.h"
#include "private_daemon.h"

namespace poold::bench {

// A daemon that nobody has used yet, and a client of it.
struct Stage {
  std::unique_ptr<PrivateDaemon> daemon;
  std::optional<client::Client> client;

  static absl::StatusOr<Stage> Set(const std::vector<std::string>& daemon_options = {});

  // A pool with the module `testing` where `spec` names none, and what else it says.
  absl::StatusOr<client::PoolScope> OpenPool(client::PoolSpec spec) const;
  pid_t pid() const { return daemon->pid(); }
};

// Returns when so many workers of `pool` could run a task.
absl::Status AwaitWorkers(const client::Pool& pool, std::uint32_t count);

// So many connections of clients that do nothing until they are told to (raw_sessions.h), spread over at most four
// processes. Returns when the daemon has greeted all of them. They end with what is returned.
absl::StatusOr<std::vector<Child>> Connect(const Stage& stage, const std::string& pool, std::uint64_t connections);

// Runs so many no-op tasks on each of these connections.
absl::Status RunTasks(std::vector<Child>& holders, std::uint64_t tasks_each);

// Tasks that keep all workers of `pool` from everything else, until the pool is terminated. Returns when they run.
absl::StatusOr<std::vector<client::TaskHandle<void>>> Block(const client::Pool& pool, std::uint32_t workers);

}  // namespace poold::bench
