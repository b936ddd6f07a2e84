// WorkerProcess, the part that reads: channel, ring, output pipes.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "base/log.h"
#include "process/failure_text.h"
#include "process/worker_process.h"
#include "wire/absl_text.h"
#include "wire/fd_socket.h"

namespace poold::process {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kSocketBytesPerTurn = 1u << 20;
constexpr std::size_t kPipeBytesPerTurn = 64 * 1024;
// Of new arenas: as many as there may be tasks whose outcome was not read yet, and one that is on its way.
constexpr std::size_t kMaxFiles = wire::kClaimSlots + 1;

template <typename Message>
bool Parse(const wire::Frame& frame, Message* message) {
  return message->ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()));
}

}  // namespace

void WorkerProcess::ReadSocket() {
  std::size_t total = 0;
  bool more = true;
  while (ReadFrames() && more && (total < kSocketBytesPerTurn || death_)) more = Receive(&total);
}

bool WorkerProcess::ReadFrames() {
  while (reading_) {
    const auto frame = parser_.Next();
    if (!frame.ok()) {
      reading_ = false;
      socket_watch_.Stop();
      KillWithReason("worker wrote a broken frame: " + std::string(wire::ToStd(frame.status().message())));
    } else if (*frame) {
      OnFrame(**frame);
    } else {
      break;
    }
  }
  return reading_;
}

bool WorkerProcess::Receive(std::size_t* total) {
  const std::size_t wanted = std::max(parser_.Wanted(), kReadBytes);
  std::vector<wire::UniqueFd> files;
  const auto got = wire::Receive(channel_->socket(), parser_.Reserve(wanted), wanted, &files, wire::Patience::kNoWait);
  for (wire::UniqueFd& file : files) files_.push_back(std::move(file));
  if (got.ok() && got->lost_descriptors) LoseFile();
  const bool ended_by_file = !files.empty();
  if (got.ok() && got->would_block) return false;
  if (!got.ok() || got->end_of_file) {
    reading_ = false;
    if (!channel_->StopSent()) exit_by_ = thread_->clock.Now() + core::kSecond;
    thread_->attend(this);  // perhaps this is not the process thread, which alone may touch the watch
    return false;
  }
  parser_.Commit(got->bytes);
  *total += got->bytes;
  if (files_.size() <= kMaxFiles) return got->bytes == wanted || ended_by_file;
  files_.clear();
  KillWithReason("worker sent more arenas than results");
  return false;
}

// Its arena cannot be looked at, now or later: the result that lies there is lost, and the worker gives way to another
// one after what it has.
void WorkerProcess::LoseFile() {
  files_.emplace_back();
  base::Log(base::Level::kWarning, "result_lost",
            {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "no descriptor was left for it"}});
  channel_->RequestStop();
  thread_->attend(this);
}

std::optional<wire::UniqueFd> WorkerProcess::TakeFile() {
  // Bells may be before it. What comes along is cut into frames in its turn.
  std::size_t total = 0;
  bool more = true;
  while (files_.empty() && reading_ && more && total < kSocketBytesPerTurn) more = Receive(&total);
  if (files_.empty()) return std::nullopt;
  wire::UniqueFd file = std::move(files_.front());
  files_.pop_front();
  return file;
}

void WorkerProcess::OnFrame(const wire::Frame& frame) {
  switch (frame.kind) {
    case internal::FRAME_KIND_BELL:
      return;  // the ring is looked at in any case
    case internal::FRAME_KIND_RESULT_ARENA:
      if (!uses_page_) break;
      return;  // its descriptor waits for its record
    case internal::FRAME_KIND_READY:
      return OnReady(frame);
    case internal::FRAME_KIND_STARTING:
      if (!ready_) doing_ = ParseStarting(frame);
      return;
    case internal::FRAME_KIND_OUTCOMES:
      return OnOutcomes(frame);
    case internal::FRAME_KIND_OUTPUT:
      return OnOutput(frame);
    case internal::FRAME_KIND_PROGRESS:
      return OnProgress(frame);
    case internal::FRAME_KIND_START_FAILED: {
      internal::StartFailed failed;
      if (!ready_ && Parse(frame, &failed) && start_failure_.empty()) start_failure_ = DescribeStartFailure(failed);
      return;
    }
    default:
      break;
  }
  KillWithReason("worker sent a frame that makes no sense, of kind " + std::to_string(frame.kind));
}

