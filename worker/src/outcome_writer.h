// The writing side of a worker's page: records in its ring, and the bells that make the daemon read them.
//
// Bell policy: when the daemon wants a bell, it gets one if there is nothing more to do, if the ring is half full, or
// if by the end of what runs next something may have waited for more than 2 ms. A report of progress rings at once.
// Threads: all but Report is for the worker's own thread, which holds the writer (lock, unlock) except while a function
// runs and while the thread sleeps; so each item costs one lock. Report is for any thread of a task.
// Ownership: owns neither page nor channel. Units: times are in ns.
#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "channel.h"
#include "poold/worker/current_task.h"
#include "wire/outcome_ring.h"

namespace poold::worker {

class OutcomeWriter : public ProgressSink {
 public:
  OutcomeWriter(void* page, Channel* channel);

  void lock() {
    // Alone in its process nobody can have it. The exchange would wait for every store before it, at every item.
    if (__libc_single_threaded != 0) return held_.store(true, std::memory_order_relaxed);
    for (int looks = 0; held_.exchange(true, std::memory_order_acquire); ++looks) Pause(looks);
  }
  // One store where a mutex pays for another exchange, at every item. The price: who finds it held looks again and
  // again; that is a task's thread which reports just when its function has ended.
  void unlock() { held_.store(false, std::memory_order_release); }

  // REQUIRES for all that follows, down to Report: held.

  // Appends a record that is no outcome.
  void Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
           std::int64_t elapsed_ns, std::string_view bytes);

  // From here on reports are of this item.
  void BeginItem(std::uint32_t ticket, std::uint32_t item) {
    running_ = true;
    ticket_ = ticket;
    item_ = item;
    kept_ = false;
    sent_at_ = 0;
    sent_done_ = false;
  }
  // The outcome of the item, behind what was reported last. From here on reports are of nothing.
  void EndItem(wire::RecordKind kind, std::uint32_t encoding, std::int64_t elapsed_ns, std::string_view bytes) {
    const bool plain = kind == wire::RecordKind::kResult && !kept_ && elapsed_ns >= 0;
    if (plain && ring_.AppendNext(ticket_, item_, encoding, static_cast<std::uint64_t>(elapsed_ns), bytes)) {
      running_ = false;
    } else {
      EndItemWithHeader(kind, encoding, elapsed_ns, bytes);
    }
  }
  // The same of a result that lies in an arena.
  void EndItemInArena(std::uint32_t encoding, std::int64_t elapsed_ns, const wire::ResultPlace& place);
  // Before something runs that may take so long; < 0: not known, it was never run here. Rings if outcomes that the
  // daemon has not read would wait too long.
  void BeforeRun(std::int64_t now, double expected_ns) {
    if (ring_.BellWanted()) RingIfDue(now, expected_ns);
  }
  // Whether it has rung, or waited for room, since it was asked last: that takes longer than many a task.
  bool TakeRang() { return rang_.load(std::memory_order_relaxed) && rang_.exchange(false, std::memory_order_relaxed); }

  // REQUIRES: not held. Sends the first report of an item, one every 50 ms, and the first that says that it is done; of
  // the others the latest is kept.
  void Report(double fraction, std::string_view text) override;

  // Before sleeping: rings if there is anything unread. Held or not, since no item is under way.
  void BeforeSleep();

 private:
  // A wake of the daemon and its client costs about as much CPU as 200 us of work, which it takes from the workers.
  static constexpr std::int64_t kPatienceNs = 2'000'000;

  void Append(const wire::RecordHeader& header, std::string_view bytes);
  void EndItemWithHeader(wire::RecordKind kind, std::uint32_t encoding, std::int64_t elapsed_ns,
                         std::string_view bytes);
  void End(const wire::RecordHeader& header, std::string_view bytes);
  static void Pause(int looks);
  void RingIfDue(std::int64_t now, double expected_ns) {
    const wire::RingWriter::Unread unread = ring_.unread();
    if (unread.bytes == 0) return;
    if (unread.from != unread_from_) {
      unread_from_ = unread.from;
      unread_since_ = now;
    }
    const double waited = static_cast<double>(now - unread_since_);
    if (expected_ns >= 0 && waited + expected_ns < kPatienceNs && unread.bytes < wire::kRingBytes / 2) return;
    if (ring_.TakeBell()) NotifyDaemon();
  }
  void SendReport();
  // Sends a BELL frame.
  void NotifyDaemon();

  Channel* const channel_;

  std::atomic<bool> rang_{false};

  std::atomic<bool> held_{false};
  wire::RingWriter ring_;
  // What the daemon has not read begins here, since about then.
  std::uint64_t unread_from_ = 0;
  std::int64_t unread_since_ = 0;

  // The item that runs.
  bool running_ = false;
  std::uint32_t ticket_ = 0;
  std::uint32_t item_ = 0;
  // Its latest report.
  bool kept_ = false;
  double fraction_ = 0;
  std::string text_;
  // 0: it has not reported.
  std::int64_t sent_at_ = 0;
  bool sent_done_ = false;
};

}  // namespace poold::worker
