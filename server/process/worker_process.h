// One worker on the process thread: from the wish for a clone to the end of its whole process tree.
//
// Role: its descriptors, reading (channel, ring, output pipes), its signals, its burial. Non-role: what is sent to it
// (WorkerChannel).
// Threads: the process thread only; slots are looked at under the channel's mutex.
// Trust: whatever comes from the process is hostile until checked. A worker that writes what no honest worker writes is
// condemned: logged and killed with its tree.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process/death.h"
#include "process/function_list.h"
#include "process/latest_progress.h"
#include "process/output_pipe.h"
#include "process/process_thread.h"
#include "process/result_arenas.h"
#include "process/worker_channel.h"
#include "wire/frame.h"
#include "wire/outcome_ring.h"

namespace poold::process {

class ZygoteClient;

class WorkerProcess {
 public:
  WorkerProcess(ProcessThread* thread, core::PoolId pool, std::shared_ptr<WorkerChannel> channel);
  ~WorkerProcess();

  core::WorkerId id() const { return channel_->id(); }
  core::PoolId pool() const { return pool_; }
  WorkerChannel& channel() { return *channel_; }

  // Answered by OnWorkerReady or OnWorkerLost. `zygote` is null if the pool has none.
  void Start(ZygoteClient* zygote);
  void OnCloned(pid_t pid);
  void OnCloneFailed(const std::string& why, core::LossCause cause);
  // The zygote that it was cloned from goes.
  void ZygoteGone() { zygote_ = nullptr; }
  ZygoteClient* zygote() const { return zygote_; }
  // As core::WorkerPort::KillWorker.
  void Kill(core::Nanos grace);

  // Reads what there is, in bounded portions, and goes on with the burial of a dead one. By the loop after attend.
  void Service();
  // Reads what its ring holds.
  void DrainRing(wire::RingReader::Bell bell = wire::RingReader::Bell::kWanted);
  // Its ring holds something. For who looks again and again.
  bool HasNews() const { return ring_ && !ring_broken_ && ring_->HasUnread(); }
  // No bell will tell of what comes next.
  bool doorbell_suppressed() const { return doorbell_suppressed_; }
  // The socket takes no more now: be attended when it does.
  void WatchWritable(bool watch) { socket_watch_.Want(reading_, watch); }
  bool watches_writable() const { return socket_watch_.wants_write(); }
  // Something may come of which no bell tells, so look again in a while.
  bool NeedsPoll();
  // Its output is to be read, though nobody will tell when that is possible.
  bool HasRestingOutput() const { return pipes_resting_; }
  // How often its memory is to be looked at; kNever: not at all.
  core::Nanos usage_period() const { return usage_period_; }
  // Looks, when it is time.
  void SampleUsage(core::Nanos now);
  // It was told to be lost; it may be destroyed.
  bool gone() const { return gone_; }

  // Which of its dispatcher's lists it stands on. Written by the dispatcher only.
  struct Marks {
    bool attended = false;
    bool suppressed = false;
  };
  Marks marks;

 private:
  absl::Status Make(ZygoteClient* zygote);
  // What a process needs before it may run anything for others.
  absl::Status Guard();
  absl::Status MakePipes(ChildPipeEnds* out, ChildPipeEnds* err);
  void KillNow();
  // Does what is due, and arms the timer for what comes next.
  void KeepDeadlines();
  void KillWithReason(const std::string& why);

  // Channel.
  void ReadSocket();
  // Cuts what was read. False: it makes no sense, and the worker was condemned.
  bool ReadFrames();
  // Reads once. False: there is nothing more now, or ever again.
  bool Receive(std::size_t* total);
  // A new arena, which was sent before the record that speaks of it. Nothing: it was not.
  std::optional<wire::UniqueFd> TakeFile();
  void LoseFile();
  void OnFrame(const wire::Frame& frame);
  void OnReady(const wire::Frame& frame);
  void OnOutcomes(const wire::Frame& frame);
  void OnOutput(const wire::Frame& frame);
  void OnProgress(const wire::Frame& frame);
  void TellReady();

