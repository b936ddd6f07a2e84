// How far one worker's task is, told so seldom that it costs nobody anything.
//
// Role: the first word of a task goes on at once; of what follows within 50 ms only the last one does, when they are
// over or when the task ends. Non-role: judges no fraction (wire/progress_note.h does).
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "core/types.h"
#include "wire/progress_note.h"

namespace poold::process {

struct TicketProgress {
  std::uint32_t ticket = 0;
  std::uint32_t item = 0;
  wire::ProgressNote note;
};

class LatestProgress {
 public:
  void Add(TicketProgress progress) { latest_ = std::move(progress); }
  // What is to be told now.
  std::optional<TicketProgress> TakeDue(core::Nanos now);
  // The task ends: what was not told of it.
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
