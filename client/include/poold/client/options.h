// Options of clients, pools, tasks and maps, as plain values for designated initializers. Each member has an
// initializer, so that no compiler warns of members that are left out. A member that is not set means the daemon's
// default; poold/v1/*.proto explains every field that travels.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "poold/client/duration.h"
#include "poold/client/handle_id.h"
#include "poold/client/outcome.h"
#include "poold/client/payload.h"

namespace poold::client {

// A number of things. Every whole number converts, and none wraps: a negative number counts as 0, and a number above
// the contract's field counts as the field's largest value. The daemon refuses 0, and numbers above a limit, by name.
class Count {
 public:
  constexpr Count() = default;
  template <std::integral Number>
  constexpr Count(Number number) : value_(number > 0 ? static_cast<std::uint64_t>(number) : 0) {}
  constexpr operator std::uint64_t() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

// Options of a task. poold.v1.TaskOptions explains the fields that travel.
struct TaskOptions {
  // The longest time in the queue until the first attempt starts; then EXPIRED. Unset: no limit.
  std::optional<Duration> queue_timeout = {};
  // The longest run of one attempt; then the worker is stopped, and the attempt ends TIMED_OUT. Unset: no limit.
  std::optional<Duration> run_timeout = {};
  // The longest time from submission to the end, over all attempts; then TIMED_OUT, or EXPIRED if the task never
  // started. Unset: no limit.
  std::optional<Duration> total_timeout = {};
  // How often the task may be started, at least 1. Unset: 1. With more, the function may run more than once.
  std::optional<Count> max_attempts = {};
  // The ends after which the task is tried again: FAILED, CRASHED, TIMED_OUT. Empty: CRASHED only.
  std::vector<TaskState> retry_on = {};
  // The pause before the second attempt; the pause doubles each time, with jitter. Unset: 100 ms.
  std::optional<Duration> retry_delay = {};
  // The longest pause between two attempts. Unset: 30 s.
  std::optional<Duration> max_retry_delay = {};
  // From -100 to 100; higher runs first.
  int priority = 0;
  // The time after the submission before which the task does not start. kForever: the task never starts and can only be
  // cancelled.
  std::optional<Duration> start_delay = {};
  // Runs the task in a worker that has run nothing before and that ends with the task. (Of a map: each chunk.)
  bool fresh = false;
  // The span of a trace that the task belongs to, as W3C Trace Context writes it (traceparent). The function, the
  // daemon's log and every view of the task have it. Empty: none.
  std::string traceparent = {};

  // Writes the task's output to this process's stdout and stderr as the output comes.
  bool echo_output = false;
  // Called with the task's output as the output comes; echo_output may be set too.
  OutputCallback on_output = {};
  // Called with the task's reports of progress; see also TaskHandle::progress and OnProgress.
  ProgressCallback on_progress = {};
  // Brings reports of progress to the handle, also without a callback.
  bool watch_progress = false;
  // When the pool's queue is full: the client submits again by itself, at the time that the daemon says. Until then the
  // task waits in this process and counts towards ClientOptions::max_unsent_bytes. Otherwise the handle ends with
  // RESOURCE_EXHAUSTED (QUEUE_FULL).
  bool wait_when_full = false;
  // A handle of the caller's choice, so that a submission may be repeated safely, also by another process: see
  // Pool::SubmitWith. Unset: the client draws one.
  std::optional<HandleId> id = {};

