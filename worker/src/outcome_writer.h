// OutcomeWriter: writes a worker's records into its page's ring, and sends the BELL frames that make the daemon read.
//
// Bell policy: when the daemon wants a bell, it gets one if there is nothing more to do, if the ring is half full, or
// if a record may have waited for more than 2 ms when the next item ends. A report of progress sends a bell at once.
// Threads: everything but Report belongs to the worker's own thread, which holds the lock (lock, unlock) except while a
//   function runs and while it sleeps; so each item costs one lock. Any thread of a task calls Report.
// Ownership: owns neither page nor channel.
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
  // `page` is mapped memory of wire::kWorkerPageBytes.
  OutcomeWriter(void* page, Channel* channel);

  // Takes the lock. In a process with one thread no other thread can have it, and the exchange, which waits for every
  // store before it, is left out.
  void lock() {
    // In a process with one thread no other thread can hold the lock. The exchange would wait for every store before
    // it, for each item.
    if (__libc_single_threaded != 0) return held_.store(true, std::memory_order_relaxed);
    for (int looks = 0; held_.exchange(true, std::memory_order_acquire); ++looks) Pause(looks);
  }
  // Releases the lock with one store, where a mutex costs another exchange for each item. A thread that finds the lock
  // held polls: that is a task's thread that reports just when its function has ended.
  void unlock() { held_.store(false, std::memory_order_release); }

  // Adds a record. REQUIRES, of this and the methods up to TakeRang: the lock is held.
  void Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
           std::int64_t elapsed_ns, std::string_view bytes);

  // Reports belong to this item from here on.
  void BeginItem(std::uint32_t ticket, std::uint32_t item) {
    running_ = true;
    ticket_ = ticket;
    item_ = item;
    kept_ = false;
    sent_at_ = 0;
    sent_done_ = false;
  }
  // Adds the item's outcome behind its last report. Reports belong to no item from here on.
  void EndItem(wire::RecordKind kind, std::uint32_t encoding, std::int64_t elapsed_ns, std::string_view bytes) {
    const bool plain = kind == wire::RecordKind::kResult && !kept_ && elapsed_ns >= 0;
    if (plain && ring_.AppendNext(ticket_, item_, encoding, static_cast<std::uint64_t>(elapsed_ns), bytes)) {
      running_ = false;
    } else {
      EndItemWithHeader(kind, encoding, elapsed_ns, bytes);
    }
  }
  // As EndItem, for a result in an arena.
  void EndItemInArena(std::uint32_t encoding, std::int64_t elapsed_ns, const wire::ResultPlace& place);
  // Sends a bell if a record would wait too long while the next item runs. `expected_ns` below 0: not known.
  void BeforeRun(std::int64_t now, double expected_ns) {
    if (ring_.BellWanted()) RingIfDue(now, expected_ns);
  }
  // Whether a bell was sent, or room waited for, since the last call: either takes longer than many tasks.
  bool TakeRang() { return rang_.load(std::memory_order_relaxed) && rang_.exchange(false, std::memory_order_relaxed); }

  // Sends the first report of an item, one every 50 ms, and the first that says that the item is done; keeps the latest
  // of the others. May wait for room in the ring. REQUIRES: the lock is not held.
  void Report(double fraction, std::string_view text) override;

  // Sends a bell if the daemon wants one. With or without the lock. REQUIRES: no item is under way.
  void BeforeSleep();

 private:
  // A wake of the daemon and its client costs about as much CPU as 200 us of work, which the workers lose.
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
  void NotifyDaemon();

  Channel* const channel_;

  std::atomic<bool> rang_{false};

  std::atomic<bool> held_{false};
  wire::RingWriter ring_;
  // The first byte that the daemon has not read, and about since when.
  std::uint64_t unread_from_ = 0;
  std::int64_t unread_since_ = 0;

  // The item that runs.
  bool running_ = false;
  std::uint32_t ticket_ = 0;
  std::uint32_t item_ = 0;
  // The item's latest report, if it was not sent.
  bool kept_ = false;
  double fraction_ = 0;
  std::string text_;
  // When the item's last report was sent; 0: none was.
  std::int64_t sent_at_ = 0;
  bool sent_done_ = false;
};

}  // namespace poold::worker
