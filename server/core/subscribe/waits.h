// Calls that wait for their answer: for handles to end, or for a pool to open, to be reloaded or to be gone.
//
// Role: keeps each call until it is answered, given up or out of time, and answers it. Non-role: knows neither handles
// nor pools; whoever owns these says what became of them, and makes the views that are sent.
// Invariants (Check): a call that waits for handles waits for at least one that has not ended; a call stands in the
// list of everything that it waits for.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/ports.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

struct Handle;  // this room hands it back, and never looks into it
struct Wait;

// The calls that wait for one handle. It stays where it is until HandleGone.
class HandleWaits {
 public:
  explicit HandleWaits(Handle* handle) : handle_(handle) {}
  bool empty() const { return places_.empty(); }
  const Handle& handle() const { return *handle_; }

 private:
  friend class Waits;
  struct Place {
    Wait* wait = nullptr;
    // Index into Wait::entries.
    std::uint32_t entry = 0;
  };
  Handle* const handle_;
  std::vector<Place> places_;
};

// The calls that wait for one pool.
class PoolCalls {
 private:
  friend class Waits;
  // Calls for the pool to run (kOpen), to be gone (kJoin, kTerminate), and for the end of a cancel (kClose).
  std::vector<Wait*> open_;
  std::vector<Wait*> join_;
  std::vector<Wait*> terminate_;
  std::vector<Wait*> close_;
  // For the end of the reload that is under way.
  std::vector<Wait*> reload_;
  // For the end of the reload after that one.
  std::vector<Wait*> later_reload_;
};

// One call. Only Waits changes it.
struct Wait {
  enum class Kind : std::uint8_t { kGet, kWait, kOpen, kJoin, kTerminate, kReload, kClose };
  struct Entry {
    HandleId id;
    // Null: the handle is gone, or its waits were told.
    HandleWaits* handle = nullptr;
    // The handle has ended.
    bool done = false;
  };

  Kind kind{};
  SubscriberId call = kNobody;
  // The end of the time that the call waits for (TimerKind::kWait).
  TimerId timer = kNoTimer;

  // Of kGet and kWait.
  WaitMode mode = WaitMode::kAllCompleted;
  // Of kGet and kWait: the handles, in the order asked, each once.
  std::vector<Entry> entries;
  // Entries that are not done.
  std::size_t left = 0;
  // The worker whose task waits; zero: a client waits.
  WorkerId from{};
  // The attempt that waits there; valid while `from` is not zero.
  AttemptToken from_attempt{};
  bool for_all() const { return kind == Kind::kGet || mode == WaitMode::kAllCompleted; }

  // Of the other kinds: the pool's calls, which keep the pool alive; null for kGet and kWait.
  std::shared_ptr<PoolCalls> pool;
  // Of kOpen: the pool is made by this call.
  bool created = false;
  // Of kTerminate: handles that the termination has cancelled; of kClose: handles that others had cancelled before.
  std::uint64_t cancelled = 0;
};

// The owner of the handles.
class WaitsListener {
 public:
  // The last call that waited for this handle waits no more; told only of a handle that has not just ended.
  virtual void NobodyWaits(Handle& handle) = 0;

 protected:
  ~WaitsListener() = default;
};

class Waits {
 public:
  // A handle that a call asks for.
  struct Asked {
    HandleId id;
    bool ended = false;
    // Valid with `ended`.
    bool succeeded = false;
  };
  using ViewHandle = absl::FunctionRef<HandleView(const Handle*)>;
  using ViewPool = absl::FunctionRef<PoolView()>;
  using WaitsOf = absl::FunctionRef<HandleWaits*(std::size_t)>;

  // `max_wait`: the longest that a call waits. All others outlive it.
  Waits(ClientPort* port, Timers* timers, Nanos max_wait, WaitsListener* listener)
      : port_(port), timers_(timers), max_wait_(max_wait), listener_(listener) {}

