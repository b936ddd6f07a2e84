// Pages of handles for those who look for them.
#include "core/state.h"

namespace poold::core {
namespace {

// The mutex is held while a page is made, so a page ends after so many, whether they match or not.
constexpr std::uint32_t kMostLookedAt = 8192;

OutcomePtr WithoutBytes(const OutcomePtr& outcome) {
  const OutcomeDetail* detail = outcome->detail.get();
  const bool tails = detail != nullptr && !(detail->stdout_tail.empty() && detail->stderr_tail.empty());
  if (outcome->result.data.empty() && !tails) return outcome;
  auto slim = std::make_shared<Outcome>();
  slim->state = outcome->state;
  slim->attempt = outcome->attempt;
  slim->submitted_at = outcome->submitted_at;
  slim->started_at = outcome->started_at;
  slim->ended_at = outcome->ended_at;
  if (detail == nullptr) return slim;
  slim->detail = std::make_unique<OutcomeDetail>();
  slim->detail->failure = detail->failure;
  slim->detail->death = detail->death;
  slim->detail->poison = detail->poison;
  return slim;
}

bool Matches(const TaskFilter& filter, const Group& group) {
  const Pool& pool = *group.pool;
  if (!filter.pool.empty() && pool.spec.name != filter.pool) return false;
  if (!filter.function.empty() && pool.functions[group.function].name != filter.function) return false;
  if (filter.clients.empty()) return true;
  for (const ClientId client : filter.clients) {
    if (client == group.queue->client) return true;
  }
  return false;
}

}  // namespace

TaskState Core::State::StateOf(const Handle& handle) {
  if (!handle.is_map()) return static_cast<const Task&>(handle).state;
  const MapRun& map = static_cast<const MapRun&>(handle);
  if (!map.ended) return map.chunks.empty() ? TaskState::kQueued : TaskState::kRunning;
  const bool ended_by_failure = map.fail_fast && map.unsuccessful_items > 0;
  if ((map.cut || map.cancelled_items > 0) && !ended_by_failure) return TaskState::kCancelled;
  return map.unsuccessful_items > 0 ? TaskState::kFailed : TaskState::kSucceeded;
}

void Core::State::ReachListed(std::uint64_t from) {
  std::vector<HandleId> ids;
  std::uint32_t looked_at = 0;
  in_order.Walk(from, [&](const Handle& handle) {
    if (!handle.ended && handle.group->pool->sweep != Sweep::kNone) ids.push_back(handle.id);
    return ++looked_at <= kMostLookedAt;
  });
  for (const HandleId& id : ids) {
    if (Handle* const handle = handles.Find(id)) Reach(*handle);
  }
}

TaskPage Core::State::ListHandles(const TaskFilter& filter, std::uint64_t from, std::size_t most) const {
  TaskPage page;
  std::uint32_t looked_at = 0;
  const Group* group = nullptr;  // of the one before: neighbours often share it
  bool matches = false;
  page.next = in_order.Walk(from, [&](const Handle& handle) {
    if (page.entries.size() >= most || ++looked_at > kMostLookedAt) return false;
    if (handle.group != group) {
      group = handle.group;
      matches = Matches(filter, *group);
    }
    if (!matches) return true;
    if (filter.states != 0 && (filter.states >> static_cast<unsigned>(StateOf(handle)) & 1) == 0) return true;
    page.entries.push_back(ViewOf(handle));
    auto* task = std::get_if<TaskView>(&page.entries.back());
    if (task != nullptr && task->outcome != nullptr) task->outcome = WithoutBytes(task->outcome);
    return true;
  });
  return page;
}

}  // namespace poold::core
