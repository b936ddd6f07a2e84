// One worker: from the wish for a clone to the end of its whole process tree.
//
// Role: the life cycle. Makes what the process needs, has the zygote clone it, watches and signals it, reaps it, and
// tells the core of READY and of the end (through the batch). Non-role: what is sent to the worker (WorkerChannel),
// what the worker says of its tasks (WorkerResults).
// Threads: those that own a round of the process thread (event_loop.h): the process thread while it is awake, one other
// thread while it sleeps. The other thread may call DrainRing, HasUnread, doorbell_suppressed, HasRestingOutput, id and
// channel; all else touches watches and timers, and so is for the process thread alone.
// Ownership: owned by the dispatcher; shares the channel; does not own thread and zygote, which tells when it goes.
// Trust: whatever comes from the process is hostile until checked. A worker that writes what no honest worker writes
// is logged and killed with its tree.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

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
  core::Nanos start_timeout = 0;
};

// A worker's READY.
struct WorkerReady {
  FunctionList functions;
  bool uses_page = false;
  Abilities abilities;
  bool told = false;  // and the core knows
};

// How a worker's process ended.
struct WorkerEnd {
  Death death;
  core::Nanos at = 0;
  bool out_of_memory = false;  // says its containment scope
};

class WorkerProcess {
 public:
  WorkerProcess(ProcessThread* thread, core::PoolId pool, std::shared_ptr<WorkerChannel> channel);
  ~WorkerProcess();

  core::WorkerId id() const { return channel_->id(); }
  WorkerChannel& channel() { return *channel_; }

  // Answered by OnWorkerReady or OnWorkerLost. `zygote` is null if the pool has none.
  void Start(ZygoteClient* zygote);
  // The zygote's answers: the process is there; there will be none, with a reason for people and its cause.
  void OnCloned(pid_t pid);
  void OnCloneFailed(const std::string& why, core::LossCause cause);
  // The zygote that the worker was cloned from goes.
  void ZygoteGone() { zygote_ = nullptr; }
  // As core::WorkerPort::KillWorker.
  void Kill(core::Nanos grace);

  // Reads what there is, in bounded portions, does what is due, and goes on with the end of a dead worker. Called by
  // the loop after attend.
  void Service();
  // The socket takes no more now: have Service called when it does.
  void WatchWritable(bool watch) { socket_watch_.Want(reader_.open(), watch); }
  bool watches_writable() const { return socket_watch_.wants_write(); }

  // Reads what the ring holds. Any thread, as said above.
  void DrainRing(wire::RingReader::Bell bell = wire::RingReader::Bell::kWanted);
  // The ring holds something that was not read. Cheap.
  bool HasUnread() const { return results_.HasUnread(); }
  // No bell tells of what comes next into the ring.
  bool doorbell_suppressed() const { return results_.doorbell_suppressed(); }

  // Something may come of which no bell tells, so call Service again in a while.
  bool NeedsPoll() const { return HasProcess(phase_) && results_.NeedsPoll(); }
  // There is output, though nobody will tell when it can be read.
  bool HasRestingOutput() const { return results_.output().resting(); }
  // How often SampleUsage is to be called, in ns; kNever: not at all.
  core::Nanos usage_period() const { return usage_period_; }
  // Looks at the memory of the process when it is time.
  void SampleUsage(core::Nanos now);
  // The core was told of the loss: the object may be destroyed.
  bool gone() const { return phase_ == WorkerPhase::kGone; }

  // Which of its dispatcher's lists it stands on. Written by the dispatcher only.
  struct Marks {
    bool attended = false;
    bool suppressed = false;
  };
  Marks marks;

 private:
  // Who ends the process: nobody yet, or it itself; the daemon, by order; the daemon, for what the worker did.
  enum class EndedBy : std::uint8_t { kItself, kOrder, kFault };

  // Makes a transition of the table. The deadline belongs to the new phase.
  void Enter(WorkerPhase phase, core::Nanos deadline = core::kNever);
  // Makes channel, page, pipes and scope, and asks the zygote for the process: kCloning, if that succeeds.
  absl::Status Make(ZygoteClient* zygote);
  // Gives the process what it needs before it may run anything for others.
  absl::Status Guard();
  // Tells the core, once READY has come and the pid is known. Not where the start has failed.
  void TellReady();
  // Kills the process, now or as soon as it is there.
  void KillNow();
  // REQUIRES: there is a process, or its clone was told of just now.
  void SendKill();
  // Logs, and kills for what the worker did. `why` is for people, and begins with "worker".
  void KillWithReason(const std::string& why);
  // From STOP with no work left, or from the end of the channel on, the process has a time to exit.
  void ExpectExit();
  // Does what is due, and arms the timer for what comes next.
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
  // A result is lost because no descriptor was left for its arena: the worker gives way to another one after what it
  // has.
  void GiveWay();

  // The end.
  // Waits, by the timer, until the tree is dead; then tells the core.
  void Reap();
  core::WorkerLoss MakeLoss();
  std::string StartFailure() const;
  core::LossCause StartCause() const;
  // The item that was begun and has no outcome.
  void FindGuilty(core::WorkerLoss* loss);
  void Certify(core::DeathCertificate* certificate) const;
  bool told_ready() const { return ready_ && ready_->told; }
  bool uses_page() const { return ready_ && ready_->uses_page; }

  ProcessThread* const thread_;
  const core::PoolId pool_;
  const std::shared_ptr<WorkerChannel> channel_;
  ZygoteClient* zygote_ = nullptr;

  WorkerPhase phase_ = WorkerPhase::kNew;
  core::Nanos deadline_ = core::kNever;  // of the phase
  EndedBy ended_by_ = EndedBy::kItself;
  Timer timer_;  // for what comes first
  core::Nanos armed_for_ = core::kNever;

  core::Nanos started_at_ = 0;
  WorkerOrigin origin_;
  core::Nanos usage_period_ = core::kNever;
  core::Nanos next_usage_at_ = 0;
  std::string doing_;  // before READY, in the worker's own words
  std::string start_failure_;
  core::LossCause start_cause_ = core::LossCause::kItself;  // of that

  pid_t pid_ = -1;
  wire::UniqueFd pidfd_;
  std::unique_ptr<ContainmentScope> scope_;
  FdWatch pid_watch_;
  FdWatch socket_watch_;
  ChannelReader reader_;
  WorkerResults results_;
  std::optional<WorkerReady> ready_;
  bool drop_logged_ = false;

  std::optional<WorkerEnd> end_;  // from kDead on, unless there never was a process
  int reap_tries_ = 0;
};

}  // namespace poold::process
