#include "poold/client/wait.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "error.h"
#include "session/cancellation.h"
#include "session/handle_state.h"
#include "session/mutex.h"

namespace poold::client::internal {
namespace {

// How often who waits for things of several owners looks whether its thread was cancelled.
constexpr Duration kLookUp = std::chrono::seconds(1);

// Counts what has ended, for who waits for things of several owners: they have no reader in common.
class Bell {
 public:
  void Ring() {
    MutexLock lock(&mu_);
    ++rung_;
    woken_.Signal();
  }
  std::uint64_t rung() {
    MutexLock lock(&mu_);
    return rung_;
  }
  void AwaitAnother(std::uint64_t seen, const Deadline& deadline) {
    MutexLock lock(&mu_);
    while (rung_ == seen && !deadline.passed()) woken_.WaitWithDeadline(&mu_, deadline);
  }

 private:
  Mutex mu_;
  CondVar woken_;  // of the one who waits
  std::uint64_t rung_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace

struct Completions::State {
  // What one owner has of them.
  struct Share {
    std::shared_ptr<HandleOwner> owner;
    Collector collector;
    Waiter waiter;
    std::vector<HandleState*> cells;  // null once it was handed out
    std::vector<WaitNode> nodes;
    std::vector<std::size_t> places;  // of the cells, in what the caller has
  };

  Share& ShareOf(const std::shared_ptr<HandleOwner>& owner) {
    for (const auto& share : shares) {
      if (share->owner == owner) return *share;
    }
    shares.push_back(std::make_unique<Share>());
    shares.back()->owner = owner;
    return *shares.back();
  }
  void Begin(Share& share) {
    share.waiter.collector = &share.collector;
    if (shares.size() > 1) share.collector.also = [this] { bell.Ring(); };
    share.nodes.resize(share.cells.size());
    for (std::uint32_t i = 0; i < share.nodes.size(); ++i) share.nodes[i] = {&share.waiter, nullptr, i};
    share.owner->Watch(share.cells, share.nodes);
  }
  std::optional<std::size_t> Take(Share& share, const Deadline& deadline) {
    const auto index = share.owner->Collect(share.waiter, deadline);
    if (!index) return std::nullopt;
    share.cells[*index] = nullptr;
    return share.places[*index];
  }

  std::vector<std::size_t> of_nothing;
  std::vector<std::unique_ptr<Share>> shares;
  // Where the next search begins: no owner is served before another for ever.
  std::size_t turn = 0;
  Bell bell;
};

Completions::Completions(const std::vector<HandleState*>& cells) : state_(std::make_unique<State>()) {
  absl::flat_hash_set<HandleState*> seen;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!seen.insert(cells[i]).second) continue;
    ++total_;
    if (cells[i] == nullptr) {
      state_->of_nothing.push_back(i);
      continue;
    }
    State::Share& share = state_->ShareOf(cells[i]->owner);
    share.cells.push_back(cells[i]);
    share.places.push_back(i);
  }
  left_ = total_;
  for (const auto& share : state_->shares) state_->Begin(*share);
}

Completions::~Completions() {
  for (const auto& share : state_->shares) share->owner->Unwatch(share->cells, share->nodes);
}

std::optional<std::size_t> Completions::Next(Duration timeout) {
  if (left_ == 0) return std::nullopt;
  if (!state_->of_nothing.empty()) {
    const std::size_t place = state_->of_nothing.back();
    state_->of_nothing.pop_back();
    --left_;
    return place;
  }
  const Deadline deadline(timeout);
  const Deadline now(Duration::zero());
  const std::size_t shares = state_->shares.size();
  while (true) {
    const std::uint64_t rung = state_->bell.rung();
    for (std::size_t i = 0; i < shares; ++i) {
      State::Share& share = *state_->shares[state_->turn++ % shares];
      if (const auto place = state_->Take(share, shares == 1 ? deadline : now)) {
        --left_;
        return place;
      }
    }
    if (shares == 1 || deadline.passed() || InOutputCallback()) return std::nullopt;
    state_->bell.AwaitAnother(rung, Deadline::At(std::min(deadline.at(), Deadline::Clock::now() + kLookUp)));
    CancellationPoint();
  }
}

absl::Status UnfinishedError(std::size_t left, std::size_t total) {
  return MakeError(reason::kWaitTimeout,
                   std::to_string(left) + " (of " + std::to_string(total) + ") handles unfinished");
}

HandleState* CellOf(const TaskRef& task) { return task.get(); }
HandleState* CellOf(const MapRef& map) { return map.get(); }

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
