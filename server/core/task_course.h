// The course of a task: what results, time limits, cancels and the deaths of workers make of it.
//
// What was decided stays: a result that comes after a task was found over its time, or after a client was told that it
// will be CANCELLED, is dropped and counted.
// Role: moves a task's life, from its submission to its end, and tries it again. Non-role: chooses no worker, keeps no
// outcome, and does not look whether something else can run now: its callers do.
// Ownership: none; whatever is named in the constructor outlives it.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <random>
#include <string>
#include <string_view>

#include "core/core.h"
#include "core/delivery.h"
#include "core/endings.h"
#include "core/handles.h"
#include "core/scheduler/scheduler.h"
#include "core/task/ending.h"

namespace poold::core {

// The pause after this attempt (from 1). It doubles each time up to the longest; half of it is by chance, so that tasks
// which failed together do not come together.
Nanos RetryPause(const TaskOptions& options, std::uint32_t attempt, std::mt19937_64& random);

// What a cancel of a task came to.
struct Cancelled {
  // The task is, or will be, CANCELLED.
  bool is_cancelled = false;
  // This call changed something, so that something else may be able to run now.
  bool changed = false;
};

class TaskCourse {
 public:
  TaskCourse(const Nanos* now, std::mt19937_64* random, TaskLives* lives, Scheduler* scheduler, Delivery* delivery,
             Endings* endings, Dropped* dropped)
      : now_(*now),
        random_(*random),
        lives_(*lives),
        scheduler_(*scheduler),
        delivery_(*delivery),
        endings_(*endings),
        dropped_(*dropped) {}

  // Ends the task with a result of its present attempt, or tries it again. The bytes that are not taken stay in
  // `result`. False: nothing has changed.
  bool TakeResult(Task& task, TaskResult& result);
  // Cancels the task if it has not begun; with `running` also if it has, by killing its worker. Safe to repeat.
  Cancelled Cancel(Task& task, bool running);
  // TimerKind::kTask has fired: one of its limits of time, or its start. May forget the task.
  void Due(Task& task);
  // Its worker has ended. `guilty`: the task had begun there, so it crashed; else it waits again and no attempt is
  // counted.
  void Lose(Task& task, bool guilty, const WorkerLoss& loss);
  // Ends the task. REQUIRES, all: it is in no list. May forget it at once.
  void End(Task& task, OutcomePtr outcome);
  void EndCancelled(Task& task, std::string_view why) { End(task, cancelled_.Of(task, why, now_)); }

  // Bug for the simulator to find: loses what a dead worker had not begun.
  void PlantForgetUnbegun(bool forget) { forget_unbegun_ = forget; }

 private:
  bool TakeOutOfQueue(Task& task);
  void TimeOut(Task& task, bool total);
  void EndPlainly(Task& task, Nanos started_at, Payload result);
  bool MayRetry(const Task& task, TaskState state) const;
  void Retry(Task& task);
  void NoteAttempt(Task& task, TaskState state, Nanos started_at, std::string reason);

  const Nanos& now_;
  std::mt19937_64& random_;
  TaskLives& lives_;
  Scheduler& scheduler_;
  Delivery& delivery_;
  Endings& endings_;
  Dropped& dropped_;
  CancelledOutcomes cancelled_;
  bool forget_unbegun_ = false;
};

}  // namespace poold::core
