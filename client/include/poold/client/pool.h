// Pool: where tasks go.
#pragma once

#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/connection.h"
#include "poold/client/internal/map_writer.h"
#include "poold/client/map_handle.h"
#include "poold/client/task_handle.h"

namespace poold::client {

// A pool of worker processes in the daemon, by name.
//
// Purpose: run registered functions by name, one at a time (Submit, Apply) or over many items (Map, StarMap); end the
//   pool (Close, Terminate, Join).
// Performance: a value of two pointers; copy it. Submit encodes the arguments, appends them to the batch that leaves
//   next, and returns; alone, a task leaves at once. It never waits for the daemon, only for room (ClientOptions::
//   max_unsent_bytes) and for the upload of arguments above 512 KiB.
// Thread safety: all of it may be called from any thread.
// Errors: what is submitted answers through its handle, refusals too (POOL_NOT_RUNNING, FUNCTION_NOT_FOUND, QUEUE_FULL
//   ...). The others return the daemon's status with a reason (status.h).
// Lifetime: the pool in the daemon does not end with this value: see PoolScope.
// Example:
//   absl::StatusOr<int> sum = pool.Apply<int>("add", 1, 2);
//   Pool loud = pool.With({.run_timeout = std::chrono::seconds(10), .echo_output = true});
//   loud.Submit<void>("func", "hello");
class Pool {
 public:
  Pool(std::shared_ptr<Connection> connection, std::string name, TaskOptions defaults = {})
      : core_(std::make_shared<const Core>(Core{std::move(connection), std::move(name), std::move(defaults)})) {}

  const std::string& name() const { return core_->name; }
  // The same pool, where every task gets these options.
  Pool With(TaskOptions defaults) const { return Pool(core_->connection, core_->name, std::move(defaults)); }

  // ---- One task ----
  template <typename R, typename... Args>
  TaskHandle<R> Submit(std::string_view function, const Args&... args) const {
    return SubmitWith<R>(core_->defaults, function, args...);
  }
  template <typename R, typename... Args>
  TaskHandle<R> SubmitWith(const TaskOptions& options, std::string_view function, const Args&... args) const {
    return SubmitPayload<R>(options, function, Arguments(args...));
  }
  // Arguments as they are on the wire; with R = Payload, the result too.
  template <typename R = Payload>
  TaskHandle<R> SubmitPayload(const TaskOptions& options, std::string_view function, const Payload& args) const {
    return TaskHandle<R>(
        core_->connection->Submit({core_->name, function, args.encoding, args.type_name, args.data, &options}));
  }
  // Submits and waits.
  template <typename R, typename... Args>
  Result<R> Apply(std::string_view function, const Args&... args) const {
    return Submit<R>(function, args...).Get();
  }
  template <typename R, typename... Args>
  Result<R> ApplyWith(const TaskOptions& options, std::string_view function, const Args&... args) const {
    return SubmitWith<R>(options, function, args...).Get();
  }

  // ---- Many ----
  // function(item) for every item of a range.
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> Map(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    internal::MapWriter writer(core_->connection, core_->name, function, Merged(options));
    for (auto&& item : items) {
      if (!writer.Add(Arguments(Plain(item)))) break;
    }
    return MapHandle<R>(writer.Finish(), options.order);
  }
  // function(get<0>(item), get<1>(item), ...) for every tuple of a range.
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> StarMap(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    internal::MapWriter writer(core_->connection, core_->name, function, Merged(options));
    for (auto&& item : items) {
      if (!writer.Add(std::apply([](const auto&... parts) { return Arguments(parts...); }, item))) break;
    }
    return MapHandle<R>(writer.Finish(), options.order);
  }
  // Items as they are on the wire: all of one encoding.
  template <typename R = Payload>
  MapHandle<R> MapPayloads(std::string_view function, const std::vector<Payload>& items,
                           const MapOptions& options = {}) const {
    return Map<R>(function, items, options);
  }

  // ---- The pool ----
  // As it stands: spec, state, functions, workers, counters.
  absl::StatusOr<v1::Pool> Info() const;
  absl::StatusOr<v1::PoolStats> Stats() const;
  // Other workers: more start at once; of too many, idle ones end first, busy ones after what they run. As it stands
  // then.
  absl::StatusOr<v1::Pool> Resize(std::uint32_t workers) const;
  // Loads the modules anew without a pause. Returns when every worker is a new one; RELOAD_FAILED with the worker's own
  // words when the new ones do not start, and the old ones go on.
  absl::StatusOr<v1::Pool> Reload() const;
  // What happens in this pool, until `take` returns false or the pool is gone. Called in this thread.
  absl::Status Watch(const WatchCallback& take, bool output = false) const;
  // No new work; what is queued finishes (or is cancelled); then the workers exit. How many handles it cancelled.
  absl::StatusOr<std::uint64_t> Close(bool cancel_queued = false) const;
  // Kills the workers (after `grace`, with SIGTERM first); every unfinished handle ends CANCELLED. Returns when all
  // processes are gone: how many ended so.
  absl::StatusOr<std::uint64_t> Terminate(Duration grace = {}) const;
  // Waits until a closed or terminated pool has no process left and all handles of this client have ended.
  // WAIT_TIMEOUT: not yet. FAILED_PRECONDITION (POOL_STILL_RUNNING): close or terminate it first.
  absl::Status Join(Duration timeout = kForever) const;
  // As Executor.shutdown: Close, and with `wait` Join. Twice is fine.
  absl::Status Shutdown(bool wait = true, bool cancel_queued = false) const;

  const std::shared_ptr<Connection>& connection() const { return core_->connection; }

 private:
  struct Core {
    std::shared_ptr<Connection> connection;
    std::string name;
    TaskOptions defaults;
  };
  // The dereferenced item may be a proxy (std::vector<bool>).
  template <typename T>
  static const T& Plain(const T& item) {
    return item;
  }
  static bool Plain(const std::vector<bool>::reference& item) { return item; }
  MapOptions Merged(MapOptions options) const;

  std::shared_ptr<const Core> core_;
};

// What happens to a pool when its scope ends.
enum class AtScopeEnd { kTerminate, kCloseAndJoin };

// Owns a pool: ends it when it goes. Move-only. For pools that nobody else uses.
class PoolScope {
 public:
  explicit PoolScope(Pool pool, AtScopeEnd at_end = AtScopeEnd::kTerminate) : pool_(std::move(pool)), at_end_(at_end) {}
  PoolScope(PoolScope&& other) noexcept : pool_(std::exchange(other.pool_, std::nullopt)), at_end_(other.at_end_) {}
  PoolScope& operator=(PoolScope&&) = delete;
  ~PoolScope();

  const Pool& operator*() const { return *pool_; }
  const Pool* operator->() const { return &*pool_; }

 private:
  std::optional<Pool> pool_;
  AtScopeEnd at_end_;
};

}  // namespace poold::client