void WorkerProcess::OnReady(const wire::Frame& frame) {
  internal::Ready ready;
  if (ready_ || !Parse(frame, &ready)) return KillWithReason("worker sent a READY that makes no sense");
  if (ready.protocol_version() != wire::kProtocolVersion) {
    return KillWithReason("worker speaks protocol version " + std::to_string(ready.protocol_version()) +
                          ", this daemon speaks " + std::to_string(wire::kProtocolVersion) + ": build it again");
  }
  functions_ = ready.same_functions() ? zygote_functions_ : TakeFunctions(&ready);
  if (const std::string wrong = WhatIsWrong(*functions_); !wrong.empty()) return KillWithReason("worker " + wrong);
  ready_ = true;
  uses_page_ = ready.uses_page();
  // An arena stays mapped, and would count against what a task may use of the address space.
  const bool limited = limits_.contains(core::ResourceKind::kAddressSpaceBytes);
  abilities_ = {.descriptors = ready.takes_descriptors(), .arenas = ready.takes_arenas() && !limited};
  TellReady();
}

void WorkerProcess::OnOutcomes(const wire::Frame& frame) {
  internal::Outcomes outcomes;
  if (uses_page_ || !Parse(frame, &outcomes)) return KillWithReason("worker sent OUTCOMES that make no sense");
  const int count = outcomes.ticket_size();
  const auto fits = [count](int size) { return size == 0 || size == count; };
  if (!fits(outcomes.item_size()) || !fits(outcomes.result_bytes_size()) || !fits(outcomes.encoding_size()) ||
      !fits(outcomes.elapsed_ns_size())) {
    return KillWithReason("worker sent OUTCOMES with lists of different lengths");
  }
  std::string_view blob = frame.blob;
  int failed = 0;
  absl::MutexLock lock(&channel_->mutex());
  for (int i = 0; i < count; ++i) {
    wire::RecordHeader header{};
    header.kind = wire::RecordKind::kResult;
    header.ticket = outcomes.ticket(i);
    header.item = outcomes.item_size() > 0 ? outcomes.item(i) : 0;
    header.encoding = outcomes.encoding_size() > 0 ? outcomes.encoding(i) : 0;
    header.elapsed_ns = outcomes.elapsed_ns_size() > 0 ? outcomes.elapsed_ns(i) : 0;
    std::uint64_t bytes = outcomes.result_bytes_size() > 0 ? outcomes.result_bytes(i) : 0;
    if (ring_broken_) return;
    if (frame.without_blob && bytes > 0) {
      if (Slot* const slot = channel_->slots().ByTicket(header.ticket)) slot->refusal = TooLargeText();
      bytes = 0;
    }
    if (bytes > blob.size()) return KillWithReason("worker sent OUTCOMES with too few bytes");
    if (failed < outcomes.failed_size() && outcomes.failed(failed).place() == static_cast<std::uint32_t>(i)) {
      header.kind = wire::RecordKind::kFailure;
      OnOutcome(header, outcomes.failed(failed++).failure().SerializeAsString());
    } else {
      OnOutcome(header, blob.substr(0, bytes));
    }
    blob.remove_prefix(bytes);
  }
}

void WorkerProcess::OnOutput(const wire::Frame& frame) {
  internal::Output output;
  if (uses_page_ || !Parse(frame, &output) || output.stream() < 1 || output.stream() > 2) {
    return KillWithReason("worker sent an OUTPUT that makes no sense");
  }
  absl::MutexLock lock(&channel_->mutex());
  AddOutput(output.ticket(), static_cast<core::OutputStream>(output.stream()), frame.blob);
}

void WorkerProcess::OnProgress(const wire::Frame& frame) {
  internal::Progress progress;
  if (uses_page_ || !Parse(frame, &progress)) return KillWithReason("worker sent a PROGRESS that makes no sense");
  wire::RecordHeader header{};
  header.ticket = progress.ticket();
  header.item = progress.item();
  absl::MutexLock lock(&channel_->mutex());
  NoteProgress(header, wire::MakeProgressNote(progress.fraction(), progress.text()));
}

