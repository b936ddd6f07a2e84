#include "process/worker_results.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "process/worker_messages.h"
#include "wire/absl_text.h"

namespace poold::process {
namespace {

constexpr core::Nanos kPause = 50 * core::kMillisecond;

// Of what a dead worker left in a pipe.
constexpr std::size_t kLastOutputBytes = 1u << 20;

absl::Status Senseless(const char* what) { return absl::InvalidArgumentError(std::string("worker sent ") + what); }

}  // namespace

core::Nanos LatestProgress::due_at() const {
  if (!latest_) return core::kNever;
  return told_ticket_ == latest_->ticket ? told_at_ + kPause : 0;
}

std::optional<TicketProgress> LatestProgress::TakeDue(core::Nanos now) {
  if (!latest_ || now < due_at()) return std::nullopt;
  told_ticket_ = latest_->ticket;
  told_at_ = now;
  return std::exchange(latest_, std::nullopt);
}

std::optional<TicketProgress> LatestProgress::TakeOf(std::uint32_t ticket) {
  if (!latest_ || latest_->ticket != ticket) return std::nullopt;
  return std::exchange(latest_, std::nullopt);
}

WorkerResults::WorkerResults(ProcessThread* thread, WorkerChannel* channel, ChannelReader* reader)
    : thread_(thread), channel_(channel), reader_(reader), output_(thread->options.limits.output_tail_bytes) {}

void WorkerResults::Begin(FunctionList functions, bool uses_page) {
  functions_ = std::move(functions);
  uses_page_ = uses_page;
}

void WorkerResults::Break(std::string fault) {
  broken_ = true;
  fault_ = std::move(fault);
}

absl::Status WorkerResults::OnFrame(const wire::Frame& frame) {
  switch (frame.kind) {
    case internal::FRAME_KIND_OUTCOMES:
      return OnOutcomes(frame);
    case internal::FRAME_KIND_OUTPUT:
      return OnOutput(frame);
    default:
      return OnProgress(frame);
  }
}

absl::Status WorkerResults::OnOutcomes(const wire::Frame& frame) {
  internal::Outcomes outcomes;
  if (uses_page_ || !Parse(frame, &outcomes)) return Senseless("OUTCOMES that make no sense");
  const int count = outcomes.ticket_size();
  const auto fits = [count](int size) { return size == 0 || size == count; };
  if (!fits(outcomes.item_size()) || !fits(outcomes.result_bytes_size()) || !fits(outcomes.encoding_size()) ||
      !fits(outcomes.elapsed_ns_size())) {
    return Senseless("OUTCOMES with lists of different lengths");
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
    if (broken_) break;
    if (frame.without_blob && bytes > 0) {
      if (Slot* const slot = channel_->slots().ByTicket(header.ticket)) slot->refusal = TooLargeText();
      bytes = 0;
    }
    if (bytes > blob.size()) return Senseless("OUTCOMES with too few bytes");
    if (failed < outcomes.failed_size() && outcomes.failed(failed).place() == static_cast<std::uint32_t>(i)) {
      header.kind = wire::RecordKind::kFailure;
      OnOutcome(header, outcomes.failed(failed++).failure().SerializeAsString());
    } else {
      OnOutcome(header, blob.substr(0, bytes));
    }
    blob.remove_prefix(bytes);
  }
  return absl::OkStatus();
}

absl::Status WorkerResults::OnOutput(const wire::Frame& frame) {
  internal::Output output;
  if (uses_page_ || !Parse(frame, &output) || output.stream() < 1 || output.stream() > 2) {
    return Senseless("an OUTPUT that makes no sense");
  }
  absl::MutexLock lock(&channel_->mutex());
  AddOutput(output.ticket(), static_cast<core::OutputStream>(output.stream()), frame.blob);
  return absl::OkStatus();
}

absl::Status WorkerResults::OnProgress(const wire::Frame& frame) {
  internal::Progress progress;
  if (uses_page_ || !Parse(frame, &progress)) return Senseless("a PROGRESS that makes no sense");
  wire::RecordHeader header{};
  header.ticket = progress.ticket();
  header.item = progress.item();
  absl::MutexLock lock(&channel_->mutex());
  NoteProgress(header, wire::MakeProgressNote(progress.fraction(), progress.text()));
  return absl::OkStatus();
}

void WorkerResults::DrainRing(wire::RingReader::Bell bell) {
  if (!ring_ || broken_) return;
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
          if (!broken_) OnRecord(header, bytes);
        },
        [this](const wire::ResultRun& run) {
          channel_->mutex().AssertHeld();
          OnRun(run);
        });
  }
  if (!drained.ok()) Break("worker wrote a broken ring: " + std::string(wire::ToStd(drained.message())));
}

