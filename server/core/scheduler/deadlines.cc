#include "core/scheduler/deadlines.h"

#include <algorithm>

#include "core/worker.h"

namespace poold::core {

void Deadlines::ArmTask(Task& task) {
  const TaskOptions& options = *task.group->options;
  Nanos when = After(task.group->submitted_at, options.total_timeout);
  const bool sent = task.worker != nullptr;
  const bool first = task.attempt == (sent ? 1 : 0);
  const bool head = sent && task.worker->sent.front() == &task;
  if (task.life == TaskLife::kDelayed) when = std::min(when, task.not_before);
  if (first && !head && !task.begun) when = std::min(when, After(task.group->submitted_at, options.queue_timeout));
  if (head) when = std::min(when, After(task.worker->progress_at, options.run_timeout));
  if (DecidedEnd(task.life) != TaskState::kUnspecified) when = kNever;
  timers_->Set(&task.timer, when, TimerKind::kTask, &task);
}

void Deadlines::ArmChunk(Chunk& chunk) {
  const TaskOptions& options = *chunk.map->group->options;
  Nanos when = kNever;
  if (chunk.worker->sent.front() == &chunk && chunk.life == ChunkLife::kSent) {
    when = std::min(After(chunk.item_since, options.run_timeout),
                    After(chunk.map->items.ArrivedAt(chunk.begin + chunk.done), options.total_timeout));
  }
  timers_->Set(&chunk.timer, when, TimerKind::kChunk, &chunk);
}

void Deadlines::ArmMap(MapRun& map, Nanos now) {
  Nanos when = map.not_before > now ? map.not_before : kNever;
  if (map.items.ready() > 0) when = std::min(when, LatestStart(map));
  timers_->Set(&map.timer, when, TimerKind::kMap, &map);
}

Nanos Deadlines::LatestStart(const MapRun& map) {
  const TaskOptions& options = *map.group->options;
  const Nanos span =
      map.items.NextAttempts() > 0 ? options.total_timeout : std::min(options.queue_timeout, options.total_timeout);
  return After(map.items.ArrivedAt(map.items.NextItem()), span);
}

}  // namespace poold::core