void WorkerProcess::DrainRing(wire::RingReader::Bell bell) {
  if (!ring_ || ring_broken_) return;
  doorbell_suppressed_ = bell == wire::RingReader::Bell::kNotWanted;
  const wire::WorkerPage& page = channel_->page().page();
  const std::uint64_t pending =
      page.written.load(std::memory_order_relaxed) - page.read.load(std::memory_order_relaxed);
  thread_->batch.ExpectBytes(static_cast<std::size_t>(std::min<std::uint64_t>(pending, wire::kRingBytes)));
  absl::Status drained;
  {
    absl::MutexLock lock(&channel_->mutex());
    drained = ring_->Drain(
        bell,
        [this](const wire::RecordHeader& header, std::string_view bytes) {
          channel_->mutex().AssertHeld();
          if (!ring_broken_) OnRecord(header, bytes);
        },
        [this](const wire::ResultRun& run) {
          channel_->mutex().AssertHeld();
          OnRun(run);
        });
  }
  if (drained.ok()) return;
  ring_broken_ = true;
  KillWithReason("worker wrote a broken ring: " + std::string(wire::ToStd(drained.message())));
}

void WorkerProcess::OnRecord(const wire::RecordHeader& header, std::string_view bytes) {
  switch (header.kind) {
    case wire::RecordKind::kResult:
    case wire::RecordKind::kFailure:
      return OnOutcome(header, bytes);
    case wire::RecordKind::kStdout:
      return AddOutput(header.ticket, core::OutputStream::kStdout, bytes);
    case wire::RecordKind::kStderr:
      return AddOutput(header.ticket, core::OutputStream::kStderr, bytes);
    case wire::RecordKind::kProgress:
      return NoteProgress(header, wire::ReadProgressNote(bytes));
    default:
      break;
  }
  ring_broken_ = true;
  KillWithReason("worker wrote a record of no kind");
}

void WorkerProcess::NoteProgress(const wire::RecordHeader& header, std::optional<wire::ProgressNote> note) {
  const Slot* const slot = channel_->slots().ByTicket(header.ticket);
  if (slot == nullptr) return;  // of a task that was taken back, or of none
  if (!note || header.item >= slot->items) {
    ring_broken_ = true;
    return KillWithReason("worker wrote a progress that makes no sense");
  }
  progress_.Add({header.ticket, header.item, std::move(*note)});
  TellProgress(progress_.TakeDue(thread_->clock.Now()));
}

void WorkerProcess::TellProgress(std::optional<TicketProgress> progress) {
  const Slot* const slot = progress ? channel_->slots().ByTicket(progress->ticket) : nullptr;
  if (slot == nullptr) return;
  thread_->batch.AddProgress(id(), slot->token, progress->item, std::move(progress->note));
}

bool WorkerProcess::InOrder(const Slot& slot, const wire::RecordHeader& header) const {
  return header.item == slot.done && header.encoding <= static_cast<std::uint32_t>(core::Encoding::kRaw);
}

void WorkerProcess::OnOutcome(const wire::RecordHeader& header, std::string_view bytes) {
  Slot* const slot = channel_->slots().ByTicket(header.ticket);
  if (slot == nullptr) {
    if ((header.flags & wire::kInArena) != 0) TakeFromArena(header, bytes).IgnoreError();
    if (std::exchange(dropped_logged_, true)) return;
    base::Log(base::Level::kWarning, "result_dropped",
              {{"worker", static_cast<std::uint64_t>(id())}, {"pid", pid_}, {"why", "nothing of that ticket is here"}});
    return;
  }
  if (!InOrder(*slot, header)) {
    ring_broken_ = true;
    return KillWithReason("worker told of an item out of order");
  }
  if ((header.flags & wire::kInArena) != 0) return OnResultInArena(slot, header, bytes);
  const bool more = (header.flags & wire::kMoreFollows) != 0;
  const std::uint64_t before = slot->draft != nullptr ? slot->draft->size() : 0;
  if (before + bytes.size() > MaxResultBytes(*slot)) slot->refusal = TooLargeText();
  if (more || slot->draft != nullptr) AddFragment(slot, bytes);
  if (!slot->refusal.empty()) return RefuseResult(slot, header);
  if (more) return;
  if (slot->draft == nullptr) return FinishItem(slot, header, bytes, {});
  absl::StatusOr<base::Kept> kept = slot->draft->Finish();
  slot->draft.reset();
  if (kept.ok()) return FinishItem(slot, header, kept->view, core::Bytes(kept->owner, kept->view));
  slot->refusal = wire::ToStd(kept.status().message());
  RefuseResult(slot, header);
}

