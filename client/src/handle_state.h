// What handles point to: one cell for each task or map that this client knows.
//
// Ownership: counted by `handles` (TaskRef, MapRef). The last one tells the owner (HandleOwner::Dropped), who frees the
// cell now, or when the task has ended. Thread safety: `phase` is published with release once everything that it speaks
// of is written, and that never changes again; what else changes is guarded by the owner's lock.
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
#include "downloaded.h"
#include "held_result.h"
#include "index_ranges.h"
#include "item_window.h"
#include "mutex.h"
#include "poold/client/connection.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/wait_mode.h"
#include "process_mark.h"
#include "result_in_arena.h"
#include "wire/arena_maker.h"

namespace poold::client::internal {

struct HandleState;

enum class Phase : std::uint8_t {
  kPending,
  kSucceeded,  // a result that came inline (of a map: all items succeeded)
  kEnded,      // detail->outcome tells (of a map: it is over)
  kRefused,    // detail->refusal tells: refused, lost, or not known
};

// What has ended of several things, in that order (completions.cc). Guarded by the owner's lock.
struct Collector {
  std::deque<std::uint32_t> ended;
  // Told too, for who waits for things of several owners.
  std::function<void()> also;
};

// A thread that waits. Lives on its stack; guarded by the owner's lock.
struct Waiter {
  CondVar wake;
  // Over when nothing remains.
  std::uint64_t remaining = 1;
  WaitMode mode = WaitMode::kAllCompleted;
  Waiter* next_waiting = nullptr;
  bool waiting = false;
  // Whoever waits for one after the other: what has ended is put here, and the wait is over as long as there is some.
  Collector* collector = nullptr;

  bool over() const { return collector != nullptr ? !collector->ended.empty() : remaining == 0; }
};

// A waiter in the list of one of the things that it waits for.
struct WaitNode {
  Waiter* waiter = nullptr;
  WaitNode* next = nullptr;
  // Which of the waiter's things it is, where it collects them.
  std::uint32_t index = 0;
};

void Link(WaitNode** list, WaitNode* node);
void Unlink(WaitNode** list, WaitNode* node);
// Ends the wait of everybody in the list, and the list.
void WakeAll(WaitNode** list);

// Links a node as long as it lives, however it is left. REQUIRES: the owner's lock is held at both ends.
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

// In a callback for output, which must not wait.
bool InOutputCallback();
// Of this thread's last wait, where it was refused: taken by who tells.
absl::Status& WhyNoWait();
void CallOutput(const OutputCallback& callback, const Output& output);
void CallProgress(const ProgressCallback& callback, const Progress& progress);

// Who ends cells: a session, or nobody (mocks). In a child of its process it does nothing, and says so where it can;
// its lock must not be taken there.
class HandleOwner {
 public:
  virtual ~HandleOwner() = default;

  // The caller is in the process that made it.
  bool here() const { return process_.here(); }

  // True: over, as `mode` says.
  virtual bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) = 0;
  // Puts what has ended into the waiter's collector, now and from now on. `nodes` live until Unwatch.
  virtual void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) = 0;
  virtual void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) = 0;
  // The next that has ended.
  virtual std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) = 0;
  // Waits until a map has another block than `blocks`, or has ended.
  virtual bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) = 0;
  // A walk of a streamed map has got so far: what lies behind it is dropped.
  virtual void Walked(MapHandleState& map, const ItemCursor& cursor) = 0;
  virtual Mutex& mutex() = 0;
  virtual absl::StatusOr<bool> Cancel(HandleState& cell, bool running) = 0;
  // Asks for it and does not wait for the answer.
  virtual void CancelSoon(HandleState& cell, bool running) = 0;
  // How it stands in the daemon.
  virtual absl::StatusOr<v1::GetResponse> Ask(HandleState& cell) = 0;
  // `told`: the result without its bytes, as the outcome told it.
  virtual absl::StatusOr<Downloaded> Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) = 0;
  // Where the result lies in shared memory; nothing: not in this process's.
  virtual std::optional<ResultInArena> InArena(const v1::Payload& told) = 0;
  // The same, and it stays there as long as what comes back.
  virtual std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told) = 0;
  virtual void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) = 0;
  virtual void OnProgress(HandleState& cell, ProgressCallback callback) = 0;
  virtual std::string instance_id() = 0;
  // The last handle is gone.
  virtual void Dropped(HandleState* cell) = 0;

 private:
  const ProcessMark process_ = ProcessMark::Here();
};

