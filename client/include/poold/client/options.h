// What can be asked for, as plain values made for designated initializers (no compiler warns of what is left out: each
// member has an initializer). What is not set means "as the daemon does by default"; poold/v1/*.proto explains every
// field that travels.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "poold/client/handle_id.h"
#include "poold/client/payload.h"
#include "poold/v1/pool.pb.h"
#include "poold/v1/task.pb.h"

namespace poold::client {

// A span of time. Every std::chrono duration becomes one, and none wraps: what is longer than 292 years (also infinity)
// is kForever, what is as far below zero, or NaN, is as negative as can be. A negative timeout has passed; as an option
// of a task or pool it is refused by name.
class Duration : public std::chrono::nanoseconds {
  using Nanos = std::chrono::nanoseconds;

 public:
  constexpr Duration() : Nanos(0) {}
  constexpr explicit Duration(std::int64_t nanos) : Nanos(nanos) {}
  template <typename Rep, typename Period>
  constexpr Duration(std::chrono::duration<Rep, Period> other) : Nanos(Bounded(other)) {}

  static constexpr Duration zero() { return Duration(); }
  static constexpr Duration max() { return Duration(Nanos::max().count()); }
  static constexpr Duration min() { return Duration(Nanos::min().count()); }

 private:
  template <typename Rep, typename Period>
  static constexpr Nanos Bounded(std::chrono::duration<Rep, Period> other) {
    const std::chrono::duration<long double, std::nano> nanos = other;
    if (nanos >= Nanos::max()) return Nanos::max();
    if (nanos > Nanos::min()) return std::chrono::duration_cast<Nanos>(other);
    return Nanos::min();
  }
};

// How many. Every whole number becomes one, and none wraps: a negative one counts as 0. What is more than the contract
// has room for is as much as it has room for. (So 0, or a negative number, is refused by name where it makes no sense,
// and too many where there is a limit.)
class Count {
 public:
  constexpr Count() = default;
  template <std::integral Number>
  constexpr Count(Number number) : value_(number > 0 ? static_cast<std::uint64_t>(number) : 0) {}
  constexpr operator std::uint64_t() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

using TaskState = v1::TaskState;

// As a timeout: as long as it takes.
inline constexpr Duration kForever = Duration::max();

// Something that a task wrote. The text is valid during the call.
struct Output {
  HandleId id = {};
  v1::OutputStream stream = v1::OUTPUT_STREAM_STDOUT;
  std::string_view text = {};
};

// Called as it comes, in order, all of it before the task's outcome is visible, on whichever thread reads the stream:
// be quick, and do not wait for handles in it (such a Get answers FAILED_PRECONDITION).
using OutputCallback = std::function<void(const Output&)>;

// What a running task says of how far it is. The text is valid during the call.
struct Progress {
  HandleId id = {};
  // Of a map: the item that says so.
  std::uint64_t index = 0;
  // Done, from 0 to 1; negative: it cannot tell.
  double fraction = -1;
  std::string_view text = {};
};

// As OutputCallback. Only the latest of each task is certain to come.
using ProgressCallback = std::function<void(const Progress&)>;

// What can be asked of a task. See poold.v1.TaskOptions.
struct TaskOptions {
  std::optional<Duration> queue_timeout = {};
  std::optional<Duration> run_timeout = {};
  std::optional<Duration> total_timeout = {};
  std::optional<Count> max_attempts = {};
  std::vector<TaskState> retry_on = {};
  std::optional<Duration> retry_delay = {};
  std::optional<Duration> max_retry_delay = {};
  int priority = 0;
  // kForever: it is never started, only cancelled.
  std::optional<Duration> start_delay = {};
  // Run it in a worker that has run nothing before, and that ends with it. (Of a map: each chunk.)
  bool fresh = false;

  // Print what the task prints to this process's stdout and stderr, as it comes.
  bool echo_output = false;
  // Or take it.
  OutputCallback on_output = {};
  // Take what it reports of its progress: see also TaskHandle::progress and OnProgress.
  ProgressCallback on_progress = {};
  // Bring the progress to the handle, also without a callback.
  bool watch_progress = false;
  // When the pool's queue is full: try again by itself, as the daemon says. What waits is held here, up to
  // ClientOptions::max_unsent_bytes. Otherwise the handle ends with RESOURCE_EXHAUSTED.
  bool wait_when_full = false;
  // A handle of the caller's own choice, so that a submission may be repeated safely, also by another process.
  std::optional<HandleId> id = {};