// All at once where there is nothing about them but their results.
void WorkerProcess::OnRun(const wire::ResultRun& run) {
  Slot* const slot = channel_->slots().ByTicket(run.first.ticket);
  const bool plain = slot != nullptr && slot->chunk && slot->draft == nullptr && slot->refusal.empty() &&
                     InOrder(*slot, run.first) && run.items <= slot->items - slot->done &&
                     run.largest <= MaxResultBytes(*slot);
  if (ring_broken_) return;
  if (!plain) return OnEachOf(run);
  if (slot->done + run.items == slot->items) TellProgress(progress_.TakeOf(slot->ticket));
  ResultOf of = PlainResultOf(*slot, run.first);
  of.elapsed = static_cast<core::Nanos>(run.elapsed_ns);
  thread_->batch.AddItems(of, run.first.item, std::span(run.bytes, run.items), run.results());
  TookOutcomes(slot, run.items);
}

void WorkerProcess::OnEachOf(const wire::ResultRun& run) {
  wire::RecordHeader header = run.first;
  header.elapsed_ns = run.elapsed_ns / run.items;
  std::string_view results = run.results();
  for (std::uint32_t i = 0; i < run.items && !ring_broken_; ++i) {
    header.bytes = run.bytes[i];
    OnOutcome(header, results.substr(0, header.bytes));
    results.remove_prefix(header.bytes);
    ++header.item;
  }
}

void WorkerProcess::AddFragment(Slot* slot, std::string_view bytes) {
  if (!slot->refusal.empty()) return;
  if (slot->draft == nullptr) slot->draft = std::make_unique<base::PayloadDraft>(thread_->options.spool.get());
  const absl::Status added = slot->draft->Append(bytes);
  if (!added.ok()) slot->refusal = wire::ToStd(added.message());
}

absl::StatusOr<base::Kept> WorkerProcess::TakeFromArena(const wire::RecordHeader& header, std::string_view bytes) {
  wire::ResultPlace place;
  if (header.kind != wire::RecordKind::kResult || header.flags != wire::kInArena || bytes.size() != sizeof place) {
    return absl::InvalidArgumentError("the record makes no sense");
  }
  std::memcpy(&place, bytes.data(), sizeof place);
  return result_arenas_.Take(*thread_->options.spool, place, [this] { return TakeFile(); });
}

void WorkerProcess::OnResultInArena(Slot* slot, const wire::RecordHeader& header, std::string_view bytes) {
  absl::StatusOr<base::Kept> kept = TakeFromArena(header, bytes);
  const bool lies = absl::IsInvalidArgument(kept.status()) || slot->chunk || slot->draft != nullptr;
  if (lies) {
    ring_broken_ = true;
    return KillWithReason("worker told of a result in an arena that is not so: " +
                          std::string(wire::ToStd(kept.status().message())));
  }
  if (kept.ok() && kept->view.size() <= MaxResultBytes(*slot)) {
    return FinishItem(slot, header, kept->view, core::Bytes(kept->owner, kept->view));
  }
  slot->refusal = kept.ok() ? TooLargeText() : std::string(wire::ToStd(kept.status().message()));
  RefuseResult(slot, header);
}

std::uint64_t WorkerProcess::MaxResultBytes(const Slot& slot) const {
  // Items of a chunk lie packed, and their sizes have 32 bits.
  const std::uint64_t most =
      slot.chunk ? std::numeric_limits<std::uint32_t>::max() : std::numeric_limits<std::uint64_t>::max();
  return std::min(most, thread_->options.limits.max_payload_bytes);
}

std::string WorkerProcess::TooLargeText() const {
  return "the result is larger than the limit of " + std::to_string(thread_->options.limits.max_payload_bytes) +
         " bytes (max_payload_bytes of the daemon)";
}

ResultOf WorkerProcess::PlainResultOf(const Slot& slot, const wire::RecordHeader& header) const {
  ResultOf of;
  of.worker = id();
  of.token = slot.token;
  of.attempt = slot.attempt;
  of.encoding = static_cast<core::Encoding>(header.encoding);
  of.elapsed = static_cast<core::Nanos>(std::min<std::uint64_t>(header.elapsed_ns, 1ull << 53));
  if (of.encoding == core::Encoding::kProtobuf && slot.function < functions_->size()) {
    of.type_name = &(*functions_)[slot.function].result_type;
  }
  return of;
}

