#include "outcome_writer.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <mutex>

#include "own_process.h"
#include "wire/outcome_ring.h"

namespace poold::worker {
namespace {

constexpr std::int64_t kReportEveryNs = 50'000'000;
constexpr int kShortLooks = 100;
constexpr useconds_t kLongLookUs = 100;
// A character more than is sent, so that none is cut in two.
constexpr std::size_t kKeptTextBytes = wire::kMaxProgressTextBytes + 4;

std::int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

wire::RecordHeader HeaderOf(wire::RecordKind kind, std::uint16_t flags, std::uint32_t ticket, std::uint32_t item,
                            std::uint32_t encoding, std::int64_t elapsed_ns) {
  return {.bytes = 0,  // the ring's to fill
          .kind = kind,
          .flags = flags,
          .ticket = ticket,
          .item = item,
          .encoding = encoding,
          .reserved = 0,
          .elapsed_ns = elapsed_ns > 0 ? static_cast<std::uint64_t>(elapsed_ns) : 0};
}

}  // namespace

OutcomeWriter::OutcomeWriter(void* page, Channel* channel) : channel_(channel), ring_(page) {}

void OutcomeWriter::Pause(int looks) {
  // It is held for long while the ring is full.
  looks < kShortLooks ? sched_yield() : usleep(kLongLookUs);
}

void OutcomeWriter::Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
                        std::int64_t elapsed_ns, std::string_view bytes) {
  Append(HeaderOf(kind, 0, ticket, item, encoding, elapsed_ns), bytes);
}

void OutcomeWriter::Append(const wire::RecordHeader& header, std::string_view bytes) {
  ring_.Append(header, bytes, [this] {
    rang_.store(true, std::memory_order_relaxed);
    if (ring_.TakeBell()) NotifyDaemon();
  });
}

void OutcomeWriter::EndItemWithHeader(wire::RecordKind kind, std::uint32_t encoding, std::int64_t elapsed_ns,
                                      std::string_view bytes) {
  End(HeaderOf(kind, 0, ticket_, item_, encoding, elapsed_ns), bytes);
}

void OutcomeWriter::EndItemInArena(std::uint32_t encoding, std::int64_t elapsed_ns, const wire::ResultPlace& place) {
  End(HeaderOf(wire::RecordKind::kResult, wire::kInArena, ticket_, item_, encoding, elapsed_ns),
      std::string_view(reinterpret_cast<const char*>(&place), sizeof place));
}

void OutcomeWriter::End(const wire::RecordHeader& header, std::string_view bytes) {
  if (kept_) SendReport();
  Append(header, bytes);
  running_ = false;
}

void OutcomeWriter::Report(double fraction, std::string_view text) {
  // First: in a child that was forked while another thread held them, nobody ever gives them back.
  if (!IsOwnProcess()) return;
  const std::lock_guard held(*this);
  if (!running_) return;
  kept_ = true;
  fraction_ = fraction;
  text_ = text.substr(0, kKeptTextBytes);
  const std::int64_t now = Now();
  const bool due = sent_at_ == 0 || now - sent_at_ >= kReportEveryNs || (fraction >= 1 && !sent_done_);
  if (!due) return;
  SendReport();
  sent_at_ = now;
  sent_done_ = fraction >= 1;
  if (ring_.TakeBell()) NotifyDaemon();
}

void OutcomeWriter::SendReport() {
  Append(HeaderOf(wire::RecordKind::kProgress, 0, ticket_, item_, 0, 0),
         wire::WriteProgressNote(wire::MakeProgressNote(fraction_, text_)));
  kept_ = false;
}

void OutcomeWriter::BeforeSleep() {
  if (ring_.TakeBell()) NotifyDaemon();
}

void OutcomeWriter::NotifyDaemon() {
  rang_.store(true, std::memory_order_relaxed);
  // Without its daemon a worker has nothing to live for.
  if (!channel_->NotifyDaemon().ok()) _exit(1);
}

}  // namespace poold::worker
