// HandleState: the state behind handles, one for each task or map that this client knows.
//
// Ownership: `handles` counts the references (TaskRef, MapRef). The last one tells the owner (HandleOwner::Dropped),
//   which frees the state at once, or when the task has ended.
// Thread safety: the end (`phase`) is published when the members that it speaks of are written; those never change
//   again. Everything else that changes is guarded by the owner's lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/connection.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/proto.h"
#include "process_mark.h"
#include "session/downloaded.h"
#include "session/handle_life.h"
#include "session/index_ranges.h"
#include "session/item_window.h"
#include "session/mutex.h"
#include "transport/known_arena.h"
#include "wire/arena_maker.h"

namespace poold::client::internal {

struct HandleState;

// The things that have ended, of several that a thread waits for, in that order (wait.cc). Guarded by the
// owner's lock.
struct Collector {
  std::deque<std::uint32_t> ended;
  // Also called with each end, for threads that wait for things of several owners. Empty: none.
  std::function<void()> also;
};

// A waiting thread. Lives on the thread's stack; guarded by the owner's lock.
struct Waiter {
  CondVar wake;
  // The ends that the wait still needs; 0: the wait is over.
  std::uint64_t remaining = 1;
  WaitMode mode = WaitMode::kAllCompleted;
  // The leader's list of sleeping threads.
  Waiter* next_waiting = nullptr;
  bool waiting = false;
  // Not null: ends are collected here, and the wait is over while there are some.
  Collector* collector = nullptr;

  bool over() const { return collector != nullptr ? !collector->ended.empty() : remaining == 0; }
};

// A waiter's entry in the list of one thing that it waits for.
struct WaitNode {
  Waiter* waiter = nullptr;
  WaitNode* next = nullptr;
  // The thing's place among those of the waiter, for its collector.
  std::uint32_t index = 0;
};

// Adds the node to a list. REQUIRES, of these three: the owner's lock is held.
void Link(WaitNode** list, WaitNode* node);
// Removes the node. REQUIRES: the node is in the list, or the list was woken.
void Unlink(WaitNode** list, WaitNode* node);
// Ends the wait of every waiter in the list, and empties the list.
void WakeAll(WaitNode** list);

// Keeps a node in a list while the object lives. REQUIRES: the owner's lock is held at both ends.
class Linked {
 public:
  Linked(WaitNode** list, WaitNode* node) : list_(list), node_(node) { Link(list, node); }
  ~Linked() { Unlink(list_, node_); }
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;

 private:
  WaitNode** const list_;
  WaitNode* const node_;
};

// A block with the daemon's message that it shows.
struct ReceivedBlock : ItemBlock {
  // The outcomes as the daemon sent them.
  v1::ItemOutcomes message;
  // The items of a cancelled map that never got an outcome of their own. `why` is their outcome where it is set.
  bool cancelled = false;
  v1::Outcome why;
  // The daemon was told that this client has the block.
  bool told = true;
  // The block's number in the order of arrival, from 0.
  std::uint64_t arrival = 0;

  // Shows the message anew, after a change. `bytes`: of all results.
  void Show(std::uint64_t bytes);
};

// Whether this thread is in a callback for output, which must not wait.
bool InOutputCallback();
// The refusal of this thread's last wait; OK: the wait was not refused. The reader takes the status away.
absl::Status& WhyNoWait();
// Calls the callback; InOutputCallback() is true meanwhile.
void CallOutput(const OutputCallback& callback, const Output& output);
void CallProgress(const ProgressCallback& callback, const Progress& progress);

// Role: ends handle states; a session, or none (mocks). In a child of its process the owner does nothing and answers
//   FORKED where it can; its lock must not be taken there.
// Threads: any thread calls any method, without the lock.
class HandleOwner {
 public:
  virtual ~HandleOwner() = default;

  // Whether the caller is in the process that made the owner.
  bool here() const { return process_.here(); }

