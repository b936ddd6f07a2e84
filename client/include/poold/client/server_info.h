// ServerInfo and Stats: the daemon, its limits and its counters. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/duration.h"
#include "poold/client/pool_info.h"

namespace poold::client {

// Every bound that a client can meet; poold/v1/server_info.proto explains what happens at each.
struct ServerLimits {
  // The largest message that the daemon takes.
  std::uint64_t max_message_bytes = 0;
  // Results up to here come with the outcome.
  std::uint64_t max_inline_result_bytes = 0;
  // The largest arguments or result of one task.
  std::uint64_t max_payload_bytes = 0;
  // Room for outcomes that nobody released.
  std::uint64_t max_kept_outcome_bytes = 0;
  // The time for which an outcome is kept when nobody releases it and its room is not wanted.
  Duration outcome_ttl = {};
  // Ids of released tasks that are remembered, so that a repeated submission is not run again.
  std::uint64_t remembered_ids = 0;
  // The longest wait of one call.
  Duration max_wait = {};
  std::uint32_t max_pools = 0;
  std::uint32_t max_workers_per_pool = 0;
  // Of stdout and of stderr, each.
  std::uint32_t output_tail_bytes = 0;
  // Requests that a session may have under way.
  std::uint32_t session_window = 0;
  // The time after which an upload that no submission took is dropped.
  Duration upload_ttl = {};
  // Tasks, items or handles in one call or request.
  std::uint32_t max_items_per_call = 0;
  // The time for which a pool's owner may be without a session.
  Duration owner_grace = {};
  // Room for payloads on disk.
  std::uint64_t max_spool_bytes = 0;
  // Room for payloads in shared memory.
  std::uint64_t max_shared_memory_bytes = 0;
  // Memory for tasks and maps that have not ended, of all pools.
  std::uint64_t max_task_bytes = 0;
  // Memory for arguments that lie in no file, of all pools.
  std::uint64_t max_argument_bytes = 0;
  // Messages, entries of lists and unknown fields in one request, together.
  std::uint64_t max_message_parts = 0;
  // The time that a zygote or a worker may take to start, in pools whose spec does not say.
  Duration start_timeout = {};

  friend bool operator==(const ServerLimits&, const ServerLimits&) = default;
};

// A part of the memory that the daemon takes for what clients send and have not fetched yet.
struct MemoryPart {
  // For people: "tasks", "arguments", "kept outcomes", ...
  std::string name = {};
  std::uint64_t used_bytes = 0;
  std::uint64_t max_bytes = 0;

  friend bool operator==(const MemoryPart&, const MemoryPart&) = default;
};

// The daemon's memory for what clients send and have not fetched yet. The parts' bounds never add up to more.
struct MemoryBudget {
  std::uint64_t budget_bytes = 0;
  std::vector<MemoryPart> parts = {};

  friend bool operator==(const MemoryBudget&, const MemoryBudget&) = default;
};

// How the daemon makes sure that a worker's whole process tree dies with it.
enum class Containment {
  kUnspecified = 0,
  // A cgroup (v2) for every worker.
  kCgroup = 1,
  // A PID namespace for every pool.
  kPidNamespace = 2,
  // Orphans come back to the daemon and are killed. After kill -9 of the daemon, processes that left their session
  // survive.
  kSubreaper = 3,
};

// The contract's word without its prefix: "CGROUP". "UNKNOWN": the number of a newer daemon.
std::string_view ToString(Containment containment);

// What a client may want to know of the daemon before it relies on it.
struct ServerInfo {
  // Changes with every start of the daemon. A handle belongs to one instance.
  std::string instance_id = {};
  // The daemon's version, as its --version tells it, and the contract's ("poold.v1").
  std::string version = {};
  std::string api_version = {};
  ServerLimits limits = {};
  Containment containment = Containment::kUnspecified;
  // Why containment is not a better one. Empty: there is none, or nothing to say.
  std::string containment_note = {};
  std::optional<WallTime> started_at = {};
  // The daemon's process.
  std::int64_t pid = 0;
  // Pools may have PoolSpec::allow_exec.
  bool exec_allowed = false;
  // The path of the socket for clients on the same host (poold/v1/payload_socket.md). Empty: not offered.
  std::string payload_socket = {};
  // The number of shards that pools are divided among.
  std::uint32_t shards = 0;
  // Unset: the daemon did not tell.
  std::optional<MemoryBudget> memory = {};

  friend bool operator==(const ServerInfo&, const ServerInfo&) = default;
};

// A client of which nothing more is started until it releases outcomes: ServerLimits::max_kept_outcome_bytes.
struct HeldUpClient {
  // As TaskInfo::client.
  std::string client = {};
  // The user and the process of its latest session. Unset: not known.
  std::optional<std::int64_t> uid = {};
  std::optional<std::int64_t> pid = {};
  // As the daemon's log counts connections; 0: not known.
  std::uint64_t connection = 0;
  std::uint64_t kept_outcome_bytes = 0;

  friend bool operator==(const HeldUpClient&, const HeldUpClient&) = default;
};

// Counters of the daemon and of its pools.
struct Stats {
  // By the pool's name.
  std::map<std::string, PoolStats> pools = {};
  // Sessions that are open.
  std::uint64_t sessions = 0;
  // Bytes of outcomes that nobody released yet.
  std::uint64_t kept_outcome_bytes = 0;
  // Resident memory and processor time of the daemon's process.
  std::uint64_t rss_bytes = 0;
  Duration cpu_time = {};
  // How often the tables of tasks and workers were locked since the start: once for each batch of whatever came.
  std::uint64_t core_entries = 0;
  // Bytes of payloads in shared memory, with the arenas for more of them.
  std::uint64_t shared_memory_bytes = 0;
  // Bytes of payloads on disk.
  std::uint64_t spool_bytes = 0;
  // Once for each shard in which a client is held up.
  std::vector<HeldUpClient> held_up_clients = {};
  // Lines of the log that were dropped since the start, because nobody read the daemon's stderr in time.
  std::uint64_t dropped_log_lines = 0;

  friend bool operator==(const Stats&, const Stats&) = default;
};

}  // namespace poold::client