  // ---- Calls for handles ----
  // A call that waits for one handle. REQUIRES: the handle has not ended.
  Wait* Get(Nanos now, SubscriberId call, HandleId id, HandleWaits* waits, Nanos wait_timeout);
  // A call that waits for several handles. Null: it was answered at once. Else `waits_of` is asked for the list of each
  // handle, by its place in `asked`.
  Wait* WaitFor(Nanos now, SubscriberId call, std::span<const Asked> asked, WaitMode mode, Nanos wait_timeout,
                WaitsOf waits_of);
  // The call comes from a task: this attempt, which runs on this worker.
  void ComesFrom(Wait* wait, WorkerId worker, AttemptToken attempt);
  // The calls that come from tasks.
  const std::vector<Wait*>& of_tasks() const { return of_tasks_; }
  // Answers the call with this error.
  void Refuse(Wait* wait, const absl::Status& why);
  // Answers the calls that waited for this handle, as far as that is enough for them. `view`: of the handle.
  void HandleEnded(HandleWaits& waits, bool succeeded, ViewHandle view);
  // The handle is freed. REQUIRES: it has ended.
  void HandleGone(HandleWaits& waits);
  // TimerKind::kWait: the time of the call is over, so it is answered with what there is.
  void Due(Wait* wait, ViewHandle view);

  // ---- Calls for pools ----
  // Each notes one call until the pool's owner says what became of it.
  void Open(std::shared_ptr<PoolCalls> pool, SubscriberId call, bool created);
  void Join(Nanos now, std::shared_ptr<PoolCalls> pool, SubscriberId call, Nanos wait_timeout);
  void Terminate(std::shared_ptr<PoolCalls> pool, SubscriberId call);
  // `before`: how many handles of the pool others have cancelled.
  void Close(std::shared_ptr<PoolCalls> pool, SubscriberId call, std::uint64_t before);
  // Waits for the end of a reload that has not begun.
  void Reload(std::shared_ptr<PoolCalls> pool, SubscriberId call);
  // The reload that calls wait for begins; later calls wait for the next one.
  void ReloadBegins(PoolCalls& pool);
  // So many handles were cancelled: told to the calls that terminate the pool.
  void NoteCancelled(PoolCalls& pool, std::uint64_t handles);
  // `view`: asked for each call if the status is OK.
  void AnswerOpens(PoolCalls& pool, const absl::Status& status, ViewPool view);
  // Answers the calls that wait for the reload which is under way.
  void AnswerReloads(PoolCalls& pool, const absl::Status& status, ViewPool view);
  // The pool will not be reloaded any more. REQUIRES: `why` is not OK.
  void RefuseReloads(PoolCalls& pool, const absl::Status& why);
  // So many handles were cancelled, which is all that was to be: answers closes.
  void AnswerCloses(PoolCalls& pool, std::uint64_t handles);
  // The last process of the pool is gone: answers joins and terminates.
  void PoolGone(PoolCalls& pool);

  // The caller is gone, and hears no answer.
  void CallerGone(SubscriberId call);
  // Whether this call was not answered yet.
  bool Waiting(SubscriberId call, const Wait* wait) const;
  // Callers that wait.
  std::size_t size() const { return by_call_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  // A call of this kind, kept until Remove.
  Wait* New(Wait::Kind kind, SubscriberId call);
  Wait* NewOfPool(Wait::Kind kind, std::shared_ptr<PoolCalls> pool, SubscriberId call, std::vector<Wait*>* list);
  void SetDeadline(Nanos now, Wait* wait, Nanos wait_timeout);
  // Tells one call that a handle of it has ended. False: the call waits on.
  bool EntryEnded(const HandleWaits::Place& place, bool succeeded, ViewHandle view);
  void Answer(Wait* wait, bool first);
  void AnswerReloadsOf(std::vector<Wait*>& calls, const absl::Status& status, ViewPool view);
  void Remove(Wait* wait);
  std::string CheckOne(const Wait& wait) const;

  ClientPort* const port_;
  Timers* const timers_;
  const Nanos max_wait_;
  WaitsListener* const listener_;
  // By the one who called.
  absl::flat_hash_map<SubscriberId, std::vector<std::unique_ptr<Wait>>> by_call_;
  std::vector<Wait*> of_tasks_;
};

}  // namespace poold::core