  // Ring and results.
  void OnRecord(const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void OnOutcome(const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void OnRun(const wire::ResultRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void OnEachOf(const wire::ResultRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void AddFragment(Slot* slot, std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void OnResultInArena(Slot* slot, const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  absl::StatusOr<base::Kept> TakeFromArena(const wire::RecordHeader& header, std::string_view bytes);
  ResultOf PlainResultOf(const Slot& slot, const wire::RecordHeader& header) const;
  // The bytes lie in `kept`, if that is not empty; else they are copied.
  void FinishItem(Slot* slot, const wire::RecordHeader& header, std::string_view bytes, core::Bytes kept)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  std::uint64_t MaxResultBytes(const Slot& slot) const;
  std::string TooLargeText() const;
  bool InOrder(const Slot& slot, const wire::RecordHeader& header) const;
  void NoteProgress(const wire::RecordHeader& header, std::optional<wire::ProgressNote> note)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void TellProgress(std::optional<TicketProgress> progress) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void RefuseResult(Slot* slot, const wire::RecordHeader& header) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void TookOutcomes(Slot* slot, std::uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());

  // Output.
  void DrainPipes();
  void ReadPipes(std::size_t limit);
  void AddOutput(std::uint32_t ticket, core::OutputStream stream, std::string_view text)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  std::uint32_t CurrentTicket() ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());

  // The end.
  void Reap();
  std::string StartFailure() const;
  core::LossCause StartCause() const;
  void FindGuilty(core::WorkerLoss* loss);
  void Certify(core::DeathCertificate* certificate) const;

  ProcessThread* const thread_;
  const core::PoolId pool_;
  const std::shared_ptr<WorkerChannel> channel_;
  ZygoteClient* zygote_ = nullptr;

  pid_t pid_ = -1;
  wire::UniqueFd pidfd_;
  std::unique_ptr<ContainmentScope> scope_;
  FdWatch pid_watch_;
  bool exited_ = false;  // says pid_watch_
  FdWatch socket_watch_;
  OutputPipe pipes_[2];
  TextTail tails_[2];
  std::uint32_t tail_ticket_;
  wire::FrameParser parser_;
  // Came with RESULT_ARENA frames, in their order; not spoken of yet.
  std::deque<wire::UniqueFd> files_;
  ResultArenas result_arenas_;
  std::optional<wire::RingReader> ring_;
  FunctionList functions_;  // its own, from READY on
  FunctionList zygote_functions_;
  std::uint32_t generation_ = 0;
  ResourceLimits limits_;
  bool limits_itself_ = false;
  core::Nanos start_timeout_ = 0;
  core::Nanos usage_period_ = core::kNever;
  core::Nanos next_usage_at_ = 0;
  LatestProgress progress_;

  // One timer for what comes first.
  Timer timer_;
  core::Nanos armed_for_ = core::kNever;
  core::Nanos started_at_ = 0;
  // Deadlines: of the clone, of READY, of the grace after SIGTERM, of the exit after STOP or the channel's end.
  core::Nanos clone_by_ = core::kNever;
  core::Nanos ready_by_ = core::kNever;
  core::Nanos kill_at_ = core::kNever;
  core::Nanos exit_by_ = core::kNever;
  std::optional<Death> death_;
  bool out_of_memory_ = false;
  core::Nanos died_at_ = 0;
  int burial_tries_ = 0;
  std::string doing_;  // before it was ready, in its own words
  std::string start_failure_;
  core::LossCause start_cause_ = core::LossCause::kItself;  // of that

  bool cloning_ = false;
  bool reading_ = false;
  bool ready_ = false;       // said READY
  bool told_ready_ = false;  // and the core knows
  bool uses_page_ = false;
  Abilities abilities_;
  bool ring_broken_ = false;
  bool doorbell_suppressed_ = false;
  bool killed_ = false;     // by us
  bool condemned_ = false;  // for what it did
  bool pipes_ready_ = false;
  bool pipes_resting_ = false;
  bool dropped_logged_ = false;
  bool gone_ = false;
};

}  // namespace poold::process
