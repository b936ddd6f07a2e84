// WorkerProcess: one worker, from the wish for a clone to the end of its whole process tree.
//
// Role: the life cycle. Makes channel, page and scope of the process, asks the zygote to clone it, watches and signals
// it, reaps it, and tells the core of READY and of the end (through the batch). Non-role: sends no work (WorkerChannel
// does), and reads no outcomes (WorkerResults does). Threads: those that own a round of the process thread
// (event_loop.h): the process thread while it is awake, one other thread while it sleeps. The other thread may call
// DrainRing, HasUnread, doorbell_suppressed, HasRestingOutput, id and channel; all else touches watches and timers, and
// so is for the process thread alone. Ownership: owned by the dispatcher; shares the channel; does not own thread and
// zygote. The zygote calls ZygoteGone before it goes. Trust: everything that comes from the process is hostile until
// checked. A worker that writes what no honest worker writes is logged and killed with its tree.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "process/channel_reader.h"
#include "process/death.h"
#include "process/life_cycle.h"
#include "process/process_thread.h"
#include "process/worker_channel.h"
#include "process/worker_messages.h"
#include "process/worker_results.h"
#include "wire/frame.h"
#include "wire/outcome_ring.h"

namespace poold::process {

class ZygoteClient;

// The zygote as it was when a worker was cloned from it.
struct WorkerOrigin {
  std::uint32_t generation = 0;
  ResourceLimits limits;
  FunctionList functions;
  // From the start of the process to its READY, in ns.
  core::Nanos start_timeout = 0;
};

// A worker's READY.
struct WorkerReady {
  FunctionList functions;
  bool uses_page = false;
  Abilities abilities;
  // Whether the core was told.
  bool told = false;
};

// How a worker's process ended.
struct WorkerEnd {
  Death death;
  // When the process was found to have ended.
  core::Nanos at = 0;
  // Whether its containment scope says that the kernel killed for lack of memory.
  bool out_of_memory = false;
};

class WorkerProcess {
 public:
  WorkerProcess(ProcessThread* thread, core::PoolId pool, std::shared_ptr<WorkerChannel> channel);
  ~WorkerProcess();

  core::WorkerId id() const { return channel_->id(); }
  WorkerChannel& channel() { return *channel_; }

  // Begins the life of the worker. The core's answer is OnWorkerReady or OnWorkerLost. `zygote` is null if the pool has
  // none.
  void Start(ZygoteClient* zygote);
  // The zygote's answers. OnCloned: the process exists. OnCloneFailed: it never will; `why` is for people.
  void OnCloned(pid_t pid);
  void OnCloneFailed(const std::string& why, core::LossCause cause);
  // Tells that the zygote which the worker was cloned from is about to go.
  void ZygoteGone() { zygote_ = nullptr; }
  // As core::WorkerPort::KillWorker.
  void Kill(core::Nanos grace);

  // Reads in bounded portions, keeps the deadlines, and goes on with the end of a dead worker. The loop calls after
  // attend.
  void Service();
  // With `watch`, Service is called when the socket takes more bytes.
  void WatchWritable(bool watch) { socket_watch_.Want(reader_.open(), watch); }
  bool watches_writable() const { return socket_watch_.wants_write(); }

  // Reads the records in the ring. Any thread, as said above.
  void DrainRing(wire::RingReader::Bell bell = wire::RingReader::Bell::kWanted);
  // As WorkerResults::HasUnread.
  bool HasUnread() const { return results_.HasUnread(); }
  // As WorkerResults::doorbell_suppressed.
  bool doorbell_suppressed() const { return results_.doorbell_suppressed(); }

  // Whether records or output may come of which no bell tells, so that Service must be called again in a while.
  bool NeedsPoll() const { return HasProcess(phase_) && results_.NeedsPoll(); }
  // Whether pipes rest with output in them, so that no descriptor tells of it.
  bool HasRestingOutput() const { return results_.output().resting(); }
  // The ns between two calls of SampleUsage; kNever: no calls are wanted.
  core::Nanos usage_period() const { return usage_period_; }
  // Measures the memory of the process, if the period is over.
  void SampleUsage(core::Nanos now);
  // Whether the core was told of the loss, so that the object may be destroyed.
  bool gone() const { return phase_ == WorkerPhase::kGone; }

