#include "poold/client/wait.h"

#include <algorithm>

#include "handle_state.h"

namespace poold::client::internal {
namespace {

bool WaitApart(const std::vector<HandleState*>& cells, WaitMode mode, Duration timeout) {
  const Deadline deadline(timeout);
  Completions completions(cells);
  while (completions.left() > 0) {
    const auto ended = completions.Next(deadline.left());
    if (!ended) return false;
    if (mode == WaitMode::kFirstCompleted) return true;
    if (mode == WaitMode::kFirstException && !EndedWell(*cells[*ended])) return true;
  }
  return true;
}

}  // namespace

bool WaitFor(std::vector<HandleState*> cells, WaitMode mode, Duration timeout) {
  const auto end = std::remove(cells.begin(), cells.end(), nullptr);
  const bool one_is_nothing = end != cells.end();
  cells.erase(end, cells.end());
  if (cells.empty() || (one_is_nothing && mode == WaitMode::kFirstCompleted)) return true;
  const auto elsewhere = [&](HandleState* cell) { return cell->owner != cells.front()->owner; };
  if (std::any_of(cells.begin(), cells.end(), elsewhere)) return WaitApart(cells, mode, timeout);
  return cells.front()->owner->Wait(cells, mode, Deadline(timeout));
}

}  // namespace poold::client::internal