void WorkerProcess::FinishItem(Slot* slot, const wire::RecordHeader& header, std::string_view bytes, core::Bytes kept) {
  if (slot->done + 1 == slot->items) TellProgress(progress_.TakeOf(slot->ticket));
  const ResultOf of = PlainResultOf(*slot, header);
  EventBatch& batch = thread_->batch;
  if (header.kind == wire::RecordKind::kFailure) {
    if (slot->chunk) {
      batch.AddItemFailure(of, header.item, ParseFailure(bytes), thread_->clock.Now());
    } else {
      batch.AddFailure(of, ParseFailure(bytes));
    }
  } else if (slot->chunk) {
    batch.AddItem(of, header.item, bytes);
  } else if (kept.empty()) {
    batch.AddResult(of, bytes);
  } else {
    batch.AddResult(of, std::move(kept));
  }
  TookOutcomes(slot, 1);
}

// It fails its task, and the worker lives: the rest of the result is dropped as it comes.
void WorkerProcess::RefuseResult(Slot* slot, const wire::RecordHeader& header) {
  slot->draft.reset();
  if ((header.flags & wire::kMoreFollows) != 0) return;
  if (slot->done + 1 == slot->items) TellProgress(progress_.TakeOf(slot->ticket));
  core::Failure failure;
  failure.type = "poold.ResultError";
  failure.message = std::exchange(slot->refusal, {});
  ResultOf of;
  of.worker = id();
  of.token = slot->token;
  of.attempt = slot->attempt;
  if (slot->chunk) {
    thread_->batch.AddItemFailure(of, header.item, std::move(failure), thread_->clock.Now());
  } else {
    thread_->batch.AddFailure(of, std::move(failure));
  }
  TookOutcomes(slot, 1);
}

void WorkerProcess::TookOutcomes(Slot* slot, std::uint32_t count) {
  slot->done += count;
  if (slot->done == slot->items) channel_->slots().Free(slot);
}

std::uint32_t WorkerProcess::CurrentTicket() {
  if (!uses_page_) {
    const Slot* const oldest = channel_->slots().Oldest();
    return oldest != nullptr ? oldest->ticket : wire::kNoSlot;
  }
  const wire::WorkerPage& page = channel_->page().page();
  return page.running.load(std::memory_order_acquire) == 1 ? page.current_ticket.load(std::memory_order_acquire)
                                                           : wire::kNoSlot;
}

void WorkerProcess::DrainPipes() {
  if (!ring_ || !(std::exchange(pipes_ready_, false) || pipes_resting_)) return;
  std::atomic<std::uint32_t>& output_lock = channel_->page().page().output_lock;
  auto free = static_cast<std::uint32_t>(wire::OutputLock::kFree);
  const bool locked = output_lock.compare_exchange_strong(free, static_cast<std::uint32_t>(wire::OutputLock::kDaemon));
  // The worker is between two tasks and reads the pipes itself. A dead one's lock is of no meaning.
  if (!locked && !death_) {
    pipes_resting_ = true;
    for (OutputPipe& pipe : pipes_) pipe.Rest(true);
    return;
  }
  // What the worker read itself under the lock lies in the ring, and comes before what is in the pipes now.
  DrainRing();
  ReadPipes(kPipeBytesPerTurn);
  if (locked) output_lock.store(static_cast<std::uint32_t>(wire::OutputLock::kFree), std::memory_order_release);
  if (std::exchange(pipes_resting_, false)) {
    for (OutputPipe& pipe : pipes_) pipe.Rest(false);
  }
}

void WorkerProcess::ReadPipes(std::size_t limit) {
  absl::MutexLock lock(&channel_->mutex());
  const std::uint32_t ticket = CurrentTicket();
  for (int i = 0; i < 2; ++i) {
    const auto stream = i == 0 ? core::OutputStream::kStdout : core::OutputStream::kStderr;
    pipes_[i].Read(limit, [&](std::string_view text) {
      channel_->mutex().AssertHeld();
      AddOutput(ticket, stream, text);
    });
  }
}

void WorkerProcess::AddOutput(std::uint32_t ticket, core::OutputStream stream, std::string_view text) {
  if (text.empty()) return;
  // Tails are of one task only: a neighbour's last words would mislead.
  if (ticket != tail_ticket_) {
    for (TextTail& tail : tails_) tail.Clear();
    tail_ticket_ = ticket;
  }
  tails_[stream == core::OutputStream::kStdout ? 0 : 1].Append(text);
  const Slot* const slot = channel_->slots().ByTicket(ticket);
  if (slot != nullptr) thread_->batch.AddOutput(id(), slot->token, stream, text);
}

}  // namespace poold::process
