// What handles point to: one cell for each task or map that this client knows.
//
// Ownership: counted by `handles` (TaskRef, MapRef). The last one tells the owner (HandleOwner::Dropped), who frees the
// cell now, or when the task has ended. Thread safety: `phase` is published with release once everything that it speaks
// of is written, and that never changes again; what else changes is guarded by the owner's lock.
#pragma once

#include <atomic>
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
#include "absl/synchronization/mutex.h"
#include "poold/client/connection.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/internal/map_ref.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/wait.h"

namespace poold::client::internal {

struct HandleCell;

enum class Phase : std::uint8_t {
  kPending,
  kSucceeded,  // a result that came inline (of a map: all items succeeded)
  kEnded,      // detail->outcome tells (of a map: it is over)
  kRefused,    // detail->refusal tells: refused, lost, or not known
};

// A thread that waits. Lives on its stack; guarded by the owner's lock.
struct Waiter {
  absl::CondVar wake;
  // Over when nothing remains.
  std::uint64_t remaining = 1;
  WaitMode mode = WaitMode::kAllCompleted;
  Waiter* next_waiting = nullptr;
  bool waiting = false;

  bool over() const { return remaining == 0; }
};

// A waiter in the list of one of the things that it waits for.
struct WaitNode {
  Waiter* waiter = nullptr;
  WaitNode* next = nullptr;
};

void Link(WaitNode** list, WaitNode* node);
void Unlink(WaitNode** list, WaitNode* node);
// Ends the wait of everybody in the list, and the list.
void WakeAll(WaitNode** list);

// In a callback for output, which must not wait.
bool InOutputCallback();
void CallOutput(const OutputCallback& callback, const Output& output);

// Who ends cells: a session, or nobody (mocks).
class HandleOwner {
 public:
  virtual ~HandleOwner() = default;

  // True: over, as `mode` says.
  virtual bool Wait(std::span<HandleCell* const> cells, WaitMode mode, Deadline deadline) = 0;
  // Waits until a map has another block than `blocks`, or has ended.
  virtual bool WaitForBlock(MapCell& map, std::size_t blocks, Deadline deadline) = 0;
  virtual absl::Mutex& mutex() = 0;
  virtual absl::StatusOr<bool> Cancel(HandleCell& cell, bool running) = 0;
  virtual absl::StatusOr<std::string> Download(const HandleId& id, std::uint64_t index) = 0;
  virtual void OnDone(HandleCell& cell, std::function<void(HandleCell*)> callback) = 0;
  virtual std::string instance_id() = 0;
  // The last handle is gone.
  virtual void Dropped(HandleCell* cell) = 0;
};

// Tasks of one pool that this client has under way; guarded by the owner's lock.
struct PoolEntry {
  std::string name;
  std::uint64_t unfinished = 0;
  WaitNode* idle_waiters = nullptr;
};

// A submission that is to be tried again when the queue has room.
struct Resubmission {
  Payload args;
  TaskOptions options;
};

// What most cells do not have.
struct CellDetail {
  v1::Outcome outcome;
  absl::Status refusal;
  bool lost = false;
  std::vector<std::function<void(HandleCell*)>> callbacks;
  // Null without output.
  std::shared_ptr<const OutputCallback> output;
  std::optional<Resubmission> resubmission;
  // The downloaded result, once it is.
  std::optional<Payload> downloaded;
  // Where there is no session to keep it.
  std::string own_function;
};

struct HandleCell {
  std::atomic<std::uint32_t> handles{1};
  std::atomic<Phase> phase{Phase::kPending};
  std::atomic<bool> kept{false};
  bool is_map = false;
  // Its last handle went while it was pending.
  bool detached = false;
  // Not submitted here.
  bool resumed = false;
  HandleId id;
  std::shared_ptr<HandleOwner> owner;
  PoolEntry* pool = nullptr;
  const std::string* function = nullptr;
  WaitNode* waiters = nullptr;
  // The batch that tells the daemon of it.
  std::uint64_t batch = 0;
  HandleCell* next_dropped = nullptr;
  std::unique_ptr<CellDetail> detail;

  bool done() const { return phase.load(std::memory_order_acquire) != Phase::kPending; }
  CellDetail& Detail() {
    if (!detail) detail = std::make_unique<CellDetail>();
    return *detail;
  }
  std::string FunctionName() const;
};

struct TaskCell : HandleCell {
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  const std::string* type_name = nullptr;
  std::string result;

  // As new, to be used again.
  void Reset();
};

// How a map was opened.
struct OwnedMapCall {
  explicit OwnedMapCall(const MapCall& call);
  MapCall View() const { return {pool, function, encoding, type_name, &options}; }

  std::string pool;
  std::string function;
  Encoding encoding;
  std::string type_name;
  // Without callbacks.
  MapOptions options;
};

struct MapCell : HandleCell {
  MapCell() { is_map = true; }

  std::optional<OwnedMapCall> call;

  // As they arrived, and by index. Only ever grow.
  std::vector<std::shared_ptr<const ItemBlock>> arrived;
  std::map<std::uint64_t, std::shared_ptr<const ItemBlock>> by_index;
  WaitNode* block_waiters = nullptr;
  std::uint64_t items_sent = 0;
  bool complete = false;
  v1::MapProgress progress;
};

inline TaskCell* AsTask(HandleCell* cell) { return static_cast<TaskCell*>(cell); }
inline MapCell* AsMap(HandleCell* cell) { return static_cast<MapCell*>(cell); }

// It is done, and SUCCEEDED (of a map: every item).
bool EndedWell(const HandleCell& cell);

// Writes the end into the cell and wakes whoever waits for it. REQUIRES: it is pending, the owner's lock is held.
void EndWithOutcome(HandleCell* cell, v1::Outcome outcome);
void EndWithRefusal(HandleCell* cell, absl::Status why, bool lost);
// After the result is written.
void Publish(HandleCell* cell, Phase phase);

// After the end: items that have no outcome were CANCELLED with the map. REQUIRES: the owner's lock is held.
void AddCancelled(MapCell* map);

// Adds what of `outcomes` is not known yet. REQUIRES: the owner's lock is held.
void AddBlock(MapCell* map, v1::ItemOutcomes&& outcomes);

}  // namespace poold::client::internal
