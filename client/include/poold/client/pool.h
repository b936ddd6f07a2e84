// Pool: where tasks go.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "poold/client/codec.h"
#include "poold/client/connection.h"
#include "poold/client/internal/argument_pieces.h"
#include "poold/client/internal/columns.h"
#include "poold/client/map_handle.h"
#include "poold/client/map_stream.h"
#include "poold/client/task_handle.h"

namespace poold::client {

// A pool of worker processes in the daemon, by name.
//
// Purpose: run registered functions by name, one at a time (Submit, Apply) or over many items (Map, StarMap); end the
//   pool (Close, Terminate, Join).
// Performance: a value of two pointers; copy it. Submit encodes the arguments, appends them to the batch that leaves
//   next, and returns; alone, a task leaves at once. It never waits for the daemon, only for room (ClientOptions::
//   max_unsent_bytes) and for the upload of arguments above 512 KiB. On the daemon's host those from 32 KiB on
//   are handed over in shared memory: for the time of a copy.
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
    // What is large is not copied before it is on its way.
    try {
      if constexpr (sizeof...(Args) == 1 && (internal::kIsRaw<Args> && ...)) {
        return SubmitRaw<R>(options, function, args.data...);
      } else if constexpr ((internal::kIsTextOrBytes<Args> || ...)) {
        if ((!internal::LargeTextOf(args).empty() || ...)) {
          return SubmitPieces<R>(options, function, internal::ArgumentPieces(args...));
        }
      }
      return SubmitPayload<R>(options, function, Arguments(args...));
    } catch (const codec::TooLong& why) {
      return TaskHandle<R>(internal::RefuseTooLong(function, why.what()));
    }
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
  // function(item) for every item of a range. All items are sent before this returns; an input that throws ends them,
  // and what it threw is the outcome of the item that would have been next.
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> Map(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Send<R>(function, options, internal::PacksOf(internal::SideBySide<Items&>(items)));
  }
  // function(x, y, ...) for the items of several ranges side by side; the shortest ends it, as in Python.
  template <typename R, std::ranges::input_range First, std::ranges::input_range... More>
  requires(sizeof...(More) > 0) MapHandle<R> Map(std::string_view function, First&& first, More&&... more)
  const { return Send<R>(function, {}, internal::PacksOf(internal::SideBySide<First&, More&...>(first, more...))); }
  template <typename R, std::ranges::input_range... Columns>
  requires(sizeof...(Columns) > 0) MapHandle<R> MapWith(const MapOptions& options, std::string_view function,
                                                        Columns&&... columns)
  const { return Send<R>(function, options, internal::PacksOf(internal::SideBySide<Columns&...>(columns...))); }
  // function(get<0>(item), get<1>(item), ...) for every tuple of a range.
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> StarMap(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Send<R>(function, options, internal::PacksOf(internal::Tuples<Items&>(items)));
  }
  // Over an input that is long, slow or endless: a range, or a function that returns std::optional<T> (or
  // absl::StatusOr<std::optional<T>>), nothing at the end. See map_stream.h.
  template <typename R, std::ranges::input_range Items>
  client::MapStream<R> MapStream(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::SourceOf(internal::SideBySide<Items>(std::forward<Items>(items))));
  }
  template <typename R, std::invocable Generator>
  client::MapStream<R> MapStream(std::string_view function, Generator generator, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::GeneratorSourceOf(std::move(generator)));
  }
  template <typename R, std::ranges::input_range... Columns>
  requires(sizeof...(Columns) > 0) client::MapStream<R> MapStreamWith(const MapOptions& options,
                                                                      std::string_view function, Columns&&... columns)
  const {
    return Stream<R>(function, options,
                     internal::SourceOf(internal::SideBySide<Columns...>(std::forward<Columns>(columns)...)));
  }
  template <typename R, std::ranges::input_range Items>
  client::MapStream<R> StarMapStream(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::SourceOf(internal::Tuples<Items>(std::forward<Items>(items))));
  }
  // Items as they are on the wire, from a source that may also say that it has none for now.
  template <typename R = Payload>
  client::MapStream<R> MapStreamFrom(std::string_view function, MapSource source,
                                     const MapOptions& options = {}) const {
    return Stream<R>(function, options, std::move(source));
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
  absl::StatusOr<v1::Pool> Resize(Count workers) const;
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
  template <typename R>
  TaskHandle<R> SubmitRaw(const TaskOptions& options, std::string_view function, std::string_view bytes) const {
    return TaskHandle<R>(core_->connection->Submit({core_->name, function, v1::ENCODING_RAW, "", bytes, &options}));
  }
  template <typename R>
  TaskHandle<R> SubmitPieces(const TaskOptions& options, std::string_view function,
                             const internal::ArgumentPieces& args) const {
    return TaskHandle<R>(
        core_->connection->SubmitPieces({core_->name, function, v1::ENCODING_MSGPACK, "", {}, &options}, args.All()));
  }
  struct Core {
    std::shared_ptr<Connection> connection;
    std::string name;
    TaskOptions defaults;
  };
  template <typename R>
  MapHandle<R> Send(std::string_view function, const MapOptions& options, const internal::PackSource& source) const {
    const Duration whole = options.timeout.value_or(kForever);
    const internal::Deadline deadline(whole);
    return MapHandle<R>(internal::SendAll(*core_->connection, core_->name, function, Merged(options), source),
                        options.order, deadline.left());
  }
  template <typename R>
  client::MapStream<R> Stream(std::string_view function, const MapOptions& options, MapSource source) const {
    return client::MapStream<R>(std::make_unique<internal::StreamFeed>(
        core_->connection, core_->name, std::string(function), Merged(options), std::move(source)));
  }
  MapOptions Merged(MapOptions options) const;

  std::shared_ptr<const Core> core_;
};

// What happens to a pool when its scope ends: kTerminate as `with Pool()` in Python, kCloseAndJoin as `with
// ProcessPoolExecutor()`.
enum class AtScopeEnd { kTerminate, kCloseAndJoin };

// Purpose: owns a pool that it made: ends it when it goes. Move-only. For pools that nobody else uses.
// Performance: its end waits until the pool's processes are gone (kTerminate), or its work is done (kCloseAndJoin).
// Thread safety: none. Errors: what goes wrong at the end is told by nobody; call Shutdown or Terminate to know.
// Example:
//   auto scope = PoolScope::Open(client, {.name = "mine", .modules = {"examples"}});
//   (*scope)->Submit<int>("square", 7);
class PoolScope {
 public:
  // Makes a pool. ALREADY_EXISTS (POOL_EXISTS): a live one has this name, whoever made it, with whatever spec; it stays
  // as it is. Give each copy of a program a name of its own, or share a pool with Client::OpenPool. Where the spec does
  // not say otherwise, the pool is also terminated when this program dies before the scope ends
  // (OwnerLost::kTerminate).
  static absl::StatusOr<PoolScope> Open(const class Client& client, PoolSpec spec,
                                        AtScopeEnd at_end = AtScopeEnd::kTerminate);
  // Takes over a pool that its caller made.
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
