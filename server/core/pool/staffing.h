// How many processes a pool has, and which come and go for that: its zygotes and workers.
//
// One rule serves growing, shrinking, recycling and reloading. A worker that is to be replaced works on until a
// replacement is ready. Then none of those that are to be replaced takes anything more, and the first that has nothing
// goes: so nobody has to guess which of them is done soonest, and there are never fewer ready ones than wanted.
//
// Reload: another generation gets ready beside the present one and replaces it, or is dropped. While the next one's
// zygote starts, nothing changes. When it is ready, the workers of the present one are stale, and are replaced one
// after the other. When the last of them is gone, the next one is the pool's. When it does not start, those of its
// workers that did are due for replacement, and are replaced in the same way by the present one's.
//
// Role: starts, stops and kills; learns what workers can do; gives up what does not start. Non-role: knows neither
// tasks nor queues: what a worker has is taken from it by others, before it is told to go or after it was lost.
// Ownership: owns workers. Pools are their owner's, which keeps them while they have processes.
// Thread safety: none; used under the core's mutex.
// Invariants (Check): a worker is being killed exactly while it is known why; a pool has a next generation exactly
// while it is reloaded; workers are stale exactly while they are replaced; Pool::counts is what its workers are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/pool.h"
#include "core/pool/lives.h"
#include "core/ports.h"
#include "core/timers.h"

namespace poold::core {

// Told about the processes of a pool, as far as others have to do something about it.
class StaffingListener {
 public:
  // Watchers see something else of the pool than before.
  virtual void PoolChanged(const Pool& pool) = 0;
  // PoolView::start_failure of a pool became empty, or is no longer.
  virtual void StartsChanged() = 0;
  // As many workers are ready as the pool is to have. Comes again with each further one.
  virtual void AllAreReady(Pool& pool) = 0;
  // It is known which functions the pool has, for the first time, or after a reload (`reloaded`).
  virtual void FunctionsAreKnown(Pool& pool, bool reloaded) = 0;
  // The pool does not start, and is to fail.
  virtual void DoesNotStart(Pool& pool, std::string why) = 0;
  // A reload that was asked for has begun.
  virtual void ReloadBegins(Pool& pool) = 0;
  // The reload is over: the new generation is the pool's; else it was dropped, and Pool::reload_failure says why.
  virtual void ReloadEnds(Pool& pool, bool replaced) = 0;

 protected:
  ~StaffingListener() = default;
};

// Bugs for the simulator to find.
struct StaffingFaults {
  bool replace_early = false;  // lets a worker go before its replacement is ready
};

class Staffing {
 public:
  // The facts about a worker whose process has ended.
  struct Loss {
    // The worker had become ready.
    bool was_ready = false;
    // The worker was told to go, or was killed.
    bool expected = false;
    // The death breaks its pool, which is strict.
    bool breaks = false;
  };

  // `now`: the time of the present event. All outlive it.
  Staffing(const ShardInfo& shard, const Nanos* now, WorkerPort* port, Timers* timers, Lives* lives,
           StaffingListener* listener)
      : shard_(shard), now_(*now), port_(port), timers_(timers), lives_(lives), listener_(listener) {}

  // ---- Pools ----
  // Starts the first zygote of a new pool.
  void Open(Pool& pool);
  // Starts and stops workers until there are as many as are wanted. Call when Pool::scaling was asked for.
  void Scale(Pool& pool);
  // The workers that are too many, the most dispensable one first. Call after PoolSpec::workers has changed; what each
  // has is taken back, and then it is stopped.
  static std::vector<Worker*> Surplus(Pool& pool);
  // Tells AllAreReady if as many workers are ready as are wanted.
  void CheckReady(Pool& pool);
  // Tells the processes of the pool to go: nothing is left to do in it, and nothing will come. Call until it has none.
  void WindDown(Pool& pool);
  // Kills the processes of the pool; nothing more is started.
  void KillAll(Pool& pool, Nanos grace);
  // Reloads the pool: now, after the reload that is under way, or when the pool runs.
  void Reload(Pool& pool);
  // Drops a reload, because the pool ends. Workers of the next generation that are ready help to the end.
  void AbandonReload(Pool& pool);

  // ---- Zygotes ----
  // False: the zygote is not known any more.
  bool ZygoteIsReady(Pool& pool, std::uint32_t number);
  void ZygoteIsLost(Pool& pool, std::uint32_t number, std::string why, LossCause cause);
  // TimerKind::kPoolStart: the pause before the next try is over.
  void RetryStart(Generation& generation);

  // ---- Workers ----
  // The worker; null: there is none, or it is gone.
  Worker* Find(WorkerId id) const;
  // Tells the worker to go when it has finished what it has. Safe to repeat.
  void Stop(Worker& worker);
  // As Stop, because the worker has had as many tasks as it may have.
  void Recycle(Worker& worker);
  // Kills the worker; the first reason counts. May be called again with a smaller grace.
  void Kill(Worker& worker, KilledBy why, Nanos grace);
  // Has the worker replaced, if it is not to be already: TimerKind::kWorkerAge. False: nothing has changed.
  bool WearOut(Worker& worker);
  // Takes the worker's resident memory, measured now. Above PoolSpec::max_worker_rss_bytes the worker is worn out.
  // Above memory_limit_bytes it endangers others, so it is killed at once, and its task ends as in any other crash.
  // False: nothing has changed.
  bool TakeUsage(Worker& worker, std::uint64_t rss_bytes);
  // The worker takes work from now on, unless it was told to go. False: it was ready already.
  bool WorkerIsReady(Worker& worker, std::int64_t pid, std::vector<FunctionInfo> functions, bool uses_page);
  // The process has ended. First NoteLoss, which fills the certificate in; then what it had is taken from it; then
  // Forget, after which the worker is gone.
  // `has_guilty`: there is something that dies with it. `why`: of one that never became ready; empty: it did not say.
  // `cause`: whose fault that is.
  Loss NoteLoss(Worker& worker, DeathCertificate& death, bool has_guilty);
  void Forget(Worker& worker, const Loss& loss, std::string why, LossCause cause);

  std::size_t workers() const { return workers_.size(); }
  void Plant(const StaffingFaults& faults) { faults_ = faults; }
  // The first invariant of this pool that does not hold; empty if all do.
  static std::string Check(const Pool& pool);

 private:
  void StartZygote(Generation& generation);
  void StopZygote(Generation& generation);
  void StartWorker(Generation& generation);
  void NoteStartFailure(Generation& generation, std::uint32_t round, std::string why, LossCause cause);
  static void LearnFunctions(Pool& pool, Worker& worker, std::vector<FunctionInfo> functions);
  static void ForgetFunctions(Pool& pool);
  void StopSurplus(Pool& pool);
  void StopUsed(Pool& pool, std::uint64_t most);
  void StartZygotes(Pool& pool, bool missing);
  void StartMissing(Pool& pool);
  void BeginReload(Pool& pool);
  void CheckReload(Pool& pool);
  void RollBack(Pool& pool, std::string_view why);
  void DropNext(Pool& pool);
  void EndReload(Pool& pool, bool replaced);

  const ShardInfo& shard_;
  const Nanos& now_;
  WorkerPort* const port_;
  Timers* const timers_;
  Lives* const lives_;
  StaffingListener* const listener_;
  absl::flat_hash_map<WorkerId, std::unique_ptr<Worker>> workers_;
  std::uint64_t last_worker_ = 0;  // of this core, without gaps; the number that is seen: StartWorker
  StaffingFaults faults_;
};

}  // namespace poold::core
