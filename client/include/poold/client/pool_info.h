// PoolInfo: a pool as it stands. Plain values; every enumerator has the number of the contract's (poold/v1/pool.proto,
// which also draws the life of a pool).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/duration.h"
#include "poold/client/handle_id.h"
#include "poold/client/options.h"

namespace poold::client {

// The life of a pool.
enum class PoolState {
  kUnspecified = 0,
  // The first workers start.
  kStarting = 1,
  // Takes tasks.
  kRunning = 2,
  // Takes nothing new and finishes what it has.
  kClosing = 3,
  // Closed, and the last worker is gone.
  kClosed = 4,
  // Its processes are being killed.
  kTerminating = 5,
  // Terminated, and the last process is gone.
  kTerminated = 6,
  // The workers cannot start, or a worker of a strict pool died: PoolInfo::failure.
  kFailed = 7,
};

// What a worker does now.
enum class WorkerState {
  kUnspecified = 0,
  // Loads, or runs the initializer.
  kStarting = 1,
  kIdle = 2,
  kBusy = 3,
  // Takes nothing new and finishes what it has.
  kStopping = 4,
};

// The contract's word without its prefix: "RUNNING", "IDLE". "UNKNOWN": the number of a newer daemon.
std::string_view ToString(PoolState state);
std::string_view ToString(WorkerState state);

// One worker process.
struct WorkerInfo {
  std::uint64_t id = 0;
  // 0: not known yet.
  std::int64_t pid = 0;
  WorkerState state = WorkerState::kUnspecified;
  // The start of the pool's prepared state that the worker was cloned from, counted from 1.
  std::uint32_t generation = 0;
  std::optional<WallTime> started_at = {};
  // Tasks that it has finished; a chunk of a map counts as one.
  std::uint64_t tasks_done = 0;
  // The function that runs now; empty unless the worker is busy.
  std::string function = {};
  // The task or map that runs now; all zeros unless the worker is busy.
  HandleId running = {};
  // Resident memory when it was last looked at, without shared memory for payloads; 0: not looked at.
  std::uint64_t rss_bytes = 0;

  friend bool operator==(const WorkerInfo&, const WorkerInfo&) = default;
};

// What a pool knows of one function.
struct FunctionState {
  std::string name = {};
  // Calls that came back.
  std::uint64_t calls = 0;
  // The time of a call on average, of late.
  Duration average_time = {};
  // Workers that died under it since a call last came back. Deaths that a time limit, a cancel, a terminate or an
  // outsider caused do not count.
  std::uint32_t deaths_in_a_row = 0;
  // The time for which its circuit breaker stays open: its tasks wait until then. Zero: the breaker is closed.
  Duration breaker_open_for = {};

  friend bool operator==(const FunctionState&, const FunctionState&) = default;
};

// What a worker says of one of its functions, for people.
struct FunctionInfo {
  std::string name = {};
  // Each argument in the words of the worker's language: a type ("int64", "array of string", a message's full name), or
  // the name of a parameter where the language has no types ("a", "b=1", "*rest").
  std::vector<std::string> arguments = {};
  // The result in the same words; "nothing": none. Empty: not told.
  std::string result = {};
  // One line.
  std::string help = {};

  friend bool operator==(const FunctionInfo&, const FunctionInfo&) = default;
};

// Counters of one pool since it was opened. Tasks are tasks and items of maps.
struct PoolStats {
  // Tasks that wait, and tasks that run.
  std::uint64_t queued = 0;
  std::uint64_t running = 0;
  // Bytes of the arguments of tasks that wait.
  std::uint64_t queued_bytes = 0;
  // Tasks that were submitted, and those that ended, by how.
  std::uint64_t submitted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t crashed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  // Attempts after the first.
  std::uint64_t retried = 0;
  // Results of old attempts that came too late.
  std::uint64_t dropped_results = 0;
  // Workers that were started, and those that were lost.
  std::uint64_t workers_started = 0;
  std::uint64_t workers_lost = 0;
  // Tasks taken back from one worker to be run by another.
  std::uint64_t retracted = 0;
  // Outcomes that nobody released yet, and their bytes.
  std::uint64_t kept_outcomes = 0;
  std::uint64_t kept_outcome_bytes = 0;
  // Workers replaced because of max_tasks_per_worker, max_worker_rss_bytes or max_worker_age.
  std::uint64_t recycled = 0;
  // Reloads that took over, and those that were rolled back.
  std::uint64_t reloads = 0;
  std::uint64_t rollbacks = 0;
  // Handles that were forgotten before ServerLimits::outcome_ttl, because the room for their outcomes was wanted.
  std::uint64_t dropped_outcomes = 0;

  friend bool operator==(const PoolStats&, const PoolStats&) = default;
};

// A pool as it stands.
struct PoolInfo {
  PoolSpec spec = {};
  PoolState state = PoolState::kUnspecified;
  // Set with kFailed: the worker's own words.
  std::string failure = {};
  // The functions that its workers registered; empty while it starts. In a list of many pools some may be missing.
  std::vector<std::string> functions = {};
  std::vector<WorkerInfo> workers = {};
  PoolStats stats = {};
  // The start of its prepared state that new workers come from, counted from 1. A Reload makes a new one.
  std::uint32_t generation = 0;
  // A Reload is under way.
  bool reloading = false;
  // Why the latest Reload was rolled back. Empty: it took over.
  std::string reload_failure = {};
  // The functions that were called.
  std::vector<FunctionState> function_states = {};
  // The shard of the daemon that the pool lies in, counted from 1; 0: the daemon has only one.
  std::uint32_t shard = 0;
  // Why missing workers did not start the last time; they are tried again. Empty: nothing failed since a worker last
  // became ready.
  std::string start_failure = {};
  // The number of functions, also where `functions` lacks some.
  std::uint32_t function_count = 0;

  friend bool operator==(const PoolInfo&, const PoolInfo&) = default;
};

// A pool with what its workers say of their functions.
struct PoolDescription {
  PoolInfo pool = {};
  std::vector<FunctionInfo> functions = {};

  friend bool operator==(const PoolDescription&, const PoolDescription&) = default;
};

}  // namespace poold::client