void WorkerResults::OnRecord(const wire::RecordHeader& header, std::string_view bytes) {
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
  Break("worker wrote a record of no kind");
}

void WorkerResults::NoteProgress(const wire::RecordHeader& header, std::optional<wire::ProgressNote> note) {
  const Slot* const slot = channel_->slots().ByTicket(header.ticket);
  if (slot == nullptr) return;  // of a task that was taken back, or of none
  if (!note || header.item >= slot->items) {
    return Break("worker wrote a progress that makes no sense");
  }
  progress_.Add({header.ticket, header.item, std::move(*note)});
  TellProgress(progress_.TakeDue(thread_->clock.Now()));
}

void WorkerResults::TellProgress(std::optional<TicketProgress> progress) {
  const Slot* const slot = progress ? channel_->slots().ByTicket(progress->ticket) : nullptr;
  if (slot == nullptr) return;
  thread_->batch.AddProgress(channel_->id(), slot->token, progress->item, std::move(progress->note));
}

bool WorkerResults::InOrder(const Slot& slot, const wire::RecordHeader& header) const {
  return header.item == slot.done && header.encoding <= static_cast<std::uint32_t>(core::Encoding::kRaw);
}

void WorkerResults::OnOutcome(const wire::RecordHeader& header, std::string_view bytes) {
  Slot* const slot = channel_->slots().ByTicket(header.ticket);
  if (slot == nullptr) {
    if ((header.flags & wire::kInArena) != 0) TakeFromArena(header, bytes).IgnoreError();
    dropped_ = true;
    return;
  }
  if (!InOrder(*slot, header)) {
    return Break("worker told of an item out of order");
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
void WorkerResults::OnRun(const wire::ResultRun& run) {
  Slot* const slot = channel_->slots().ByTicket(run.first.ticket);
  const bool plain = slot != nullptr && slot->chunk && slot->draft == nullptr && slot->refusal.empty() &&
                     InOrder(*slot, run.first) && run.items <= slot->items - slot->done &&
                     run.largest <= MaxResultBytes(*slot);
  if (broken_) return;
  if (!plain) return OnEachOf(run);
  if (slot->done + run.items == slot->items) TellProgress(progress_.TakeOf(slot->ticket));
  ResultOf of = PlainResultOf(*slot, run.first);
  of.elapsed = static_cast<core::Nanos>(run.elapsed_ns);
  thread_->batch.AddItems(of, run.first.item, std::span(run.bytes, run.items), run.results());
  TookOutcomes(slot, run.items);
}

void WorkerResults::OnEachOf(const wire::ResultRun& run) {
  wire::RecordHeader header = run.first;
  header.elapsed_ns = run.elapsed_ns / run.items;
  std::string_view results = run.results();
  for (std::uint32_t i = 0; i < run.items && !broken_; ++i) {
    header.bytes = run.bytes[i];
    OnOutcome(header, results.substr(0, header.bytes));
    results.remove_prefix(header.bytes);
    ++header.item;
  }
}

void WorkerResults::AddFragment(Slot* slot, std::string_view bytes) {
  if (!slot->refusal.empty()) return;
  if (slot->draft == nullptr) slot->draft = std::make_unique<base::PayloadDraft>(thread_->options.spool.get());
  const absl::Status added = slot->draft->Append(bytes);
  if (!added.ok()) slot->refusal = wire::ToStd(added.message());
}

absl::StatusOr<base::Kept> WorkerResults::TakeFromArena(const wire::RecordHeader& header, std::string_view bytes) {
  wire::ResultPlace place;
  if (header.kind != wire::RecordKind::kResult || header.flags != wire::kInArena || bytes.size() != sizeof place) {
    return absl::InvalidArgumentError("the record makes no sense");
  }
  std::memcpy(&place, bytes.data(), sizeof place);
  return arenas_.Take(*thread_->options.spool, place, [this] { return reader_->TakeFile(); });
}

void WorkerResults::OnResultInArena(Slot* slot, const wire::RecordHeader& header, std::string_view bytes) {
  absl::StatusOr<base::Kept> kept = TakeFromArena(header, bytes);
  const bool lies = absl::IsInvalidArgument(kept.status()) || slot->chunk || slot->draft != nullptr;
  if (lies) {
    return Break("worker told of a result in an arena that is not so: " +
                 std::string(wire::ToStd(kept.status().message())));
  }
  if (kept.ok() && kept->view.size() <= MaxResultBytes(*slot)) {
    return FinishItem(slot, header, kept->view, core::Bytes(kept->owner, kept->view));
  }
  slot->refusal = kept.ok() ? TooLargeText() : std::string(wire::ToStd(kept.status().message()));
  RefuseResult(slot, header);
}

std::uint64_t WorkerResults::MaxResultBytes(const Slot& slot) const {
  // Items of a chunk lie packed, and their sizes have 32 bits.
  const std::uint64_t most =
      slot.chunk ? std::numeric_limits<std::uint32_t>::max() : std::numeric_limits<std::uint64_t>::max();
  return std::min(most, thread_->options.limits.max_payload_bytes);
}

std::string WorkerResults::TooLargeText() const {
  return "the result is larger than the limit of " + std::to_string(thread_->options.limits.max_payload_bytes) +
         " bytes (max_payload_bytes of the daemon)";
}

ResultOf WorkerResults::PlainResultOf(const Slot& slot, const wire::RecordHeader& header) const {
  ResultOf of;
  of.worker = channel_->id();
  of.token = slot.token;
  of.attempt = slot.attempt;
  of.encoding = static_cast<core::Encoding>(header.encoding);
  of.elapsed = static_cast<core::Nanos>(std::min<std::uint64_t>(header.elapsed_ns, 1ull << 53));
  if (of.encoding == core::Encoding::kProtobuf && slot.function < functions_->size()) {
    of.type_name = &(*functions_)[slot.function].result_type;
  }
  return of;
}

void WorkerResults::FinishItem(Slot* slot, const wire::RecordHeader& header, std::string_view bytes, core::Bytes kept) {
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

void WorkerResults::RefuseResult(Slot* slot, const wire::RecordHeader& header) {
  slot->draft.reset();
  if ((header.flags & wire::kMoreFollows) != 0) return;
  if (slot->done + 1 == slot->items) TellProgress(progress_.TakeOf(slot->ticket));
  core::Failure failure;
  failure.type = "poold.ResultError";
  failure.message = std::exchange(slot->refusal, {});
  ResultOf of;
  of.worker = channel_->id();
  of.token = slot->token;
  of.attempt = slot->attempt;
  if (slot->chunk) {
    thread_->batch.AddItemFailure(of, header.item, std::move(failure), thread_->clock.Now());
  } else {
    thread_->batch.AddFailure(of, std::move(failure));
  }
  TookOutcomes(slot, 1);
}

void WorkerResults::TookOutcomes(Slot* slot, std::uint32_t count) {
  slot->done += count;
  if (slot->done == slot->items) channel_->slots().Free(slot);
}

std::uint32_t WorkerResults::CurrentTicket() {
  if (!uses_page_) {
    const Slot* const oldest = channel_->slots().Oldest();
    return oldest != nullptr ? oldest->ticket : wire::kNoSlot;
  }
  const wire::WorkerPage& page = channel_->page().page();
  return page.running.load(std::memory_order_acquire) == 1 ? page.current_ticket.load(std::memory_order_acquire)
                                                           : wire::kNoSlot;
}

void WorkerResults::TellProgressDue(core::Nanos now) {
  const auto due = progress_.TakeDue(now);
  if (!due) return;
  absl::MutexLock lock(&channel_->mutex());
  TellProgress(due);
}

void WorkerResults::DrainPipes(bool dead) {
  if (!ring_ || !output_.IsReadable()) return;
  std::atomic<std::uint32_t>& output_lock = channel_->page().page().output_lock;
  auto free = static_cast<std::uint32_t>(wire::OutputLock::kFree);
  const bool locked = output_lock.compare_exchange_strong(free, static_cast<std::uint32_t>(wire::OutputLock::kDaemon));
  // The worker is between two tasks and reads the pipes itself. A dead one's lock is of no meaning.
  if (!locked && !dead) return output_.Rest();
  // What the worker read itself under the lock lies in the ring, and comes before what is in the pipes now.
  DrainRing(wire::RingReader::Bell::kWanted);
  ReadPipes(kPipeBytesPerTurn);
  if (locked) output_lock.store(static_cast<std::uint32_t>(wire::OutputLock::kFree), std::memory_order_release);
  output_.Resume();
}

void WorkerResults::ReadLastOutput() { ReadPipes(kLastOutputBytes); }

void WorkerResults::ReadPipes(std::size_t limit) {
  absl::MutexLock lock(&channel_->mutex());
  const std::uint32_t ticket = CurrentTicket();
  output_.Read(limit, [&](core::OutputStream stream, std::string_view text) {
    channel_->mutex().AssertHeld();
    AddOutput(ticket, stream, text);
  });
}

void WorkerResults::AddOutput(std::uint32_t ticket, core::OutputStream stream, std::string_view text) {
  if (text.empty()) return;
  output_.AddToTail(ticket, stream, text);
  const Slot* const slot = channel_->slots().ByTicket(ticket);
  if (slot != nullptr) thread_->batch.AddOutput(channel_->id(), slot->token, stream, text);
}

}  // namespace poold::process