// Tasks of one pool that this client has under way; guarded by the owner's lock.
struct PoolEntry {
  std::string name;
  std::uint64_t unfinished = 0;
  // The low half of the next task's id, and where its stretch ends (wire/handle_stretch.h).
  std::uint64_t next_low = 0;
  std::uint64_t end_low = 0;
  WaitNode* idle_waiters = nullptr;
  // Tasks that wait here for room in the pool's queue, in the order of their submission. The next `burst` of them are
  // sent at `try_at`, or when the daemon has taken those before them (up to `tried_batch`) without a refusal.
  std::map<std::uint64_t, HandleId> backlog;
  std::chrono::steady_clock::time_point try_at{};
  std::uint64_t tried_batch = 0;
  std::uint32_t burst = 1;
};

// Larger arguments take a way of their own, so that they hold up nobody else's.
inline constexpr std::size_t kInlineArgsBytes = 512 << 10;
// From here on arguments are handed over in sealed memory where they cannot lie in an arena, and that is possible.
inline constexpr std::size_t kHandOverBytes = 256 << 10;

// What a task that may be sent again costs beside its arguments.
inline constexpr std::uint64_t kResubmissionBytes = 512;

// A submission that is to be tried again when the queue has room, or with another upload.
struct Resubmission {
  Payload args;  // with nothing in it while they are uploaded
  // They go by upload: by HandleDetail::upload_id, or if that is empty, once they are uploaded.
  bool large = false;
  TaskOptions options;
  // Its place among those of this client.
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

// Arguments that lie in an arena, and what else it takes to send them another way.
struct ArgsInArena {
  wire::ArenaMaker::Reserved slot;
  std::uint64_t bytes = 0;
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  std::string type_name;
  TaskOptions options;
};

// What most cells do not have.
struct HandleDetail {
  // Of tasks that ended together it may be the same one. Set when there is one.
  std::shared_ptr<const v1::Outcome> outcome;
  absl::Status refusal;
  bool lost = false;
  // Until it has ended.
  std::optional<ArgsInArena> in_arena;
  // Of large arguments: the upload that waits in the daemon for this task. Empty: none that is known.
  std::string upload_id;
  std::vector<std::function<void(HandleState*)>> callbacks;
  // Null without output.
  std::shared_ptr<const OutputCallback> output;
  // Called in this order.
  std::vector<std::shared_ptr<const ProgressCallback>> on_progress;
  // The latest, and whether any came.
  v1::Progress progress;
  bool has_progress = false;
  std::optional<Resubmission> resubmission;
  // The downloaded result, once it is.
  std::shared_ptr<const Downloaded> downloaded;
  // Where there is no session to keep it.
  std::string own_function;
};

struct HandleState {
  std::atomic<std::uint32_t> handles{1};
  std::atomic<Phase> phase{Phase::kPending};
  std::atomic<bool> kept{false};
  bool is_map = false;
  // The daemon was told that it may drop it, though there are handles.
  bool released = false;
  // Its last handle went while it was pending.
  bool detached = false;
  // Not submitted here.
  bool resumed = false;
  // Cancel or CancelSoon was called: if it is refused for want of room, it is not sent again.
  bool cancel_asked = false;
  // It was: the daemon has never taken it, and it has ended CANCELLED.
  bool ended_unsent = false;
  // The session has it among those that keep results in the daemon.
  bool in_daemon = false;
  HandleId id;
  std::shared_ptr<HandleOwner> owner;
  PoolEntry* pool = nullptr;
  const std::string* function = nullptr;
  WaitNode* waiters = nullptr;
  // The batch that tells the daemon of it.
  std::uint64_t batch = 0;
  HandleState* next_dropped = nullptr;
  std::unique_ptr<HandleDetail> detail;

