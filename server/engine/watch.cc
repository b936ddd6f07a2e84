#include "engine/watch.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace poold::engine {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::uint32_t kAlive =
    1u << static_cast<unsigned>(core::TaskState::kQueued) | 1u << static_cast<unsigned>(core::TaskState::kRunning);

void AddView(core::HandleView view, Watched::Add add) {
  std::visit([add](auto& one) { add(std::move(one)); }, view);
}

}  // namespace

Watched::Watched(const Engine& engine, std::span<const core::HandleId> ids, std::string pool)
    : pool_(std::move(pool)),
      groups_(pool_.empty() ? engine.Locate(ids) : std::vector<HandleGroup>{engine.GroupOfPool(pool_)}) {}

absl::Status Watched::Subscribe(const std::shared_ptr<Subscriber>& watcher, bool output, Subscription* out) const {
  for (const HandleGroup& group : groups_) {
    absl::Status status =
        Engine::SubscribeIn(group.shard, watcher, out, [&](core::Core& core, core::Nanos now, core::SubscriberId me) {
          return core.OnWatch(now, me, group.ids, pool_, output);
        });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool Watched::AddStates(Add add) {
  if (group_ >= groups_.size()) return false;
  groups_[group_].shard->Enter([&](core::Core& core, core::Nanos) {
    if (pool_.empty()) {
      AddHandles(core, add);
    } else {
      AddPool(core, add);
    }
  });
  return group_ < groups_.size();
}

// What was released is not known any more.
void Watched::AddHandles(const core::Core& core, Add add) {
  const std::vector<core::HandleId>& ids = groups_[group_].ids;
  const std::uint64_t end = std::min<std::uint64_t>(next_ + kPage, ids.size());
  for (; next_ < end; ++next_) {
    absl::StatusOr<core::HandleView> view = core.ViewHandle(ids[next_]);
    if (view.ok()) AddView(*std::move(view), add);
  }
  if (next_ == ids.size()) NextGroup();
}

void Watched::AddPool(const core::Core& core, Add add) {
  if (next_ == 0) {
    absl::StatusOr<core::PoolView> pool = core.ViewPool(pool_);
    if (!pool.ok()) return NextGroup();
    add(*std::move(pool));
  }
  core::TaskFilter living;
  living.pool = pool_;
  living.states = kAlive;
  core::TaskPage page = core.ViewTasks(living, next_, kPage);
  for (core::HandleView& entry : page.entries) AddView(std::move(entry), add);
  next_ = page.next;
  if (next_ == 0) NextGroup();
}

}  // namespace poold::engine