  // The lists of the dispatcher on which the worker stands. Written by the dispatcher only.
  struct Marks {
    bool attended = false;
    bool suppressed = false;
  };
  Marks marks;

 private:
  // The party that ends the process.
  enum class EndedBy : std::uint8_t {
    // The process itself, or nobody yet.
    kItself,
    // The daemon, on demand of the core.
    kOrder,
    // The daemon, for a fault of the worker.
    kFault,
  };

  // Makes a transition of the table. The deadline belongs to the new phase.
  void Enter(WorkerPhase phase, core::Nanos deadline = core::kNever);
  // Makes channel, page, pipes and scope, and asks the zygote for the process: kCloning, if that succeeds.
  absl::Status Make(ZygoteClient* zygote);
  // Puts the process into its scope and sets its limits, before it may run code of others.
  absl::Status Guard();
  // Tells the core of READY, once READY has come and the pid is known, unless the start has failed.
  void TellReady();
  // Kills the process, now or as soon as it is there.
  void KillNow();
  // REQUIRES: there is a process, or its clone was told of just now.
  void SendKill();
  // Logs a fault of the worker and kills it. `why` is for people, and begins with "worker".
  void KillWithReason(const std::string& why);
  // Logs what the task that runs was asked, as far as that belongs into the log.
  void LogTask(base::Level level);
  // Sets the deadline of the exit, from STOP with no work left or from the end of the channel on.
  void ExpectExit();
  // Acts on deadlines that have come, and arms the timer for the next one.
  void KeepDeadlines();
  // The deadline of the phase has come.
  void OnDeadline();
  // Reaps the process if it has ended.
  void TakeExit();

  // Reading.
  void ReadSocket();
  // Handles the frames that were read. False: there is nothing more to read.
  bool ReadFrames();
  void OnFrame(const wire::Frame& frame);
  void OnReady(const wire::Frame& frame);
  // Does what the results ask for: kills for a fault, logs what was dropped.
  void CheckResults();
  // Retires the worker after the work that it has: a result was lost because no descriptor was left for its arena.
  void GiveWay();

  // The end.
  // Waits, by the timer, until the tree is dead; then tells the core.
  void Reap();
  core::WorkerLoss MakeLoss();
  std::string StartFailure() const;
  core::LossCause StartCause() const;
  // Finds the item that was begun and has no outcome.
  void FindGuilty(core::WorkerLoss* loss);
  void Certify(core::DeathCertificate* certificate) const;
  bool told_ready() const { return ready_ && ready_->told; }
  bool uses_page() const { return ready_ && ready_->uses_page; }

  ProcessThread* const thread_;
  const core::PoolId pool_;
  const std::shared_ptr<WorkerChannel> channel_;
  ZygoteClient* zygote_ = nullptr;

  WorkerPhase phase_ = WorkerPhase::kNew;
  // The moment at which the phase is over; kNever: it has none.
  core::Nanos deadline_ = core::kNever;
  EndedBy ended_by_ = EndedBy::kItself;
  // Runs for the first of all moments that are waited for, which is `armed_for_`.
  Timer timer_;
  core::Nanos armed_for_ = core::kNever;

  core::Nanos started_at_ = 0;
  WorkerOrigin origin_;
  core::Nanos usage_period_ = core::kNever;
  core::Nanos next_usage_at_ = 0;
  // Before READY: what the process says that it is doing, in its own words.
  std::string doing_;
  // Why the start failed; empty: it did not.
  std::string start_failure_;
  // Whose fault `start_failure_` is.
  core::LossCause start_cause_ = core::LossCause::kItself;

  // -1: there is no process yet, or there never was one.
  pid_t pid_ = -1;
  wire::UniqueFd pidfd_;
  std::unique_ptr<ContainmentScope> scope_;
  FdWatch pid_watch_;
  FdWatch socket_watch_;
  ChannelReader reader_;
  WorkerResults results_;
  // None: READY has not come.
  std::optional<WorkerReady> ready_;
  // The log says that a result of this worker was dropped: once for each worker.
  bool drop_logged_ = false;

  // Set from kDead on, unless there never was a process.
  std::optional<WorkerEnd> end_;
  int reap_tries_ = 0;
};

}  // namespace poold::process
