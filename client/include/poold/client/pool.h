// Pool: submissions to a pool, and the pool's end.
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
// Purpose: a Pool runs registered functions by name, one task at a time (Submit, Apply) or over many items (Map,
//   StarMap), and ends the pool (Close, Terminate, Join).
// Performance: a Pool is one shared pointer; copy it. Submit encodes the arguments, appends them to the next batch and
//   returns; a lone task leaves at once. Submit never waits for the daemon, but for room
//   (ClientOptions::max_unsent_bytes) and for the upload of arguments above 512 KiB. On the daemon's host, arguments
//   from 32 KiB on are handed over in shared memory: Submit takes the time of a copy.
// Thread safety: every method may be called from any thread.
// Errors: submissions answer through their handle, refusals too: NOT_FOUND (POOL_NOT_FOUND, FUNCTION_NOT_FOUND),
//   FAILED_PRECONDITION (POOL_NOT_RUNNING, POOL_FAILED, POOL_BROKEN, FORKED), RESOURCE_EXHAUSTED (QUEUE_FULL,
//   CLIENT_FULL), INVALID_ARGUMENT (TOO_LARGE, INVALID_FIELD), ALREADY_EXISTS (HANDLE_EXISTS, HANDLE_RELEASED),
//   UNAVAILABLE (SHUTTING_DOWN). The other methods return the daemon's status with a reason (status.h) and may also
//   answer what class Client lists: UNAVAILABLE, DEADLINE_EXCEEDED, FORKED.
// Lifetime: destroying this value does not end the pool in the daemon: see PoolScope.
// Example:
//   absl::StatusOr<int> sum = pool.Apply<int>("add", 1, 2);
//   Pool loud = pool.With({.run_timeout = std::chrono::seconds(10), .echo_output = true});
//   loud.Submit<void>("func", "hello");
class Pool {
 public:
  // Names a pool without asking the daemon. `defaults` are the options of every task that names none. REQUIRES:
  // `connection` is not null.
  Pool(std::shared_ptr<Connection> connection, std::string name, TaskOptions defaults = {})
      : core_(std::make_shared<const Core>(Core{std::move(connection), std::move(name), std::move(defaults)})) {}

  // The pool's name in the daemon.
  const std::string& name() const { return core_->name; }
  // Returns the same pool with `defaults` as the options of every task and map that names none.
  Pool With(TaskOptions defaults) const { return Pool(core_->connection, core_->name, std::move(defaults)); }

