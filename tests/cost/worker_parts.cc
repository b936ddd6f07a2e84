#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "core/bare_core.h"
#include "give_up.h"
#include "meter.h"
#include "parts.h"
#include "process/event_batch.h"
#include "process/worker_channel.h"
#include "wire/outcome_ring.h"

namespace poold::cost {
namespace {

constexpr std::uint32_t kWorkerBatch = 64;
constexpr std::uint32_t kRounds = 150;
constexpr std::uint32_t kChunkItems = 1024;
constexpr std::uint32_t kArgsBytes = 8;
constexpr std::string_view kResult = "12345678";

// What of a round is counted.
enum class Counted { kFrames, kWriting, kReading };

// A worker of which there are only the two ends: its channel, and the far end of the socket with the page.
class OneWorker {
 public:
  OneWorker() {
    int ends[2];
    auto page = process::SharedPage::Make();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || !page.ok()) GiveUp("no channel");
    far_.Reset(ends[1]);
    memory_ = page->memory();
    writer_.emplace(memory_);
    reader_.emplace(memory_);
    channel_.Open(wire::UniqueFd(ends[0]), *std::move(page), "");
  }

  // Work is sent, run and read. `chunk_items`: of each; 0: single tasks. Null: nothing is counted.
  void Round(std::uint32_t tasks, std::uint32_t chunk_items, Counted counted, Meter* meter) {
    const std::uint64_t units = std::uint64_t{tasks} * std::max(1u, chunk_items);
    const auto play = [&](Counted what, auto&& act) {
      if (meter != nullptr && what == counted) return meter->Count(units, act);
      act();
    };
    std::vector<core::Assignment> work = chunk_items == 0 ? Tasks(tasks) : Chunks(tasks, chunk_items);
    play(Counted::kFrames, [&] {
      channel_.Enqueue(std::move(work));
      channel_.Flush();
    });
    const std::vector<std::uint32_t> tickets = TakeFrames();
    if (tickets.size() != tasks) GiveUp("not all was sent");
    play(Counted::kWriting, [&] { WriteResults(tickets); });
    play(Counted::kReading, [&] {
      batch_.ExpectBytes(units * kResult.size());
      ReadResults();
      batch_.Deliver(bare_.core, bare_.now, [](core::WorkerId) {});
      batch_.Clear();
    });
    if (channel_.Busy()) GiveUp("not all came back");
  }

