#include "engine/engine.h"

#include <algorithm>
#include <iterator>

namespace poold::engine {
namespace {

// A place in the list of all cores, one behind the other: which core, and where in it.
constexpr int kPlaceBits = 56;
constexpr std::uint64_t PlaceOf(std::size_t core, std::uint64_t from) {
  return std::uint64_t{core} << kPlaceBits | from;
}

}  // namespace

void Subscription::Drop() {
  for (const Place& place : std::exchange(places_, {})) {
    place.shard->Enter([&](core::Core& core, core::Nanos now) { place.shard->Unsubscribe(core, now, place.id); });
  }
}

Engine::Engine(std::size_t cores, const base::Clock* clock) {
  shared_.names = &client_names_;
  shared_.clock = clock;
  shared_.on_pools_gone = [this] { TakeShardGone(); };
  for (std::size_t i = 0; i < cores; ++i) {
    shards_.push_back(std::make_unique<Shard>(&shared_, cores == 1 ? 0 : static_cast<std::uint32_t>(i + 1)));
  }
}

void Engine::Attach(std::vector<Gate*> gates) {
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->Attach(gates[i]);
  directory_.emplace(std::move(gates));
}

void Engine::Clear() {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->subscribers().Clear();
}

void Engine::TakeShardGone() {
  if (shared_.gone == shards_.size() && on_all_pools_gone_) on_all_pools_gone_();
}

core::HandleId Engine::NewId() const {
  return shards_.front()->Enter([](core::Core& core, core::Nanos) { return core.NewHandle(); });
}

ClaimedIds Engine::ClaimIds(std::string_view pool, std::span<const core::HandleId> ids,
                            const std::function<std::string(std::size_t)>& field,
                            std::vector<absl::Status>* why) const {
  std::vector<Shards::NewId> wanted;
  const std::size_t shard = directory_->OfPool(pool);
  for (const core::HandleId& id : ids) wanted.push_back({id, shard});
  ClaimedIds claimed = directory_->Claim(wanted, why);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (directory_->Told(ids[i])) (*why)[i] = directory_->CheckTold(ids[i], pool, field(i));
  }
  return claimed;
}

std::vector<HandleGroup> Engine::Locate(std::span<const core::HandleId> ids) const {
  std::vector<HandleGroup> of_cores(shards_.size());
  const std::vector<std::size_t> where = directory_->OfHandles(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    of_cores[where[i]].ids.push_back(ids[i]);
    of_cores[where[i]].places.push_back(i);
  }
  std::vector<HandleGroup> groups;
  for (std::size_t core = 0; core < of_cores.size(); ++core) {
    if (of_cores[core].ids.empty() && !(ids.empty() && core == 0)) continue;
    of_cores[core].shard = shards_[core].get();
    groups.push_back(std::move(of_cores[core]));
  }
  return groups;
}

std::optional<PendingCall> Engine::OpenPool(core::PoolSpec spec, core::ClientId owner, const core::HandleId& creation,
                                            std::function<void(Answer)> then) {
  PendingCall asked;
  const std::string name = spec.name;
  // The owner is still present when the core hears of the pool: both happen in one event.
  const bool is_asked =
      directory_->OpenPool(name, [&](core::Core& core, core::Nanos now, std::size_t place, std::uint64_t elsewhere) {
        Shard& shard = *shards_[place];
        if (owner != core::ClientId{} && !shard.present().Has(owner)) return false;
        asked = ExpectAnswer(shard, std::move(then));
        core.OnOpenPool(now, asked.id, std::move(spec), owner, elsewhere, creation);
        return true;
      });
  if (!is_asked) return std::nullopt;
  return asked;
}

std::vector<core::PoolView> Engine::Pools() const {
  std::vector<core::PoolView> pools;
  InEach([&](core::Core& core, core::Nanos) {
    std::vector<core::PoolView> some = core.ViewPools();
    std::move(some.begin(), some.end(), std::back_inserter(pools));
  });
  std::stable_sort(pools.begin(), pools.end(),
                   [](const core::PoolView& a, const core::PoolView& b) { return a.opened_at < b.opened_at; });
  return pools;
}

std::vector<std::string> Engine::PoolNames() const {
  std::vector<std::string> names;
  InEach([&](core::Core& core, core::Nanos) {
    std::vector<std::string> some = core.PoolNames();
    std::move(some.begin(), some.end(), std::back_inserter(names));
  });
  return names;
}

std::vector<core::ClientView> Engine::HeldUpClients() const {
  std::vector<core::ClientView> clients;
  InEach([&](core::Core& core, core::Nanos) {
    std::vector<core::ClientView> some = core.HeldUpClients();
    std::move(some.begin(), some.end(), std::back_inserter(clients));
  });
  return clients;
}

core::MemoryUse Engine::memory() const {
  core::MemoryUse all;
  InEach([&](core::Core& core, core::Nanos) {
    const core::MemoryUse one = core.memory();
    all.task_bytes += one.task_bytes;
    all.kept_outcome_bytes += one.kept_outcome_bytes;
  });
  return all;
}

absl::StatusOr<core::TaskPage> Engine::ViewTasks(const core::TaskFilter& filter, std::uint64_t place,
                                                 std::size_t most) const {
  const bool one = !filter.pool.empty();
  std::size_t shard = one ? directory_->OfPool(filter.pool) : place >> kPlaceBits;
  const std::size_t end = one ? shard + 1 : shards_.size();
  std::uint64_t from = place & (PlaceOf(1, 0) - 1);
  core::TaskPage all;
  for (; shard < end && (all.entries.size() < most || one); ++shard) {
    const absl::StatusOr<core::TaskPage> page =
        shards_[shard]->Enter([&](core::Core& core, core::Nanos) -> absl::StatusOr<core::TaskPage> {
          if (one) {
            if (absl::Status known = core.ViewPool(filter.pool).status(); !known.ok()) return known;
          }
          return most == 0 ? core::TaskPage() : core.ViewTasks(filter, from, most - all.entries.size());
        });
    if (!page.ok()) return page.status();
    all.entries.insert(all.entries.end(), page->entries.begin(), page->entries.end());
    all.next = page->next == 0 ? 0 : PlaceOf(shard, page->next);
    if (all.next != 0) return all;
    from = 0;
  }
  if (shard < end && most > 0) all.next = PlaceOf(shard, 0);
  return all;
}

}  // namespace poold::engine