  // ---- One task ----
  // Submits function(args...) and returns a handle of its result at once. Blocks only for room and for uploads (above);
  // refusals come through the handle. Repeating makes another task, unless TaskOptions::id says which: SubmitWith.
  // Example:
  //   TaskHandle<int> handle = pool.Submit<int>("square", 7);
  //   absl::StatusOr<int> result = handle.Get();
  template <typename R, typename... Args>
  TaskHandle<R> Submit(std::string_view function, const Args&... args) const {
    return SubmitWith<R>(core_->defaults, function, args...);
  }
  // As Submit, with `options` in place of the pool's. TaskOptions::id makes repeating safe: the same submission from
  // another client, or after this client's handle has ended, gives the same task. While this client has the task under
  // way, a second submission ends with ALREADY_EXISTS.
  template <typename R, typename... Args>
  TaskHandle<R> SubmitWith(const TaskOptions& options, std::string_view function, const Args&... args) const {
    // Large arguments are not copied before they are handed over.
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
  // As SubmitWith, with arguments as they are on the wire; with R = Payload, the result comes that way too.
  template <typename R = Payload>
  TaskHandle<R> SubmitPayload(const TaskOptions& options, std::string_view function, const Payload& args) const {
    return TaskHandle<R>(
        core_->connection->Submit({core_->name, function, args.encoding, args.type_name, args.data, &options}));
  }
  // Submits and blocks until the task has ended. Answers as TaskHandle::Get.
  // Example:
  //   absl::StatusOr<int> sum = pool.Apply<int>("add", 1, 2);
  //   if (!sum.ok()) return Fail(sum.status());
  template <typename R, typename... Args>
  Result<R> Apply(std::string_view function, const Args&... args) const {
    return Submit<R>(function, args...).Get();
  }
  // As Apply, with `options` in place of the pool's.
  template <typename R, typename... Args>
  Result<R> ApplyWith(const TaskOptions& options, std::string_view function, const Args&... args) const {
    return SubmitWith<R>(options, function, args...).Get();
  }

  // ---- Many ----
  // Submits function(item) for every item of a range. Reads the range to its end before it returns, and may block for
  // room as Submit does; with TaskOptions::wait_when_full Map also waits until at most 4 MiB of items wait here. An
  // input that throws ends the input: the exception is the outcome of the item that would have been next. Refusals come
  // through the handle; repeating makes another map.
  // Example:
  //   auto squares = pool.Map<int>("square", std::views::iota(0, 1000));
  //   absl::StatusOr<std::vector<int>> all = squares.Get();
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> Map(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Send<R>(function, options, internal::PacksOf(internal::SideBySide<Items&>(items)));
  }
  // As Map, of function(x, y, ...) for the items of several ranges side by side; the shortest range ends the map, as in
  // Python.
  template <typename R, std::ranges::input_range First, std::ranges::input_range... More>
  requires(sizeof...(More) > 0) MapHandle<R> Map(std::string_view function, First&& first, More&&... more)
  const { return Send<R>(function, {}, internal::PacksOf(internal::SideBySide<First&, More&...>(first, more...))); }
  // As Map over several ranges, with options.
  template <typename R, std::ranges::input_range... Columns>
  requires(sizeof...(Columns) > 0) MapHandle<R> MapWith(const MapOptions& options, std::string_view function,
                                                        Columns&&... columns)
  const { return Send<R>(function, options, internal::PacksOf(internal::SideBySide<Columns&...>(columns...))); }
  // As Map, of function(get<0>(item), get<1>(item), ...) for every tuple of a range.
  template <typename R, std::ranges::input_range Items>
  MapHandle<R> StarMap(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Send<R>(function, options, internal::PacksOf(internal::Tuples<Items&>(items)));
  }
  // Maps an input that is long, slow or endless; see map_stream.h. A range that is passed by name must outlive the
  // stream. Does not block: MapStream::Next reads the input.
  // Example:
  //   for (const auto& item : pool.MapStream<int>("square", std::views::iota(0), {.buffer_size = 100}))
  //     if (*item.result > 1'000'000) break;
  template <typename R, std::ranges::input_range Items>
  client::MapStream<R> MapStream(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::SourceOf(internal::SideBySide<Items>(std::forward<Items>(items))));
  }
  // As above, with a function as the input. The function returns std::optional<T>, or absl::StatusOr<std::optional<T>>;
  // an empty optional ends the input.
  template <typename R, std::invocable Generator>
  client::MapStream<R> MapStream(std::string_view function, Generator generator, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::GeneratorSourceOf(std::move(generator)));
  }
  // As MapStream, over several ranges side by side.
  template <typename R, std::ranges::input_range... Columns>
  requires(sizeof...(Columns) > 0) client::MapStream<R> MapStreamWith(const MapOptions& options,
                                                                      std::string_view function, Columns&&... columns)
  const {
    return Stream<R>(function, options,
                     internal::SourceOf(internal::SideBySide<Columns...>(std::forward<Columns>(columns)...)));
  }
  // As MapStream, over a range of tuples.
  template <typename R, std::ranges::input_range Items>
  client::MapStream<R> StarMapStream(std::string_view function, Items&& items, const MapOptions& options = {}) const {
    return Stream<R>(function, options, internal::SourceOf(internal::Tuples<Items>(std::forward<Items>(items))));
  }
  // As MapStream, with items as they are on the wire, from a source that may also say that it has no item for now.
  template <typename R = Payload>
  client::MapStream<R> MapStreamFrom(std::string_view function, MapSource source,
                                     const MapOptions& options = {}) const {
    return Stream<R>(function, options, std::move(source));
  }
  // As Map, with items as they are on the wire. REQUIRES: all items have one encoding.
  template <typename R = Payload>
  MapHandle<R> MapPayloads(std::string_view function, const std::vector<Payload>& items,
                           const MapOptions& options = {}) const {
    return Map<R>(function, items, options);
  }

  // ---- The pool ----
  // Tells the pool's spec, state, workers and counters. Blocks for one call; repeating is safe. NOT_FOUND
  // (POOL_NOT_FOUND).
  absl::StatusOr<PoolInfo> Info() const;
  // Tells the pool's counters. Blocks for one call; repeating is safe. NOT_FOUND (POOL_NOT_FOUND).
  absl::StatusOr<PoolStats> Stats() const;
  // Changes the number of workers and returns the pool as it stands then. More workers start at once; of too many, idle
  // workers end first and busy ones after the task that they run. Does not wait for that. Repeating is safe.
  // Answers: NOT_FOUND (POOL_NOT_FOUND), INVALID_ARGUMENT (INVALID_FIELD: 0, or above the daemon's limit),
  //   FAILED_PRECONDITION (POOL_NOT_RUNNING, POOL_FAILED, POOL_BROKEN).
  absl::StatusOr<PoolInfo> Resize(Count workers) const;
  // Loads the modules anew without a pause. Blocks until every worker is a new one, for as long as the old ones run
  // their tasks. Repeating is safe: a second call waits for the first and loads once more.
  // Answers: NOT_FOUND (POOL_NOT_FOUND), FAILED_PRECONDITION (RELOAD_FAILED: the new workers do not start, with the
  //   worker's own words, and the old ones go on; POOL_NOT_RUNNING: the pool was closed or terminated; POOL_FAILED,
  //   POOL_BROKEN).
  absl::StatusOr<PoolInfo> Reload() const;
  // Calls `take` in this thread with every event of this pool, first with the states as they are, and with the tasks'
  // output if `output`. Blocks until `take` returns false (OK) or the pool is gone (OK). NOT_FOUND (POOL_NOT_FOUND).
  // UNAVAILABLE: the stream broke; calling again is safe.
  absl::Status Watch(const WatchCallback& take, bool output = false) const;
  // Ends the pool softly: it takes no new work, finishes what is queued (or cancels what has not begun, with
  // `cancel_queued`), and then its workers exit. Returns the number of handles that this call cancelled. Blocks for a
  // flush and one call, not for the work: Join does. Repeating is safe: the second call answers 0 where nothing is left
  // to cancel. NOT_FOUND (POOL_NOT_FOUND); DEADLINE_EXCEEDED (WAIT_TIMEOUT: the flush was not over in time).
  // Example:
  //   if (auto closed = pool.Close(); !closed.ok()) return Fail(closed.status());
  //   absl::Status joined = pool.Join(std::chrono::minutes(1));
  absl::StatusOr<std::uint64_t> Close(bool cancel_queued = false) const;
  // Ends the pool hard: kills the workers (with SIGTERM, and SIGKILL after `grace`; with SIGKILL at once where `grace`
  // is zero), and every unfinished handle ends CANCELLED. Returns the number of handles that this call ended. Blocks
  // until all processes of the pool are gone. Repeating is safe: on a pool that has ended the answer is 0. NOT_FOUND
  // (POOL_NOT_FOUND); INVALID_ARGUMENT (INVALID_FIELD: `grace` is above 1 h); DEADLINE_EXCEEDED (WAIT_TIMEOUT: the
  // flush was not over in time).
  // Example:
  //   absl::StatusOr<std::uint64_t> ended = pool.Terminate(std::chrono::seconds(2));
  //   if (ended.ok()) std::printf("%llu tasks cancelled\n", static_cast<unsigned long long>(*ended));
  absl::StatusOr<std::uint64_t> Terminate(Duration grace = {}) const;
  // Waits until a closed or terminated pool has no process left and all handles of this client in the pool have ended.
  // Blocks for at most `timeout`; repeating is safe. DEADLINE_EXCEEDED (WAIT_TIMEOUT): not yet. FAILED_PRECONDITION
  // (POOL_STILL_RUNNING): close or terminate the pool first. NOT_FOUND (POOL_NOT_FOUND).
  absl::Status Join(Duration timeout = kForever) const;
  // Closes the pool and, with `wait`, joins it without a limit of time; as Executor.shutdown. Repeating is safe. Errors
  // as Close and Join.
  absl::Status Shutdown(bool wait = true, bool cancel_queued = false) const;

  // The connection, for calls that this class does not wrap. Never null.
  const std::shared_ptr<Connection>& connection() const { return core_->connection; }

 private:
  template <typename R>
  TaskHandle<R> SubmitRaw(const TaskOptions& options, std::string_view function, std::string_view bytes) const {
    return TaskHandle<R>(core_->connection->Submit({core_->name, function, Encoding::kRaw, "", bytes, &options}));
  }
  template <typename R>
  TaskHandle<R> SubmitPieces(const TaskOptions& options, std::string_view function,
                             const internal::ArgumentPieces& args) const {
    return TaskHandle<R>(
        core_->connection->SubmitPieces({core_->name, function, Encoding::kMsgpack, "", {}, &options}, args.All()));
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
  // The options of the map; where their `task` names nothing, the pool's defaults take its place.
  MapOptions Merged(MapOptions options) const;

  std::shared_ptr<const Core> core_;
};