  // Whether the daemon sends the task's output as the output comes.
  bool streams_output() const { return echo_output || on_output != nullptr; }
  // Whether the daemon sends the task's reports of progress.
  bool streams_progress() const { return watch_progress || on_progress != nullptr; }
};

// The order in which a MapHandle is walked: by index, or as items end.
enum class MapOrder { kInOrder, kAsCompleted };

// Options of a map.
struct MapOptions {
  // Items that are sent to a worker together. Unset: the daemon chooses. 0 is refused (INVALID_ARGUMENT).
  std::optional<Count> chunk_size = {};
  // Ends the map at the first item that does not succeed; the other items are CANCELLED.
  bool fail_fast = false;
  // The order of MapHandle::begin and Read.
  MapOrder order = MapOrder::kInOrder;
  // The longest time from the call of Map to the last result, as Executor.map(timeout). Then a walk ends with
  // MAP_TIMEOUT and items that have not begun are CANCELLED. Unset: no limit.
  std::optional<Duration> timeout = {};
  // MapStream: the most items that are read from the input and not handed out; 0 counts as 1. Unset: 1024.
  std::optional<Count> buffer_size = {};
  // Options of every item. With wait_when_full, Map waits for room in the pool's queue and holds at most some megabytes
  // of items; without, a map that does not fit ends with RESOURCE_EXHAUSTED. (MapStream always waits.)
  TaskOptions task = {};
};

// When a wait for several handles is over.
enum class WaitMode {
  // Every handle is done.
  kAllCompleted,
  // At least one handle is done.
  kFirstCompleted,
  // At least one handle ended otherwise than SUCCEEDED, or every handle is done.
  kFirstException,
};

// How a worker process comes to be. Every enumerator of this file has the number of the contract's.
enum class StartMethod {
  // kFork.
  kUnspecified = 0,
  // Cloned from the prepared zygote.
  kFork = 1,
  // Started afresh.
  kSpawn = 2,
  // A process for every task, cloned from the prepared zygote.
  kFresh = 3,
};

// The fate of a pool whose owner, the client that opened the pool, has had no session for ServerLimits.owner_grace.
enum class OwnerLost {
  // kKeep.
  kUnspecified = 0,
  // The pool lives on: it belongs to everybody.
  kKeep = 1,
  // The pool is closed.
  kClose = 2,
  // The pool is terminated.
  kTerminate = 3,
};

// The meaning of a worker's death for its pool.
enum class DeathPolicy {
  // kResilient.
  kUnspecified = 0,
  // The death costs the task that ran.
  kResilient = 1,
  // The death breaks the pool, as it does a ProcessPoolExecutor: every unfinished handle ends CANCELLED, and later
  // submissions are refused (POOL_BROKEN).
  kStrict = 2,
};

// What the kernel limits for a process: setrlimit(2).
enum class ResourceKind {
  kUnspecified = 0,
  // Bytes of address space. An allocation beyond that fails.
  kAddressSpaceBytes = 1,
  // Seconds of processor time over the worker's whole life; then SIGXCPU.
  kCpuSeconds = 2,
  // Bytes of one file; writing more is SIGXFSZ.
  kFileSizeBytes = 3,
  // Open file descriptors.
  kOpenFiles = 4,
  // Processes of the daemon's user, all together.
  kProcesses = 5,
  // Bytes of a core dump; 0: none.
  kCoreBytes = 6,
  // Bytes of the stack.
  kStackBytes = 7,
};

// The contract's word without its prefix: "FORK", "TERMINATE", "STRICT", "OPEN_FILES". "UNKNOWN": the number of a newer
// daemon.
std::string_view ToString(StartMethod method);
std::string_view ToString(OwnerLost lost);
std::string_view ToString(DeathPolicy policy);
std::string_view ToString(ResourceKind kind);

// The description of a pool. poold.v1.PoolSpec explains every field.
struct PoolSpec {
  // 1 to 64 letters, digits, '-', '_' or '.'.
  std::string name = {};
  // Worker processes. Unset: one for each CPU that the daemon may use.
  std::optional<Count> workers = {};
  // Task modules by name, from the folders of the daemon's configuration.
  std::vector<std::string> modules = {};
  // The worker program by name, from the folders of the daemon's configuration. Empty: pool-worker.
  std::string program = {};
  // How workers start.
  StartMethod start_method = StartMethod::kFork;
  // Functions without arguments that run once in the zygote before workers are cloned (with kSpawn: in every worker).
  std::vector<std::string> preload = {};
  // A function that runs once in every new worker before its first task.
  std::string initializer = {};
  // The initializer's arguments, made by Arguments(1, "two").
  std::optional<Payload> initializer_args = {};
  // A worker is replaced after this many tasks; a chunk of a map counts as one. Unset: never.
  std::optional<Count> max_tasks_per_worker = {};
  // The most tasks and items in the queue; more are refused (QUEUE_FULL). Unset: the daemon's limit.
  std::optional<Count> max_queued_tasks = {};
  // The most bytes of arguments in the queue. Unset: the daemon's limit.
  std::optional<Count> max_queued_bytes = {};
  // The time between SIGTERM and SIGKILL when a task is stopped. Unset: 2 s. Zero: SIGKILL at once.
  std::optional<Duration> stop_grace = {};
  // The longest time that loading, the preload and each worker's start may take. Unset: the daemon's configuration.
  std::optional<Duration> start_timeout = {};
  // Variables that are added to the workers' environment. Names that load code are refused (ENVIRONMENT_NOT_ALLOWED).
  std::map<std::string, std::string> environment = {};
  // The folder where workers start. Empty: "/".
  std::string working_directory = {};
  // Added to the workers' nice value, 0 to 19.
  std::uint32_t nice = 0;
  // A worker with more resident memory is replaced when its task ends. Unset: no limit.
  std::optional<Count> max_worker_rss_bytes = {};
  // An older worker is replaced when its task ends. Unset: no limit.
  std::optional<Duration> max_worker_age = {};
  // A worker with more resident memory is killed: its task ends CRASHED with KILLED_BY_MEMORY_LIMIT. Unset: no limit.
  std::optional<Count> memory_limit_bytes = {};
  // Limits of each worker by setrlimit(2), as in {{ResourceKind::kOpenFiles, 64}}.
  std::map<ResourceKind, std::uint64_t> resource_limits = {};
  // The client that opens a pool with another value than kKeep owns the pool.
  OwnerLost on_owner_lost = OwnerLost::kKeep;
  // Whether the death of a worker breaks the pool.
  DeathPolicy death_policy = DeathPolicy::kResilient;
  // Processes that are kept ready beside `workers`, with StartMethod::kFresh. Unset: as many as workers.
  std::optional<Count> spares = {};
  // The pool has the built-in function "exec", where the daemon's configuration allows that (otherwise
  // EXEC_NOT_ALLOWED).
  bool allow_exec = false;

  friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

// The behaviour of Submit while ClientOptions::max_unsent_bytes wait to be sent (the daemon takes nothing, or is away).
enum class OnFull {
  // Submit blocks until there is room.
  kBlock,
  // The handle ends with RESOURCE_EXHAUSTED (CLIENT_FULL).
  kFail,
};

// Options of a client.
struct ClientOptions {
  // "unix:/run/poold/poold.sock" or "127.0.0.1:7070". Empty: $POOLD_ADDRESS, or else the default socket.
  std::string address = {};
  // The client's name in the daemon's log and lists. Empty: the program's name.
  std::string client_name = {};
  // The longest time that Connect takes. Where nothing listens Connect fails at once, unless wait_for_daemon is set.
  Duration connect_timeout = std::chrono::seconds(5);
  // Connect also waits for a daemon that is not there yet.
  bool wait_for_daemon = false;
  // The longest time that a call takes beside what the call waits for.
  Duration call_timeout = std::chrono::seconds(30);
  // Uses gRPC for everything. Otherwise a client on the daemon's host speaks with the daemon through a plain socket
  // where that is possible: the same messages, in less time.
  bool only_grpc = false;
  // A limit, in bytes, of submissions that wait to be sent or acknowledged, and another of the same size for
  // submissions that wait for room in a pool's queue.
  std::uint64_t max_unsent_bytes = 64ull << 20;
  // The behaviour of Submit when there is no room below max_unsent_bytes.
  OnFull on_full = OnFull::kBlock;
  // The longest time that the end of the last Client or handle takes to send what is not sent yet.
  Duration flush_timeout = std::chrono::seconds(1);
  // Called on the callback thread when the daemon went away (with the reason) and when the daemon answers again (OK).
  // In between the client tries to reconnect without an end.
  std::function<void(const absl::Status&)> on_connection = {};
};

}  // namespace poold::client
