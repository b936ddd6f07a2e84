#include "poold/client/pool.h"

#include <algorithm>

#include "convert.h"
#include "error.h"
#include "poold/client/client.h"

namespace poold::client {

absl::StatusOr<PoolInfo> Pool::Info() const {
  auto found = connection()->GetPool(name());
  if (!found.ok()) return found.status();
  return std::move(found->pool);
}

absl::StatusOr<PoolStats> Pool::Stats() const {
  auto stats = connection()->GetStats(name());
  if (!stats.ok()) return stats.status();
  return stats->pools[name()];
}

absl::StatusOr<PoolInfo> Pool::Resize(Count workers) const { return connection()->Resize(name(), workers); }

absl::StatusOr<PoolInfo> Pool::Reload() const { return connection()->Reload(name()); }

absl::Status Pool::Watch(const WatchCallback& take, bool output) const {
  return connection()->Watch({.pool = name(), .output = output}, take);
}

absl::StatusOr<std::uint64_t> Pool::Close(bool cancel_queued) const {
  return connection()->Close(name(), cancel_queued);
}

absl::StatusOr<std::uint64_t> Pool::Terminate(Duration grace) const {
  return connection()->Terminate(name(), std::max(grace, Duration::zero()), /*forget=*/false);
}

absl::Status Pool::Join(Duration timeout) const {
  const auto joined = connection()->Join(name(), timeout);
  if (!joined.ok()) return joined.status();
  return *joined ? absl::OkStatus() : internal::WaitTimeoutError("pool " + name());
}

absl::Status Pool::Shutdown(bool wait, bool cancel_queued) const {
  if (absl::Status closed = Close(cancel_queued).status(); !closed.ok()) return closed;
  return wait ? Join() : absl::OkStatus();
}

// Where a map names no options of its own for its items, those of the pool hold.
MapOptions Pool::Merged(MapOptions options) const {
  const TaskOptions& own = options.task;
  const bool named = !internal::SameOnWire(own, TaskOptions()) || own.wait_when_full || own.id;
  if (!named) options.task = core_->defaults;
  return options;
}

absl::StatusOr<PoolScope> PoolScope::Open(const Client& client, PoolSpec spec, AtScopeEnd at_end) {
  if (spec.on_owner_lost == OwnerLost::kKeep || spec.on_owner_lost == OwnerLost::kUnspecified)
    spec.on_owner_lost = OwnerLost::kTerminate;
  auto opened = client.connection()->OpenPool(spec, {.creation_id = HandleId::Random().ToBytes()});
  if (!opened.ok()) return opened.status();
  return PoolScope(Pool(client.connection(), spec.name), at_end);
}

PoolScope::~PoolScope() {
  if (!pool_) return;
  if (at_end_ == AtScopeEnd::kTerminate) {
    (void)pool_->Terminate();
  } else if (pool_->Close().ok()) {
    (void)pool_->Join();
  }
}

}  // namespace poold::client
