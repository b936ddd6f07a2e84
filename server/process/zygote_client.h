// ZygoteClient: one zygote, the process that a pool's workers are cloned from, and the channel to it.
//
// Role: starts the process, asks it for clones, notices its end, and tells the core of start and end (through the
// batch). Non-role: knows of cloned workers only that they live. Threads: the process thread, while it is awake.
// Ownership: owned by the dispatcher; does not own thread and workers. A worker calls WorkerEnds at its end; the zygote
// calls WorkerProcess::ZygoteGone at its own. Trust: the zygote has run code of others. Its frames are checked; a
// zygote that writes what no honest one writes is logged and killed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "process/death.h"
#include "process/life_cycle.h"
#include "process/outgoing.h"
#include "process/output_pipe.h"
#include "process/process_thread.h"
#include "process/resource_limits.h"
#include "process/worker_messages.h"
#include "wire/absl_text.h"
#include "wire/frame.h"

namespace poold::process {

// A zygote's READY.
struct ZygoteReady {
  FunctionList functions;
  // Its clones limit themselves, as Ready in worker.proto says.
  bool sets_limits = false;
};

// How a zygote's process ended.
struct ZygoteEnd {
  Death death;
  // The daemon killed it.
  bool killed = false;
};

class ZygoteClient {
 public:
  // `generation` tells the zygotes of a pool apart.
  ZygoteClient(ProcessThread* thread, core::PoolId pool, std::uint32_t generation, core::PoolSpec spec);

  // Starts the process. The core's answer is OnZygoteReady or OnZygoteLost; a process that cannot be started is lost at
  // once. Call once.
  void Start();
  // Stops the process once all its workers are gone. The core's answer is OnZygoteLost. Idempotent.
  void Stop();
  // Asks for a clone with these descriptors (as Clone in worker.proto says). The answer is worker->OnCloned or
  // OnCloneFailed.
  void Clone(WorkerProcess* worker, std::vector<wire::UniqueFd> fds, bool has_cgroup);
  // Kills the zygote, because a worker waited too long for its clone.
  void CloneOverdue() { KillWithReason("zygote does not answer"); }

  // Reads frames and output, and goes on with the end of a dead zygote. The loop calls after attend_zygote.
  void Service();
  // Whether the core was told of the loss, so that the object may be destroyed.
  bool gone() const { return phase_ == ZygotePhase::kGone; }

  // Whether the zygote stands on its dispatcher's list of those to be serviced. Written by the dispatcher only.
  bool attended = false;

  // Whether Stop was called, so that no clone may be asked for any more.
  bool stopping() const { return stop_wanted_; }

  core::PoolId pool() const { return pool_; }
  std::uint32_t generation() const { return generation_; }
  const core::PoolSpec& spec() const { return spec_; }
  ContainmentScope& scope() { return *scope_; }
  // A SETUP frame that each worker gets first, where workers are fresh programs; else empty.
  const std::string& worker_setup() const { return worker_setup_; }

  // The functions of its READY; null before that.
  FunctionList functions() const { return ready_ ? ready_->functions : nullptr; }
  bool sets_limits() const { return ready_ && ready_->sets_limits; }

  // Add and remove a living worker that was cloned from this zygote.
  void WorkerBegins(WorkerProcess* worker) { workers_.insert(worker); }
  void WorkerEnds(WorkerProcess* worker);

 private:
  // Makes channel, pipes, scope and process, and sends SETUP. After an error there may be a process: pid_ > 0.
  absl::Status Spawn();
  absl::Status SpawnProgram(int channel, int out, int err, const ZygoteScope& made);
  // Acts on a deadline that has come: that of READY, or of the exit after the channel's end.
  void OnTime();
  // Reaps the process if it has ended.
  void TakeExit();
  void Kill();
  void Flush();
  void ReadSocket();
  void OnFrame(const wire::Frame& frame);
  void OnReady(const wire::Frame& frame);
  void OnCloned(const wire::Frame& frame);
  void KillWithReason(const std::string& why);
  void DrainPipes();
  // Refuses all clones that are still asked for. True: there were some.
  bool FailClones();
  // Waits, by the timer, until the tree is dead; then tells the core.
  void Reap();
  // The reason for its end, for people and for the core. "": it was stopped.
  std::string Words() const;
  core::LossCause Cause() const;

  ProcessThread* const thread_;
  const core::PoolId pool_;
  const std::uint32_t generation_;
  const core::PoolSpec spec_;
  // The program that is executed, an absolute path.
  std::string program_;
  // The SETUP frame for workers that are fresh programs; "": workers are clones.
  std::string worker_setup_;

  pid_t pid_ = -1;
  wire::UniqueFd pidfd_;
  wire::UniqueFd socket_;
  std::unique_ptr<ContainmentScope> scope_;
  FdWatch pid_watch_;
  FdWatch socket_watch_;
  OutputPipe pipes_[2];
  TextTail output_;
  Timer timer_;
  wire::FrameParser parser_;
  Outgoing outgoing_;
  // A clone that was asked for.
  struct Asked {
    WorkerProcess* worker;
    PendingChild pending_child;
  };
  // Clones that the zygote has not answered yet.
  std::map<core::WorkerId, Asked> clones_;

  absl::flat_hash_set<WorkerProcess*> workers_;
  ZygotePhase phase_ = ZygotePhase::kNew;
  std::optional<ZygoteReady> ready_;
  // Set from kDead on.
  std::optional<ZygoteEnd> end_;
  // Before READY: what the zygote says that it is doing, in its own words.
  std::string doing_;
  // Why the zygote ended, in its own words or ours; "": it was stopped, or lives.
  std::string failure_;
  // Whose fault `failure_` is.
  core::LossCause cause_ = core::LossCause::kItself;
  InheritedLimits limits_;
  int reap_tries_ = 0;
  // A clone failed since the zygote's limits were lifted.
  bool clone_failed_ = false;
  // Stop was called.
  bool stop_wanted_ = false;
};

}  // namespace poold::process