  bool done() const { return phase.load(std::memory_order_acquire) != Phase::kPending; }
  HandleDetail& Detail() {
    if (!detail) detail = std::make_unique<HandleDetail>();
    return *detail;
  }
  std::string FunctionName() const;
};

struct TaskHandleState : HandleState {
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  const std::string* type_name = nullptr;
  std::string result;

  // As new, to be used again.
  void Reset();
};

// Results that lie in the daemon: of a task, or of neighbouring items of a map.
struct ResultsInDaemon {
  struct One {
    std::uint64_t index = 0;
    v1::Payload told;  // without its bytes
  };
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<One> results;
};

// How a map was opened.
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

struct MapHandleState : HandleState {
  MapHandleState() { is_map = true; }

  std::optional<OwnedMapCall> call;

  // As they arrived (the first of them is the block number `arrived_before`), and by index. Of a streamed map those
  // that were not walked yet, and only the one that its walk needs.
  std::deque<std::shared_ptr<ItemBlock>> arrived;
  std::uint64_t arrived_before = 0;
  std::map<std::uint64_t, std::shared_ptr<ItemBlock>> by_index;
  // Those of `arrived` before this number were found by a walk: nothing is added to them any more.
  std::uint64_t arrived_seen = 0;
  // How often blocks or items for one have come, and the items.
  std::uint64_t blocks = 0;
  IndexRanges received;
  WaitNode* block_waiters = nullptr;
  // Neighbouring items that came, first and count, of which the daemon is not told yet that it may drop them: who
  // writes the handle of a small map down finds all of it there. Empty for a streamed one.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> unreleased;
  std::uint64_t unreleased_bytes = 0;
  // Results that lie in the daemon still, and those that were brought because it is short of room.
  std::deque<ResultsInDaemon> in_daemon_blocks;
  std::map<std::uint64_t, std::shared_ptr<const Downloaded>> brought;
  std::uint64_t items_sent = 0;
  bool complete = false;
  v1::MapProgress progress;

  // Of a map that waits for room in the daemon.
  std::unique_ptr<ItemWindow> window;
  // After a refusal nothing is sent before this.
  std::chrono::steady_clock::time_point hold_until{};
  WaitNode* window_waiters = nullptr;
  // Why the daemon took no more items: those that it did not take end so.
  std::string cut_short;
};

inline TaskHandleState* AsTask(HandleState* cell) { return static_cast<TaskHandleState*>(cell); }
inline MapHandleState* AsMap(HandleState* cell) { return static_cast<MapHandleState*>(cell); }

// In memory of its own.
OwnedResult CopyOf(const ResultView& result);

// It is done, and SUCCEEDED (of a map: every item).
bool EndedWell(const HandleState& cell);

// Writes the end into the cell and wakes whoever waits for it. REQUIRES: it is pending, the owner's lock is held.
void EndWithOutcome(HandleState* cell, std::shared_ptr<const v1::Outcome> outcome);
void EndWithRefusal(HandleState* cell, absl::Status why, bool lost);
// After the result is written.
void Publish(HandleState* cell, Phase phase);

// After the end: items that have no outcome were CANCELLED with the map. REQUIRES: the owner's lock is held.
void AddCancelled(MapHandleState* map);

// Adds what of `outcomes` is not known yet. `told`: the daemon was told that it may drop them. REQUIRES: the owner's
// lock is held.
void AddBlock(MapHandleState* map, v1::ItemOutcomes&& outcomes, bool told = true);

}  // namespace poold::client::internal