 private:
  // As the core hands them over: the tasks of a batch share their message.
  std::vector<core::Assignment> Tasks(std::uint32_t count) {
    std::vector<core::Assignment> work(count);
    const core::Bytes message(std::string(count * kArgsBytes, 'x'));
    for (std::uint32_t i = 0; i < count; ++i) {
      work[i].token = core::AttemptToken{++last_token_};
      work[i].args = {core::Encoding::kMsgpack, nullptr, message.Slice(i * kArgsBytes, kArgsBytes)};
    }
    return work;
  }
  std::vector<core::Assignment> Chunks(std::uint32_t count, std::uint32_t items) {
    std::vector<core::Assignment> work(count);
    for (core::Assignment& chunk : work) {
      auto column = std::make_shared<core::ItemColumn>();
      column->lengths.assign(items, kArgsBytes);
      column->data = core::Bytes(std::string(items * kArgsBytes, 'x'));
      chunk.token = core::AttemptToken{++last_token_};
      chunk.args.encoding = core::Encoding::kMsgpack;
      chunk.items.push_back({column, 0, items, column->data.view()});
    }
    return work;
  }
  // Reads the frames away. Answers the tickets that were in them: those of all slots that are taken.
  std::vector<std::uint32_t> TakeFrames() {
    char bytes[1 << 16];
    while (recv(far_.get(), bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
    std::vector<std::uint32_t> tickets;
    absl::MutexLock lock(&channel_.mutex());
    channel_.slots().ForEach([&](const process::Slot& slot) { tickets.push_back(slot.ticket); });
    return tickets;
  }
  // As a worker does: claims every item and writes its result.
  void WriteResults(const std::vector<std::uint32_t>& tickets) {
    wire::RecordHeader header{};
    header.kind = wire::RecordKind::kResult;
    header.encoding = static_cast<std::uint32_t>(core::Encoding::kMsgpack);
    header.elapsed_ns = 2000;
    for (const std::uint32_t ticket : tickets) {
      header.ticket = ticket;
      while (wire::ClaimNext(*static_cast<wire::WorkerPage*>(memory_), ticket, &header.item)) {
        writer_->Append(header, kResult, [] { GiveUp("the ring is full"); });
      }
    }
  }
  process::Slot* SlotOf(const wire::RecordHeader& header) {
    channel_.mutex().AssertHeld();
    process::Slot* const slot = channel_.slots().ByTicket(header.ticket);
    if (slot == nullptr) GiveUp("a record of no task");
    return slot;
  }
  process::ResultOf ResultOf(const process::Slot& slot, const wire::RecordHeader& header, std::uint64_t elapsed_ns) {
    process::ResultOf of;
    of.worker = channel_.id();
    of.token = slot.token;
    of.encoding = static_cast<core::Encoding>(header.encoding);
    of.elapsed = static_cast<core::Nanos>(elapsed_ns);
    return of;
  }
  void Took(process::Slot* slot, std::uint32_t count) {
    channel_.mutex().AssertHeld();
    slot->done += count;
    if (slot->done == slot->items) channel_.slots().Free(slot);
  }
  // As WorkerProcess does with records that are in order.
  void ReadResults() {
    absl::MutexLock lock(&channel_.mutex());
    const absl::Status drained = reader_->Drain(
        wire::RingReader::Bell::kWanted,
        [&](const wire::RecordHeader& header, std::string_view bytes) {
          process::Slot* const slot = SlotOf(header);
          const process::ResultOf of = ResultOf(*slot, header, header.elapsed_ns);
          slot->chunk ? batch_.AddItem(of, header.item, bytes) : batch_.AddResult(of, bytes);
          Took(slot, 1);
        },
        [&](const wire::ResultRun& run) {
          process::Slot* const slot = SlotOf(run.first);
          batch_.AddItems(ResultOf(*slot, run.first, run.elapsed_ns), run.first.item, {run.bytes, run.items},
                          run.results());
          Took(slot, run.items);
        });
    if (!drained.ok()) GiveUp("the ring is broken");
  }

  process::WorkerChannel channel_{core::WorkerId{1'000'000}};
  wire::UniqueFd far_;
  void* memory_ = nullptr;
  std::optional<wire::RingWriter> writer_;
  std::optional<wire::RingReader> reader_;
  process::EventBatch batch_;
  // Knows nothing of this worker: what a core does with a result is counted elsewhere.
  core::testing::BareCore bare_;
  std::uint64_t last_token_ = 0;
};

void Play(const char* part, std::uint32_t tasks, std::uint32_t chunk_items, Counted counted) {
  OneWorker worker;
  for (std::uint32_t i = 0; i < kRounds / 10; ++i) worker.Round(tasks, chunk_items, counted, nullptr);
  Meter meter(part);
  for (std::uint32_t i = 0; i < kRounds; ++i) worker.Round(tasks, chunk_items, counted, &meter);
}

}  // namespace

void PlayRunFrames() { Play("frames: a task sent to a worker", kWorkerBatch, 0, Counted::kFrames); }
void PlayRingWriting() { Play("ring: a task's outcome written", kWorkerBatch, 0, Counted::kWriting); }
void PlayRingReading() { Play("ring: a task's outcome read", kWorkerBatch, 0, Counted::kReading); }
void PlayChunkReading() { Play("ring: an item's outcome read", 1, kChunkItems, Counted::kReading); }

}  // namespace poold::cost
