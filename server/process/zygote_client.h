// One zygote: the process that a pool's workers are cloned from, and the channel to it.
//
// Role: starts it, asks it for clones, notices its end. Non-role: knows nothing of the workers after they were cloned.
// Threads: the process thread only. What it has to say goes to the batch.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "process/death.h"
#include "process/function_list.h"
#include "process/outgoing.h"
#include "process/output_pipe.h"
#include "process/process_thread.h"
#include "process/resource_limits.h"
#include "wire/absl_text.h"
#include "wire/frame.h"

namespace poold::process {

class ZygoteClient {
 public:
  ZygoteClient(ProcessThread* thread, core::PoolId pool, std::uint32_t generation, core::PoolSpec spec);

  // Answered by OnZygoteReady or OnZygoteLost.
  void Start();
  // Answered by OnZygoteLost, once its workers are gone where they need it.
  void Stop();
  // At once.
  void Kill();
  // Asks for a clone with these descriptors (as Clone in worker.proto says); `worker` hears OnCloned or OnCloneFailed.
  void Clone(WorkerProcess* worker, std::vector<wire::UniqueFd> fds, bool has_cgroup);
  // It was asked for a clone and does not answer.
  void CloneOverdue() { KillWithReason("zygote does not answer"); }

  // Reads what there is, and buries it when it is dead. Called by the loop after attend_zygote.
  void Service();
  // It was told to be lost; it may be destroyed.
  bool gone() const { return gone_; }

  // Whether it stands on its dispatcher's list of what is to be looked at. Written by the dispatcher only.
  bool attended = false;

  bool ready() const { return ready_; }
  bool stopping() const { return stopping_; }

  core::PoolId pool() const { return pool_; }
  std::uint32_t generation() const { return generation_; }
  pid_t pid() const { return pid_; }
  const core::PoolSpec& spec() const { return spec_; }
  ContainmentScope& scope() { return *scope_; }
  // Not empty: workers are fresh programs, and this goes first to each of them.
  const std::string& worker_setup() const { return worker_setup_; }

  // Of its READY.
  const FunctionList& functions() const { return functions_; }
  // Its clones limit themselves, as Ready in worker.proto says.
  bool sets_limits() const { return sets_limits_; }

  // Workers cloned from it that live. The zygote tells each of them when it goes (ZygoteGone).
  void WorkerBegins(WorkerProcess* worker) { workers_.insert(worker); }
  void WorkerEnds(WorkerProcess* worker);

 private:
  absl::Status Spawn();
  absl::Status SpawnProgram(int channel, int out, int err, const ZygoteScope& made);
  void Flush();
  void ReadSocket();
  void OnFrame(const wire::Frame& frame);
  void OnReady(const wire::Frame& frame);
  void OnCloned(const wire::Frame& frame);
  void KillWithReason(const std::string& why);
  void DrainPipes();
  // True: there were some.
  bool FailClones();
  void Reap();
  std::string Words() const;
  core::LossCause Cause() const;

  ProcessThread* const thread_;
  const core::PoolId pool_;
  const std::uint32_t generation_;
  const core::PoolSpec spec_;
  std::string program_;
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
  struct Asked {
    WorkerProcess* worker;
    PendingChild pending_child;
  };
  std::map<core::WorkerId, Asked> clones_;  // asked for, not answered
  FunctionList functions_;

  absl::flat_hash_set<WorkerProcess*> workers_;
  std::optional<Death> death_;
  std::string doing_;                                 // before it was ready, in its own words
  std::string failure_;                               // its own words, or ours
  core::LossCause cause_ = core::LossCause::kItself;  // of that
  InheritedLimits limits_;
  int burial_tries_ = 0;
  bool ready_ = false;
  bool killed_ = false;  // by us
  bool sets_limits_ = false;
  bool hung_up_ = false;
  bool clone_failed_ = false;
  bool stopping_ = false;
  bool gone_ = false;
};

}  // namespace poold::process