  // Blocks until the wait is over as `mode` says (true) or the deadline has passed (false).
  virtual bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) = 0;
  // Puts everything that has ended, now and from now on, into the waiter's collector. `nodes` live until Unwatch.
  virtual void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) = 0;
  // Ends Watch. Null entries of `cells` are passed over.
  virtual void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) = 0;
  // Waits for the next thing in the waiter's collector and returns its index. Nothing: none came in time.
  virtual std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) = 0;
  // Waits until the map has another block than `blocks`, or has ended (true). False: the deadline has passed, or
  // WhyNoWait() tells why this thread must not wait.
  virtual bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) = 0;
  // A walk over a streamed map has come this far: the items before are dropped.
  virtual void Walked(MapHandleState& map, const ItemCursor& cursor) = 0;
  // The owner's lock.
  virtual Mutex& mutex() = 0;
  // As TaskHandle::Cancel and MapHandle::Cancel; blocks.
  virtual absl::StatusOr<bool> Cancel(HandleState& cell, bool running) = 0;
  // As TaskHandle::CancelSoon; does not block.
  virtual void CancelSoon(HandleState& cell, bool running) = 0;
  // Asks the daemon for the handle's state; blocks.
  virtual absl::StatusOr<v1::GetResponse> Ask(HandleState& cell) = 0;
  // Brings the result of a task or item; blocks. `told`: the result's description in the outcome, without its bytes.
  virtual absl::StatusOr<Downloaded> Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) = 0;
  // The result in shared memory. Nothing: this process does not have that memory.
  virtual std::optional<ResultInArena> InArena(const v1::Payload& told) = 0;
  // The result in shared memory, which stays there as long as the returned object lives. Null: not possible.
  virtual std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told) = 0;
  // As TaskHandle::OnDone; the callback gets a reference of its own.
  virtual void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) = 0;
  // As TaskHandle::OnProgress.
  virtual void OnProgress(HandleState& cell, ProgressCallback callback) = 0;
  // The daemon's instance, for texts of handles.
  virtual std::string instance_id() = 0;
  // The last handle of this state is gone. Does not wait for the daemon.
  virtual void Dropped(HandleState* cell) = 0;

 private:
  const ProcessMark process_ = ProcessMark::Here();
};

// The tasks of one pool that this client has under way. Guarded by the owner's lock.
struct PoolEntry {
  std::string name;
  // Tasks and maps that have not ended.
  std::uint64_t unfinished = 0;
  // Where the pool lies in the daemon that answers now (Pool.shard); 0: not known, or the daemon has no shards.
  std::uint32_t shard = 0;
  // The number of the next task's id, and the end of the stretch of numbers that this pool has.
  std::uint64_t next_number = 0;
  std::uint64_t end_number = 0;
  WaitNode* idle_waiters = nullptr;
  // Tasks that wait here for room in the pool's queue, by the order of their submission. The next `burst` of them are
  // sent at `try_at`, or when the daemon has taken the tasks before them (up to `tried_batch`) without a refusal.
  std::map<std::uint64_t, HandleId> backlog;
  std::chrono::steady_clock::time_point try_at{};
  std::uint64_t tried_batch = 0;
  std::uint32_t burst = 1;
};

// Larger arguments are uploaded, so that they do not hold up other submissions.
inline constexpr std::size_t kInlineArgsBytes = 512 << 10;
// From this size on, arguments that do not fit into an arena are handed over in sealed memory, where that is possible.
inline constexpr std::size_t kHandOverBytes = 256 << 10;

// The cost of a Resubmission beside its arguments, for max_unsent_bytes.
inline constexpr std::uint64_t kResubmissionBytes = 512;

// A submission that is sent again when the queue has room, or with another upload.
struct Resubmission {
  // Empty while the arguments are uploaded.
  Payload args;
  // The arguments travel by upload: by HandleDetail::upload_id, or, while that is empty, once they are uploaded.
  bool large = false;
  TaskOptions options;
  // The submission's place among those of this client.
  std::uint64_t number = 0;
  // The part of max_unsent_bytes that it takes.
  std::uint64_t bytes = 0;
};

