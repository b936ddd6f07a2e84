#include "rpc/states_page.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace poold::rpc {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::uint32_t kAlive =
    1u << static_cast<unsigned>(core::TaskState::kQueued) | 1u << static_cast<unsigned>(core::TaskState::kRunning);

void AddView(core::HandleView view, WatchQueue* queue) {
  std::visit([queue](auto& one) { queue->Add(std::move(one)); }, view);
}

}  // namespace

bool StatesPage::AddTo(WatchQueue* queue) {
  if (part_ >= parts_.size()) return false;
  parts_[part_].shard->Enter([&](core::Core& core, core::Nanos) {
    if (pool_.empty()) {
      AddHandles(core, queue);
    } else {
      AddPool(core, queue);
    }
  });
  return part_ < parts_.size();
}

// What was released is not known any more.
void StatesPage::AddHandles(const core::Core& core, WatchQueue* queue) {
  const std::vector<core::HandleId>& ids = parts_[part_].ids;
  const std::uint64_t end = std::min<std::uint64_t>(next_ + kPage, ids.size());
  for (; next_ < end; ++next_) {
    absl::StatusOr<core::HandleView> view = core.ViewHandle(ids[next_]);
    if (view.ok()) AddView(*std::move(view), queue);
  }
  if (next_ == ids.size()) NextPart();
}

void StatesPage::AddPool(const core::Core& core, WatchQueue* queue) {
  if (next_ == 0) {
    absl::StatusOr<core::PoolView> pool = core.ViewPool(pool_);
    if (!pool.ok()) return NextPart();
    queue->Add(*std::move(pool));
  }
  core::TaskFilter living;
  living.pool = pool_;
  living.states = kAlive;
  core::TaskPage page = core.ViewTasks(living, next_, kPage);
  for (core::HandleView& entry : page.entries) AddView(std::move(entry), queue);
  next_ = page.next;
  if (next_ == 0) NextPart();
}

}  // namespace poold::rpc