  bool streams_output() const { return echo_output || on_output != nullptr; }
  bool streams_progress() const { return watch_progress || on_progress != nullptr; }
};

// In which order a MapHandle is walked.
enum class MapOrder { kInOrder, kAsCompleted };

struct MapOptions {
  // Items sent to a worker together; unset: the daemon chooses. 0 is INVALID_ARGUMENT.
  std::optional<Count> chunk_size = {};
  // End the map at the first item that does not succeed; the rest is CANCELLED.
  bool fail_fast = false;
  MapOrder order = MapOrder::kInOrder;
  // As Executor.map(timeout): the longest that the results may take, from the call of Map; what is left then is
  // CANCELLED and the walk ends with MAP_TIMEOUT. Unset: for ever.
  std::optional<Duration> timeout = {};
  // Of MapStream: how many items may be read from the input and not handed out yet; 0 counts as 1. Unset: 1024.
  std::optional<Count> buffer_size = {};
  // Of every item. With wait_when_full, Map waits for room in the pool's queue, holding some megabytes of items;
  // without it a map that does not fit ends with RESOURCE_EXHAUSTED. (MapStream always waits.)
  TaskOptions task = {};
};

// kFresh: a process of its own for every task, cloned from the prepared zygote.
enum class StartMethod { kFork, kSpawn, kFresh };

// What happens to a pool when the client that opened it is gone (without a session for ServerLimits.owner_grace).
enum class OwnerLost { kKeep, kClose, kTerminate };

// What the death of a worker means for its pool. kStrict: it breaks the pool, as it does a ProcessPoolExecutor: every
// unfinished handle ends CANCELLED, what comes later is refused (POOL_BROKEN).
enum class DeathPolicy { kResilient, kStrict };

// What a pool is to be. See poold.v1.PoolSpec.
struct PoolSpec {
  std::string name = {};
  std::optional<Count> workers = {};
  std::vector<std::string> modules = {};
  std::string program = {};
  StartMethod start_method = StartMethod::kFork;
  std::vector<std::string> preload = {};
  std::string initializer = {};
  // Made by Arguments(1, "two").
  std::optional<Payload> initializer_args = {};
  std::optional<Count> max_tasks_per_worker = {};
  std::optional<Count> max_queued_tasks = {};
  std::optional<Count> max_queued_bytes = {};
  std::optional<Duration> stop_grace = {};
  // How long loading, the preload and each worker's start may take. {}: as the daemon is configured.
  std::optional<Duration> start_timeout = {};
  std::map<std::string, std::string> environment = {};
  std::string working_directory = {};
  std::uint32_t nice = 0;
  // Replace a worker that is larger or older than this when its present task ends.
  std::optional<Count> max_worker_rss_bytes = {};
  std::optional<Duration> max_worker_age = {};
  // Kill a worker that becomes larger than this: its task ends CRASHED with KILLED_BY_MEMORY_LIMIT.
  std::optional<Count> memory_limit_bytes = {};
  // setrlimit(2) of each worker: {{v1::RESOURCE_KIND_OPEN_FILES, 64}}.
  std::map<v1::ResourceKind, std::uint64_t> resource_limits = {};
  // Who opens a pool with another value than kKeep owns it.
  OwnerLost on_owner_lost = OwnerLost::kKeep;
  DeathPolicy death_policy = DeathPolicy::kResilient;
  // Processes kept ready beside `workers`, with StartMethod::kFresh.
  std::optional<Count> spares = {};
  // The pool has the built-in function "exec", where the daemon's configuration allows it.
  bool allow_exec = false;
};

// What Submit does when ClientOptions::max_unsent_bytes wait to be sent (a daemon that takes nothing, or is away).
enum class OnFull {
  kBlock,  // wait for room
  kFail,   // the handle ends with RESOURCE_EXHAUSTED (CLIENT_FULL)
};

struct ClientOptions {
  // "unix:/run/poold/poold.sock" or "127.0.0.1:7070". Empty: $POOLD_ADDRESS, else the default socket.
  std::string address = {};
  // For the daemon's log.
  std::string client_name = {};
  // How long Connect may take. Where nothing listens it fails at once, unless wait_for_daemon says otherwise.
  Duration connect_timeout = std::chrono::seconds(5);
  // Wait also for a daemon that is still to come.
  bool wait_for_daemon = false;
  // The longest that a call which does not wait for anything may take.
  Duration call_timeout = std::chrono::seconds(30);
  // Use gRPC for everything. Otherwise a client on the daemon's host speaks with it through its payload socket where it
  // can: the same messages, in less time.
  bool only_grpc = false;
  std::uint64_t max_unsent_bytes = 64ull << 20;
  OnFull on_full = OnFull::kBlock;
  // How long the last copy of a Client (or of a handle) stays when it goes, to send what is not sent yet.
  Duration flush_timeout = std::chrono::seconds(1);
  // Called when the daemon went away (with the reason), and when it answers again (OK), on the thread of callbacks.
  // Meanwhile the client tries again by itself, without an end.
  std::function<void(const absl::Status&)> on_connection = {};
};

}  // namespace poold::client