// Arguments in an arena, with all that another way of sending them needs.
struct ArgsInArena {
  wire::ArenaMaker::Reserved slot;
  std::uint64_t bytes = 0;
  Encoding encoding = Encoding::kUnspecified;
  std::string type_name;
  TaskOptions options;
};

// Members that most states do not need.
struct HandleDetail {
  // With kEnded and kNeverSent: the end. Tasks that ended together may share one.
  std::shared_ptr<const v1::Outcome> outcome;
  // With kRefused and kLost: the reason.
  absl::Status refusal;
  // Set until the task has ended.
  std::optional<ArgsInArena> in_arena;
  // The upload that waits in the daemon for this task. Empty: none is known.
  std::string upload_id;
  // Callbacks of OnDone, called in this order.
  std::vector<std::function<void(HandleState*)>> callbacks;
  // Null: output is not delivered.
  std::shared_ptr<const OutputCallback> output;
  // Called in this order.
  std::vector<std::shared_ptr<const ProgressCallback>> on_progress;
  // The latest report.
  std::optional<Progress> progress;
  // Set while the task may have to be sent again.
  std::optional<Resubmission> resubmission;
  // The result, once it was downloaded.
  std::shared_ptr<const Downloaded> downloaded;
  // The function's name where no session keeps it (mocks).
  std::string own_function;
};

// What becomes of the outcome that the daemon keeps.
enum class Claim : std::uint8_t {
  // The outcome is released when the last handle is dropped.
  kReleasedAtEnd,
  // The daemon was told that it may drop the outcome, though there are handles.
  kReleased,
  // Keep or ToString was called: the outcome is not released.
  kKept,
};

// A task or a map. Members that are not atomic are guarded by the owner's lock, or constant.
struct HandleState {
  explicit HandleState(bool map) : is_map(map) {}

  // References of TaskRef and MapRef.
  std::atomic<std::uint32_t> handles{1};
  Life<Phase> phase{Phase::kWaiting};
  Life<Holder> holder{Holder::kHandles};
  std::atomic<Claim> claim{Claim::kReleasedAtEnd};
  const bool is_map;
  HandleId id;
  std::shared_ptr<HandleOwner> owner;
  // The pool; null for handles that were resumed, and not submitted by this client. Owned by the session, as
  // `function`.
  PoolEntry* pool = nullptr;
  const std::string* function = nullptr;
  // Threads that wait for the end.
  WaitNode* waiters = nullptr;
  // While the handle is in a batch: the number of the batch that tells the daemon of the handle.
  std::uint64_t batch = 0;
  // The session's list of dropped handles.
  HandleState* next_dropped = nullptr;
  // Null: nothing of it is needed.
  std::unique_ptr<HandleDetail> detail;

  bool done() const { return phase.published() > Phase::kWaitingToCancel; }
  // Whether a batch has told, or will tell, the daemon of the pending handle.
  bool in_batch() const { return phase.now() == Phase::kSent || phase.now() == Phase::kCancelling; }
  bool resumed() const { return pool == nullptr; }
  bool kept() const { return claim.load(std::memory_order_relaxed) == Claim::kKept; }
  // Makes the outcome outlive the handles. Any thread, without the lock.
  void Keep();
  HandleDetail& Detail() {
    if (!detail) detail = std::make_unique<HandleDetail>();
    return *detail;
  }
  // The function's name; where it is not known "task " or "map " and the id.
  std::string FunctionName() const;
};

// A task. `result` holds an inline result, encoded as `encoding` says.
struct TaskHandleState : HandleState {
  TaskHandleState() : HandleState(/*map=*/false) {}

  Encoding encoding = Encoding::kUnspecified;
  // The message's full name with ENCODING_PROTOBUF, owned by the session; otherwise null.
  const std::string* type_name = nullptr;
  std::string result;

  // Makes the state as new, to be used again.
  void Reset();
};

