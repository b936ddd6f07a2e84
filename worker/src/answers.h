// What a worker has to say: records in its page's ring, and the bells that make the daemon look.
//
// Bell policy: when the daemon wants a bell, it gets one if there is nothing more to do, if the ring is half full, or
// if by the end of what runs next something may have waited for more than 2 ms. A report of progress rings at once.
// Thread-safe: a task's threads report progress while the worker's own moves output. Owns neither page nor channel.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "channel.h"
#include "poold/worker/current_task.h"
#include "wire/outcome_ring.h"

namespace poold::worker {

class Answers : public ProgressSink {
 public:
  Answers(void* page, Channel* channel);

  void Add(wire::RecordKind kind, std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
           std::int64_t elapsed_ns, std::string_view bytes);

  // From here on reports are of this item.
  void BeginItem(std::uint32_t ticket, std::uint32_t item);
  // Its outcome, behind what was reported last. From here on reports are of nothing.
  void EndItem(wire::RecordKind kind, std::uint32_t encoding, std::int64_t elapsed_ns, std::string_view bytes);
  // The same of a result that lies in a sealed file of so many bytes.
  void EndItemInFile(std::uint32_t encoding, std::int64_t elapsed_ns, int file, std::uint64_t bytes);
  // Sends the first report of an item, one every 50 ms, and the first that says that it is done; of the others the
  // latest is kept.
  void Report(double fraction, std::string_view text) override;

  // Before something runs, which may take so long; not known: it was never run here.
  void BeforeRun(std::int64_t now, std::optional<double> expected_ns);
  // Before sleeping.
  void BeforeSleep();
  // Whether it has rung, or waited for room, since it was asked last: that takes longer than many a task.
  bool TakeRang() { return rang_.load(std::memory_order_relaxed) && rang_.exchange(false, std::memory_order_relaxed); }

 private:
  void AddLocked(const wire::RecordHeader& header, std::string_view bytes);
  void EndLocked(wire::RecordHeader header, std::string_view bytes);
  void SendReport();
  void Ring();

  // A child that a task forks shares the ring but may not write to it.
  const pid_t owner_;
  Channel* const channel_;

  std::atomic<bool> rang_{false};

  std::mutex mu_;
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
