// Strict pools: the death of a worker breaks them.
#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {

// Not what we did to it. One that was told to go (recycled, or fresh) and still runs its last task counts.
bool Core::State::Breaks(const Worker& worker, const WorkerLoss& loss) const {
  const Pool& pool = *worker.pool;
  if (pool.spec.death_policy != DeathPolicy::kStrict || !pool.dispatches() || !worker.ready()) return false;
  if (worker.killed_by != KilledBy::kUnspecified) return false;
  return !worker.stopping() || loss.has_guilty;
}

std::string Core::State::StoryOf(const Worker& worker, const DeathCertificate& death) const {
  std::string story = absl::StrCat("worker ", static_cast<std::uint64_t>(worker.id), " (pid ", worker.pid, ") ");
  if (death.signal != 0) {
    absl::StrAppend(&story, "was ended by signal ", death.signal);
  } else {
    absl::StrAppend(&story, "exited with code ", death.exit_code);
  }
  const Node* head = worker.sent.front();
  if (head == nullptr) return absl::StrCat(story, " while it was idle");
  return absl::StrCat(story, " in function '", worker.pool->functions[HandleOf(head).group->function].name, "'");
}

}  // namespace poold::core