// Results that lie in the daemon: of a task, or of neighbouring items of a map.
struct ResultsInDaemon {
  // One result: `told` describes it without its bytes.
  struct One {
    std::uint64_t index = 0;
    v1::Payload told;  // without its bytes
  };
  // The first item, and the number of items.
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<One> results;
};

// A MapCall that owns its texts: how a map was opened.
struct OwnedMapCall {
  explicit OwnedMapCall(const MapCall& call);
  MapCall View() const { return {pool, function, encoding, type_name, &options, streamed}; }

  std::string pool;
  std::string function;
  Encoding encoding;
  std::string type_name;
  // Without callbacks.
  MapOptions options;
  bool streamed;
};

// A map, with the blocks of outcomes that have come.
struct MapHandleState : HandleState {
  MapHandleState() : HandleState(/*map=*/true) {}

  // Unset for a resumed map.
  std::optional<OwnedMapCall> call;

  // The blocks in the order of arrival (the first is block number `arrived_before`), and by index. A streamed map keeps
  // blocks that were not walked yet, in the one list that its walk needs.
  std::deque<std::shared_ptr<ReceivedBlock>> arrived;
  std::uint64_t arrived_before = 0;
  std::map<std::uint64_t, std::shared_ptr<ReceivedBlock>> by_index;
  // Blocks of `arrived` before this number were found by a walk: no item is added to them.
  std::uint64_t arrived_seen = 0;
  // How often items have come, and which.
  std::uint64_t blocks = 0;
  IndexRanges received;
  WaitNode* block_waiters = nullptr;
  // Neighbouring items that have come, as first and count, while the daemon is not told that it may drop them: a
  // process that takes up a small map by its text finds all of the map there. Empty for a streamed map.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> unreleased;
  std::uint64_t unreleased_bytes = 0;
  // Results that still lie in the daemon, and those that were brought because the daemon is short of room, by item.
  std::deque<ResultsInDaemon> in_daemon_blocks;
  std::map<std::uint64_t, std::shared_ptr<const Downloaded>> brought;
  // Items that AddItems took.
  std::uint64_t items_sent = 0;
  Life<MapInput> input{MapInput::kOpen};
  MapProgress progress;

  // Items that wait for room in the daemon. Null: the map does not wait for room.
  std::unique_ptr<ItemWindow> window;
  // After a refusal nothing is sent before this moment.
  std::chrono::steady_clock::time_point hold_until{};
  WaitNode* window_waiters = nullptr;
  // With kCutShort: why the daemon takes no more items.
  std::string why_cut_short;
};

// The state as a task. REQUIRES: !cell->is_map.
inline TaskHandleState* AsTask(HandleState* cell) { return static_cast<TaskHandleState*>(cell); }
// The state as a map. REQUIRES: cell->is_map.
inline MapHandleState* AsMap(HandleState* cell) { return static_cast<MapHandleState*>(cell); }

// A copy of the result in memory of its own.
OwnedResult CopyOf(const ResultView& result);

// Whether the handle is done and SUCCEEDED (of a map: every item).
bool EndedWell(const HandleState& cell);

// Writes the end into the state and wakes every waiter. REQUIRES: the state is pending, the owner's lock is held.
void EndWithOutcome(HandleState* cell, std::shared_ptr<const v1::Outcome> outcome);
// As EndWithOutcome, with a refusal. `end` is kRefused or kLost.
void EndWithRefusal(HandleState* cell, absl::Status why, Phase end = Phase::kRefused);
// Ends the state when its result is written, and wakes every waiter. REQUIRES: the owner's lock is held.
void Publish(HandleState* cell, Phase phase);

// Gives items without an outcome the outcome CANCELLED, after the map's end. REQUIRES: the owner's lock is held.
void AddCancelled(MapHandleState* map);

// Adds those of `outcomes` that are new. `told`: the daemon was told that it may drop them. REQUIRES: the owner's lock
// is held.
void AddBlock(MapHandleState* map, v1::ItemOutcomes&& outcomes, bool told = true);

}  // namespace poold::client::internal
