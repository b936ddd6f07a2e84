// Those who only look: reasons, lists, arguments, at any moment.
#include <set>

#include "world.h"

namespace poold::core::sim {

void World::LookAtOne() {
  const KnownHandle* known = AnyHandle();
  if (known == nullptr) return;
  const auto explanation = core_.Explain(now_, known->id);
  if (!explanation.ok()) {
    if (peer_.Find(known->id) != nullptr) ledger_.Wrong("a known handle could not be explained");
    return;
  }
  if (const auto* task = std::get_if<TaskView>(&explanation->handle)) {
    LookAtTask(*known, *task, *explanation);
  } else {
    const MapView& map = std::get<MapView>(explanation->handle);
    if (!map.done && map.running_items == 0 && explanation->waits_for.empty()) {
      ledger_.Wrong("nobody knows why map " + std::to_string(map.id.low) + " waits");
    }
  }
  LookAtArguments(*known);
}

void World::LookAtTask(const KnownHandle& known, const TaskView& task, const Explanation& explanation) {
  const std::string name = Ledger::TextOf(known, 0);
  const bool waits = task.state == TaskState::kQueued;
  if (waits && explanation.waits_for.empty()) ledger_.Wrong("nobody knows why task " + name + " waits");
  if (IsTerminal(task.state) && !explanation.waits_for.empty()) ledger_.Wrong("task " + name + " ended, and waits");
  if (explanation.attempts.size() > 16) ledger_.Wrong("more than 16 attempts are told of task " + name);
  std::uint32_t before = 0;
  for (const AttemptView& attempt : explanation.attempts) {
    if (attempt.number <= before) ledger_.Wrong("the attempts of task " + name + " are not in order");
    before = attempt.number;
    const bool runs = attempt.state == TaskState::kRunning;
    if (runs != (attempt.ended_at == 0)) ledger_.Wrong("an attempt of task " + name + " neither runs nor ended");
  }
  if (before > task.attempt) ledger_.Wrong("task " + name + " had more attempts than it counts");
}

void World::LookAtArguments(const KnownHandle& known) {
  if (known.items.empty()) return;
  const std::size_t index = Any(known.items.size());
  const auto args = core_.ViewArguments(known.id, index);
  const std::string name = Ledger::TextOf(known, index);
  if (args.ok() && args->data.view() != name) ledger_.Wrong(name + " has the arguments of another one");
  const TaskState state = known.items[index].final_state;
  if (args.ok() && state == TaskState::kSucceeded) ledger_.Wrong("the arguments of " + name + " are kept for nothing");
  if (!args.ok() && !known.is_map && !known.ended && state == TaskState::kUnspecified &&
      peer_.Find(known.id) != nullptr) {
    ledger_.Wrong("the arguments of " + name + " are lost before it ended");
  }
}

// Every handle that can be named is in the list once.
void World::LookAtList() {
  TaskFilter filter;
  if (Chance(30)) filter.pool = AnyPool();
  if (Chance(30)) filter.states = static_cast<std::uint32_t>(random_());
  const bool whole = filter.pool.empty() && filter.states == 0;
  std::set<HandleId> listed;
  std::uint64_t from = 0;
  do {
    const TaskPage page = core_.ViewTasks(filter, from, 1 + Any(50));
    for (const HandleView& view : page.entries) {
      const auto* task = std::get_if<TaskView>(&view);
      const HandleId id = task != nullptr ? task->id : std::get<MapView>(view).id;
      if (!listed.insert(id).second) ledger_.Wrong("a list names a handle twice");
      if (peer_.Find(id) == nullptr) ledger_.Wrong("a list names a handle that nobody can name");
    }
    from = page.next;
  } while (from != 0);
  if (!whole) return;
  for (const auto& [id, known] : ledger_.handles) {
    if (peer_.Find(id) != nullptr && !listed.contains(id)) ledger_.Wrong("a list leaves a handle out");
  }
}

}  // namespace poold::core::sim
