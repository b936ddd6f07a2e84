// The outcomes, progress and output of one worker's tasks, on their way into the batch.
//
// Role: reads the ring and the output pipes, finds the slot of each record, checks it, adds events to the batch of the
// process thread. Non-role: knows no life cycle, kills nobody: a fault of the worker is a value that its owner asks
// for.
// Threads: one at a time, those that may run its WorkerProcess (worker_process.h). Slots are looked at under the
// channel's mutex, which each method takes for itself. DrainPipes is for the process thread alone.
// Ownership: does not own thread, channel and reader; they must outlive it.
// Trust: whatever is read comes from a hostile process.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/types.h"
#include "process/channel_reader.h"
#include "process/process_thread.h"
#include "process/result_arenas.h"
#include "process/worker_channel.h"
#include "process/worker_messages.h"
#include "process/worker_output.h"
#include "wire/frame.h"
#include "wire/outcome_ring.h"

namespace poold::process {

// The latest progress of one worker's task, passed on at most 20 times a second.
//
// Role: the first note of a task goes on at once; of the notes that follow within 50 ms only the last one does, when
// the 50 ms are over or when the task ends. Non-role: judges no fraction (wire/outcome_ring.h does).
// Threads: guarded by its WorkerResults. Units: times are in ns, of the monotonic clock.

// A note of the task, or of the item of a chunk, that the worker names by `ticket`.
struct TicketProgress {
  std::uint32_t ticket = 0;
  std::uint32_t item = 0;
  wire::ProgressNote note;
};

class LatestProgress {
 public:
  // Replaces the note that waits, whatever task that is of: a worker runs one at a time.
  void Add(TicketProgress progress) { latest_ = std::move(progress); }
  // The note that is to be told at `now`; none: it is too early, or nothing waits.
  std::optional<TicketProgress> TakeDue(core::Nanos now);
  // The task ends: its note that was not told yet.
  std::optional<TicketProgress> TakeOf(std::uint32_t ticket);
  // When TakeDue has something; kNever if nothing waits.
  core::Nanos due_at() const;

 private:
  std::optional<TicketProgress> latest_;
  // The ticket of the note that was passed on last, and the moment of that in ns.
  std::optional<std::uint32_t> told_ticket_;
  core::Nanos told_at_ = 0;
};

// Reads the message of a frame. False: the frame holds no such message.
template <typename Message>
bool Parse(const wire::Frame& frame, Message* message) {
  return message->ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()));
}

class WorkerResults {
 public:
  WorkerResults(ProcessThread* thread, WorkerChannel* channel, ChannelReader* reader);

  // The ring lies in `page_memory`, which must outlive the reading.
  void Open(void* page_memory) { ring_.emplace(page_memory); }
  // Takes the functions of the worker's READY, and whether the worker uses the page.
  void Begin(FunctionList functions, bool uses_page);

  // Reads what the ring holds.
  void DrainRing(wire::RingReader::Bell bell);
  // Reads the pipes, in a bounded portion; output that came through the ring before it is told first. A pipe that the
  // worker reads itself just now comes to rest; `dead`: there is no worker that could.
  void DrainPipes(bool dead);
  // Reads what is left when everything of the worker is dead.
  void ReadLastOutput();

  // Takes an OUTCOMES, OUTPUT or PROGRESS frame, which workers without a page send. INVALID_ARGUMENT: no honest worker
  // sends this.
  absl::Status OnFrame(const wire::Frame& frame);

  // Adds the progress that is due at `now`; kNever: whatever waits.
  void TellProgressDue(core::Nanos now);
  // The moment from which TellProgressDue has something to add, in ns; kNever: no note waits.
  core::Nanos progress_due_at() const { return progress_.due_at(); }

  // A fault in words for people: bytes in the ring or in outcomes that no honest worker writes. "": there is none, or
  // it was taken already. After a fault the ring and outcomes are not read any more.
  std::string TakeFault() { return std::exchange(fault_, {}); }
  bool HasFault() const { return !fault_.empty(); }
  // Whether a result was dropped since the last call because its ticket names no task here. Harmless: the task may have
  // been taken back.
  bool TakeDropped() { return std::exchange(dropped_, false); }

  // Whether the ring holds unread records. Costs one load, for threads that poll.
  bool HasUnread() const { return ring_ && !broken_ && ring_->HasUnread(); }
  // Whether the worker writes its next record without ringing the bell.
  bool doorbell_suppressed() const { return doorbell_suppressed_; }
  // Whether records or output may come of which no bell and no descriptor tells, so that somebody must look.
  bool NeedsPoll() const { return output_.resting() || (uses_page_ && channel_->Busy()); }
  WorkerOutput& output() { return output_; }
  const WorkerOutput& output() const { return output_; }
  // The size of all arenas with results that are mapped here.
  std::uint64_t arena_bytes() const { return arenas_.bytes(); }

 private:
  absl::Status OnOutcomes(const wire::Frame& frame);
  absl::Status OnOutput(const wire::Frame& frame);
  absl::Status OnProgress(const wire::Frame& frame);
  void OnRecord(const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void OnOutcome(const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // Adds the results of neighbouring items of a chunk: in one piece where they have nothing but results, else one by
  // one.
  void OnRun(const wire::ResultRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // Adds the results of a run one by one.
  void OnEachOf(const wire::ResultRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // Adds a piece of a result to slot->draft. Where there is no room, slot->refusal says so.
  void AddFragment(Slot* slot, std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // Adds a result that lies in an arena, at the place that the record's bytes name.
  void OnResultInArena(Slot* slot, const wire::RecordHeader& header, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // As ResultArenas::Take.
  absl::StatusOr<base::Kept> TakeFromArena(const wire::RecordHeader& header, std::string_view bytes);
  ResultOf PlainResultOf(const Slot& slot, const wire::RecordHeader& header) const;
  // Adds the outcome of the slot's next item. The bytes lie in `kept`, if that is not empty; else they are copied.
  void FinishItem(Slot* slot, const wire::RecordHeader& header, std::string_view bytes, core::Bytes kept)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // The item fails, for slot->refusal, and the worker lives: the rest of the result is dropped as it comes.
  void RefuseResult(Slot* slot, const wire::RecordHeader& header) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // Counts `count` more finished items. Frees the slot with the last one.
  void TookOutcomes(Slot* slot, std::uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  std::uint64_t MaxResultBytes(const Slot& slot) const;
  std::string TooLargeText() const;
  // Whether the record is of the slot's next item.
  bool InOrder(const Slot& slot, const wire::RecordHeader& header) const;

  void NoteProgress(const wire::RecordHeader& header, std::optional<wire::ProgressNote> note)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  void TellProgress(std::optional<TicketProgress> progress) ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());

  void ReadPipes(std::size_t limit);
  void AddOutput(std::uint32_t ticket, core::OutputStream stream, std::string_view text)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());
  // The ticket of the running task; kNoSlot: none runs.
  std::uint32_t CurrentTicket() ABSL_EXCLUSIVE_LOCKS_REQUIRED(channel_->mutex());

  // Notes a fault of the worker. From here on nothing is read from the ring.
  void Break(std::string fault);

  ProcessThread* const thread_;
  WorkerChannel* const channel_;
  ChannelReader* const reader_;
  std::optional<wire::RingReader> ring_;
  FunctionList functions_;
  bool uses_page_ = false;
  bool doorbell_suppressed_ = false;
  bool dropped_ = false;
  bool broken_ = false;
  // The fault that was found and not taken yet; "": none.
  std::string fault_;
  ResultArenas arenas_;
  LatestProgress progress_;
  WorkerOutput output_;
};

}  // namespace poold::process
