// OutputBoundary: separates the output of one task from the next one's.
//
// Role: at a boundary everything in the pipes of stdout and stderr moves into the ring under the ending task's ticket.
//   The daemon reads the pipes in between; page.output_lock keeps the two readers apart.
// Threads: not thread-safe; the worker's own thread. Owns the read ends.
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
  // Makes stdout line-buffered, so that lines are seen when they are printed. In the zygote, for all its clones.
  static void PrepareStdio();

  // Owns neither page nor writer.
  OutputBoundary(wire::WorkerPage* page, OutcomeWriter* outcomes, wire::UniqueFd stdout_read,
                 wire::UniqueFd stderr_read);

  // Output belongs to this task from here on.
  void Begin(std::uint32_t ticket, std::uint32_t item);
  // Output belongs to the next item of the same task.
  void NextItem(std::uint32_t item) { page_->current_item.store(item, std::memory_order_relaxed); }
  // Moves the output so far.
  void Collect();
  // Moves the output so far; later output belongs to no task.
  void End();

  // As End, for a task that cannot have written anything: no system call.
  void EndSilent();

  // Whether stdio or iostreams hold output back, or may (std::ios::sync_with_stdio(false)). Cheap.
  static bool StdioPending();

 private:
  void Lock();
  void Unlock();
  void Flush();
  void DrainPipes();
  void WatchPipes();
  // Moves the output of one pipe. Returns whether there may be more.
  bool DrainOne(int fd, wire::RecordKind kind);

  wire::WorkerPage* const page_;
  OutcomeWriter* const outcomes_;
  wire::UniqueFd stdout_;
  wire::UniqueFd stderr_;
  // Tells which pipes hold output, at half the cost of poll(2), which asks each. None (no descriptor is left): each is
  // asked.
  wire::UniqueFd epoll_;
  // Made when there is output to move.
  std::unique_ptr<char[]> buffer_;
};

}  // namespace poold::worker
