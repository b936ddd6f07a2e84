// The end of a worker: who dies with it, who runs elsewhere.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {
namespace {

// How a worker of a strict pool died. REQUIRES: what it had is with it still.
std::string StoryOf(const Worker& worker, const DeathCertificate& death) {
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

}  // namespace

void Core::State::LoseWorker(Worker& worker, WorkerLoss loss) {
  const std::shared_ptr<Pool> pool = worker.pool;
  const Staffing::Loss how = staffing.NoteLoss(worker, loss.death, loss.has_guilty);
  std::string story = how.breaks ? StoryOf(worker, loss.death) : "";
  // From the back, so that what comes back to the front of the queue has its order again.
  steps.Spend(worker.sent.size());
  if (pool->sweep == Sweep::kAll) SweepSent(worker);
  while (Node* last = worker.sent.back()) {
    // Without a page it is not known what was begun: all of it may have been.
    const bool guilty = !worker.uses_page || (loss.has_guilty && TokenOf(last) == loss.guilty);
    if (last->kind == NodeKind::kTask) {
      tasks.Lose(*AsTask(last), guilty, loss);
    } else {
      maps.Lose(*AsChunk(last), guilty, loss);
    }
  }
  staffing.Forget(worker, how, std::move(loss.start_failure), loss.cause);
  if (pool->recalls) scheduler.TakeBackHeldCalls(*pool);
  if (how.breaks) return FailPool(*pool, std::move(story));
  pool->recalls ? SendMoreLater(*pool) : Reconcile(*pool);
}

}  // namespace poold::core
