#include "core/subscribe/watches.h"

#include <algorithm>
#include <utility>

namespace poold::core {

void Watches::WatchPool(PoolWatchers& pool, SubscriberId watcher, bool output) {
  pool.all_.push_back({watcher, output});
  of_pools_[watcher] = &pool;
}

void Watches::WatchHandles(std::vector<HandleWatchers*> handles, SubscriberId watcher, bool output) {
  if (handles.empty()) return port_->EndWatch(watcher);
  for (HandleWatchers* handle : handles) handle->all_.push_back(watcher);
  of_handles_[watcher] = {std::move(handles), output};
}

void Watches::Tell(const PoolWatchers& pool, const HandleWatchers* handle, MakeEvent event) const {
  for (const PoolWatchers::Watcher& watcher : pool.all_) port_->SendEvent(watcher.id, event());
  if (handle == nullptr) return;
  for (const SubscriberId watcher : handle->all_) port_->SendEvent(watcher, event());
}

void Watches::TellOutput(const PoolWatchers& pool, const HandleWatchers& handle, const OutputEvent& output) const {
  for (const PoolWatchers::Watcher& watcher : pool.all_) {
    if (watcher.output) port_->SendEvent(watcher.id, output);
  }
  for (const SubscriberId watcher : handle.all_) {
    const auto at = of_handles_.find(watcher);
    if (at != of_handles_.end() && at->second.output) port_->SendEvent(watcher, output);
  }
}

void Watches::HandleEnded(HandleWatchers& handle) {
  for (const SubscriberId watcher : handle.all_) {
    const auto at = of_handles_.find(watcher);
    if (at == of_handles_.end()) continue;
    std::erase(at->second.handles, &handle);
    if (!at->second.handles.empty()) continue;
    of_handles_.erase(at);
    port_->EndWatch(watcher);
  }
  handle.all_.clear();
}

void Watches::PoolEnded(PoolWatchers& pool) {
  const std::vector<PoolWatchers::Watcher> watchers = std::exchange(pool.all_, {});
  for (const PoolWatchers::Watcher& watcher : watchers) {
    of_pools_.erase(watcher.id);
    port_->EndWatch(watcher.id);
  }
}

void Watches::WatcherGone(SubscriberId watcher) {
  if (const auto at = of_handles_.find(watcher); at != of_handles_.end()) {
    for (HandleWatchers* handle : at->second.handles) std::erase(handle->all_, watcher);
    of_handles_.erase(at);
  }
  if (const auto at = of_pools_.find(watcher); at != of_pools_.end()) {
    std::erase_if(at->second->all_, [watcher](const PoolWatchers::Watcher& one) { return one.id == watcher; });
    of_pools_.erase(at);
  }
}

std::string Watches::Check() const {
  for (const auto& [watcher, watch] : of_handles_) {
    if (watch.handles.empty()) return "a watch of handles goes on, and they have all ended";
    for (const HandleWatchers* handle : watch.handles) {
      if (std::count(handle->all_.begin(), handle->all_.end(), watcher) == 0) return "a handle forgot its watcher";
    }
  }
  for (const auto& [watcher, pool] : of_pools_) {
    const auto is_it = [id = watcher](const PoolWatchers::Watcher& one) { return one.id == id; };
    if (std::none_of(pool->all_.begin(), pool->all_.end(), is_it)) return "a pool forgot its watcher";
  }
  return "";
}

}  // namespace poold::core
