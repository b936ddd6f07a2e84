#include "poold/client/wait.h"

#include <algorithm>

#include "handle_cell.h"

namespace poold::client::internal {
namespace {

// Handles of several clients have no reader in common: each tells when it is done.
struct Latch {
  absl::Mutex mu;
  std::size_t left ABSL_GUARDED_BY(mu) = 0;

  bool Open() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return left == 0; }
};

bool WaitApart(const std::vector<TaskRef>& tasks, WaitMode mode, Duration timeout) {
  auto latch = std::make_shared<Latch>();
  {
    absl::MutexLock lock(&latch->mu);
    latch->left = tasks.size();
  }
  for (const TaskRef& task : tasks) {
    task.OnDone([latch, mode](TaskRef done) {
      const bool enough =
          mode == WaitMode::kFirstCompleted || (mode == WaitMode::kFirstException && !EndedWell(*done.get()));
      absl::MutexLock lock(&latch->mu);
      latch->left = enough || latch->left == 0 ? 0 : latch->left - 1;
    });
  }
  const Deadline deadline(timeout);
  absl::MutexLock lock(&latch->mu);
  return latch->mu.AwaitWithTimeout(absl::Condition(latch.get(), &Latch::Open),
                                    deadline.never() ? absl::InfiniteDuration() : absl::FromChrono(deadline.left()));
}

}  // namespace

bool WaitTasks(std::span<const TaskRef> tasks, WaitMode mode, Duration timeout) {
  std::vector<HandleCell*> cells;
  for (const TaskRef& task : tasks) {
    if (task) cells.push_back(task.get());
  }
  if (cells.empty()) return true;
  const auto elsewhere = [&](HandleCell* cell) { return cell->owner != cells.front()->owner; };
  if (std::none_of(cells.begin(), cells.end(), elsewhere)) {
    return cells.front()->owner->Wait(cells, mode, Deadline(timeout));
  }
  std::vector<TaskRef> named;
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(named), [](const TaskRef& task) { return bool(task); });
  return WaitApart(named, mode, timeout);
}

}  // namespace poold::client::internal
