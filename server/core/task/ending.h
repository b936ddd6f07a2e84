// The form in which tasks and items end: outcomes, and what is counted for them.
//
// Role: functions over data. Non-role: ends nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/handles.h"
#include "core/views.h"

namespace poold::core {

// Of a task that ends now: without a result, a failure or a certificate.
std::shared_ptr<Outcome> NewOutcome(const Task& task, TaskState state, Nanos now);
// With a failure of this type.
OutcomePtr FailedOutcome(const Task& task, TaskState state, std::string_view type, std::string_view message, Nanos now);
// Of something that never started.
OutcomePtr NeverStartedOutcome(TaskState state, std::string_view type, std::string_view message, Nanos submitted_at,
                               Nanos now);

// Outcomes of tasks that are cancelled. Tasks that came together and never ran share one: so ten million of them end in
// a moment.
class CancelledOutcomes {
 public:
  OutcomePtr Of(const Task& task, std::string_view why, Nanos now);

 private:
  OutcomePtr last_;  // of a task that had not run
};

// A success of which the task keeps the result itself: TaskLife::kSucceeded.
bool IsPlain(const Task& task, const Payload& result);
// Counted for it while its outcome is kept. REQUIRES: it has ended.
std::uint64_t OutcomeBytesOf(const Task& task);
// Of a map: so far. Of a task that runs, or was released: none.
std::uint64_t KeptBytesOf(const Handle& handle);
// REQUIRES: it has ended.
Nanos EndedAt(const Handle& handle);

void CountEnd(PoolStats& stats, TaskState state, std::uint64_t count);

}  // namespace poold::core
