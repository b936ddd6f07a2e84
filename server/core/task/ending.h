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

// The outcome of a task that ends now: with its output, but without a result, a failure or a certificate.
std::shared_ptr<Outcome> NewOutcome(const Task& task, TaskState state, Nanos now);
// As NewOutcome, with a failure of this type.
OutcomePtr FailedOutcome(const Task& task, TaskState state, std::string_view type, std::string_view message, Nanos now);
// The outcome of a task or item that never started, with a failure of this type.
OutcomePtr NeverStartedOutcome(TaskState state, std::string_view type, std::string_view message, Nanos submitted_at,
                               Nanos now);

// Makes outcomes of cancelled tasks. Tasks that came together and never ran share one outcome: so ten million of them
// end in a moment.
class CancelledOutcomes {
 public:
  OutcomePtr Of(const Task& task, std::string_view why, Nanos now);

 private:
  // The latest outcome that was shared: of a task that had not run.
  OutcomePtr last_;
};

// Whether the task ends in a compact success (TaskLife::kSucceeded): at the first attempt, without output and without a
// type name.
bool IsPlain(const Task& task, const Payload& result);
// Bytes that count while its outcome is kept, those of kept arguments among them. REQUIRES: it has ended.
std::uint64_t OutcomeBytesOf(const Task& task);
// Bytes that are kept of the handle now. Of a map: so far. Of a task that runs, or was released: 0.
std::uint64_t KeptBytesOf(const Handle& handle);
// REQUIRES: it has ended.
Nanos EndedAt(const Handle& handle);

// Counts so many ends in this state. REQUIRES: the state is terminal.
void CountEnd(PoolStats& stats, TaskState state, std::uint64_t count);

}  // namespace poold::core
