// The latest progress of one worker's task, passed on at most 20 times a second.
//
// Role: the first note of a task goes on at once; of the notes that follow within 50 ms only the last one does, when
// the 50 ms are over or when the task ends. Non-role: judges no fraction (wire/progress_note.h does).
// Threads: guarded by its WorkerResults. Units: times are in ns, of the monotonic clock.
#pragma once

#include <cstdint>
#include <optional>

#include "core/types.h"
#include "wire/progress_note.h"

namespace poold::process {

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
  // What was told last.
  std::optional<std::uint32_t> told_ticket_;
  core::Nanos told_at_ = 0;
};

}  // namespace poold::process
