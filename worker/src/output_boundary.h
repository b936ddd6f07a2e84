// The boundary between what one task wrote and what the next will write.
//
// Role: at a boundary everything that lies in the pipes of stdout and stderr is moved into the ring under the ending
// task's ticket. The daemon reads the pipes in between; page.output_lock keeps both apart.
// Not thread-safe. Owns the read ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "outcome_writer.h"
#include "wire/unique_fd.h"
#include "wire/worker_page.h"

namespace poold::worker {

class OutputBoundary {
 public:
  // Makes stdout line-buffered, so that lines are seen when they are printed. In the zygote for all its clones.
  static void PrepareStdio();

  OutputBoundary(wire::WorkerPage* page, OutcomeWriter* outcomes, wire::UniqueFd stdout_read,
                 wire::UniqueFd stderr_read);

  // The task begins: what is written from here on is its own.
  void Begin(std::uint32_t ticket, std::uint32_t item);
  // The next item of the same task.
  void NextItem(std::uint32_t item) { page_->current_item.store(item, std::memory_order_relaxed); }
  // Moves what was written so far.
  void Collect();
  // The task is over: Collect, and from here on nothing is anybody's.
  void End();

  // The same for a task that cannot have written anything: no system call.
  void EndSilent();

  // stdio or iostreams hold something back, or may (std::ios::sync_with_stdio(false)). Cheap.
  static bool StdioPending();

 private:
  void Lock();
  void Unlock();
  void Flush();
  void DrainPipes();
  void WatchPipes();
  // Returns whether there may be more.
  bool DrainOne(int fd, wire::RecordKind kind);

  wire::WorkerPage* const page_;
  OutcomeWriter* const outcomes_;
  wire::UniqueFd stdout_;
  wire::UniqueFd stderr_;
  // Says which of them hold something: half the cost of poll(2), which asks each of them. Without it (no
  // descriptor is left) each is asked.
  wire::UniqueFd epoll_;
  // Made when there is something to move.
  std::unique_ptr<char[]> buffer_;
};

}  // namespace poold::worker
