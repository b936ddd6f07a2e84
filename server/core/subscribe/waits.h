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
    std::uint32_t entry = 0;  // index into Wait::entries
  };
  Handle* const handle_;
  std::vector<Place> places_;
};

// The calls that wait for one pool.
class PoolCalls {
 private:
  friend class Waits;
  std::vector<Wait*> open_;
  std::vector<Wait*> join_;
  std::vector<Wait*> terminate_;
  std::vector<Wait*> close_;
  std::vector<Wait*> reload_;        // for the reload that is under way
  std::vector<Wait*> later_reload_;  // for the one after it
};

// One call. Only Waits changes it.
struct Wait {
  enum class Kind : std::uint8_t { kGet, kWait, kOpen, kJoin, kTerminate, kReload, kClose };
  struct Entry {
    HandleId id;
    HandleWaits* handle = nullptr;  // null: the handle is gone
    bool done = false;              // the handle has ended
  };

  Kind kind{};
  SubscriberId call = kNobody;
  TimerId timer = kNoTimer;  // for how long it waits

  // Of kGet and kWait.
  WaitMode mode = WaitMode::kAllCompleted;
  std::vector<Entry> entries;   // in the order asked, each handle once
  std::size_t left = 0;         // entries that are not done
  WorkerId from{};              // it is what this worker ran then that waits; zero: nobody of ours
  AttemptToken from_attempt{};  // of that
  bool for_all() const { return kind == Kind::kGet || mode == WaitMode::kAllCompleted; }

  // Of the others.
  std::shared_ptr<PoolCalls> pool;  // keeps the pool
  bool created = false;             // of kOpen: the pool is made by this call
  std::uint64_t cancelled = 0;      // of kTerminate: how many handles it has cancelled; of kClose: others before it
};

// What the owner of the handles has to know.
class WaitsListener {
 public:
  // The last call that waited for this handle waits no more, and the handle has not just ended.
  virtual void NobodyWaits(Handle& handle) = 0;

 protected:
  ~WaitsListener() = default;
};

class Waits {
 public:
  // What a call asks for.
  struct Asked {
    HandleId id;
    bool ended = false;
    bool succeeded = false;  // if it ended
  };
  using ViewHandle = absl::FunctionRef<HandleView(const Handle*)>;
  using ViewPool = absl::FunctionRef<PoolView()>;
  using WaitsOf = absl::FunctionRef<HandleWaits*(std::size_t)>;

  // `max_wait`: no call waits for longer. All others outlive it.
  Waits(ClientPort* port, Timers* timers, Nanos max_wait, WaitsListener* listener)
      : port_(port), timers_(timers), max_wait_(max_wait), listener_(listener) {}

  // ---- Calls for handles ----
  // REQUIRES: the handle has not ended.
  Wait* Get(Nanos now, SubscriberId call, HandleId id, HandleWaits* waits, Nanos wait_timeout);
  // Null: it was answered at once. Else `waits_of` is asked for the list of each handle, by its place in `asked`.
  Wait* WaitFor(Nanos now, SubscriberId call, std::span<const Asked> asked, WaitMode mode, Nanos wait_timeout,
                WaitsOf waits_of);
  // It is a task that waits: this attempt, which runs on this worker.
  void ComesFrom(Wait* wait, WorkerId worker, AttemptToken attempt);
  // Those that come from tasks.
  const std::vector<Wait*>& of_tasks() const { return of_tasks_; }
  // Answers it so.
  void Refuse(Wait* wait, const absl::Status& why);
  // Answers whoever waits for this; `view`: of this handle.
  void HandleEnded(HandleWaits& waits, bool succeeded, ViewHandle view);
  // The handle is no longer there. REQUIRES: it has ended.
  void HandleGone(HandleWaits& waits);
  // TimerKind::kWait: its time is over.
  void Due(Wait* wait, ViewHandle view);

  // ---- Calls for pools ----
  void Open(std::shared_ptr<PoolCalls> pool, SubscriberId call, bool created);
  void Join(Nanos now, std::shared_ptr<PoolCalls> pool, SubscriberId call, Nanos wait_timeout);
  void Terminate(std::shared_ptr<PoolCalls> pool, SubscriberId call);
  // `before`: how many handles of the pool others have cancelled.
  void Close(std::shared_ptr<PoolCalls> pool, SubscriberId call, std::uint64_t before);
  // For a reload that has not begun.
  void Reload(std::shared_ptr<PoolCalls> pool, SubscriberId call);
  // It begins.
  void ReloadBegins(PoolCalls& pool);
  // Of those that terminate it.
  void NoteCancelled(PoolCalls& pool, std::uint64_t handles);
  // `view`: asked for each call if the status is OK.
  void AnswerOpens(PoolCalls& pool, const absl::Status& status, ViewPool view);
  // Of the reload that is under way.
  void AnswerReloads(PoolCalls& pool, const absl::Status& status, ViewPool view);
  // There will be no reload any more. REQUIRES: not OK.
  void RefuseReloads(PoolCalls& pool, const absl::Status& why);
  // All that was to be cancelled was: so many handles.
  void AnswerCloses(PoolCalls& pool, std::uint64_t handles);
  // Answers joins and terminates.
  void PoolGone(PoolCalls& pool);

  // The one who called is gone, and hears no answer.
  void CallerGone(SubscriberId call);
  // Whether this call was not answered yet.
  bool Waiting(SubscriberId call, const Wait* wait) const;
  // Callers that wait.
  std::size_t size() const { return by_call_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  Wait* New(Wait::Kind kind, SubscriberId call);
  Wait* NewOfPool(Wait::Kind kind, std::shared_ptr<PoolCalls> pool, SubscriberId call, std::vector<Wait*>* list);
  void SetDeadline(Nanos now, Wait* wait, Nanos wait_timeout);
  // False: it goes on.
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