// The way in which a scope ends its pool. kTerminate kills the workers, as `with Pool()` in Python; kCloseAndJoin lets
// the work finish, as `with ProcessPoolExecutor()`.
enum class AtScopeEnd { kTerminate, kCloseAndJoin };

// Purpose: a PoolScope owns a pool that it made and ends the pool with its own end. Move-only. For pools that no other
//   program uses.
// Performance: the end blocks until the pool's processes are gone (kTerminate), or its work is done (kCloseAndJoin).
// Thread safety: none.
// Errors: the destructor drops errors; call Shutdown or Terminate to see them.
// Example:
//   auto scope = PoolScope::Open(client, {.name = "mine", .modules = {"examples"}});
//   (*scope)->Submit<int>("square", 7);
class PoolScope {
 public:
  // Makes a pool. Blocks until the workers are ready. ALREADY_EXISTS (POOL_EXISTS): a live pool has this name, with
  // whatever spec; that pool stays as it is. Give each copy of a program a name of its own, or share a pool with
  // Client::OpenPool. Other errors as Client::OpenPool. Where the spec says kKeep, OwnerLost::kTerminate takes its
  // place: the pool is also terminated when this program dies before the scope ends. A second call fails while the
  // first pool lives.
  static absl::StatusOr<PoolScope> Open(const class Client& client, PoolSpec spec,
                                        AtScopeEnd at_end = AtScopeEnd::kTerminate);
  // Takes over a pool that the caller made.
  explicit PoolScope(Pool pool, AtScopeEnd at_end = AtScopeEnd::kTerminate) : pool_(std::move(pool)), at_end_(at_end) {}
  // Leaves `other` without a pool: its end does nothing.
  PoolScope(PoolScope&& other) noexcept : pool_(std::exchange(other.pool_, std::nullopt)), at_end_(other.at_end_) {}
  PoolScope& operator=(PoolScope&&) = delete;
  // Ends the pool; blocks as the class comment says. In a forked child the call fails and the pool lives on.
  ~PoolScope();

  // REQUIRES: the scope was not moved from.
  const Pool& operator*() const { return *pool_; }
  const Pool* operator->() const { return &*pool_; }

 private:
  std::optional<Pool> pool_;
  AtScopeEnd at_end_;
};

}  // namespace poold::client
