// Those who look on: what they see first. Who watches what is in subscribe/watches.h.
#include <algorithm>

#include "core/state.h"

namespace poold::core {
namespace {

WatchEvent EventOf(HandleView view) {
  if (auto* task = std::get_if<TaskView>(&view)) return std::move(*task);
  return std::move(std::get<MapView>(view));
}

}  // namespace

void Core::State::TellAllWatchers(const Handle& handle) const {
  const HandleWatchers* own = handle.extras == nullptr ? nullptr : &handle.extras->watchers;
  if (handle.group->pool->watchers.empty() && (own == nullptr || own->empty())) return;
  watches.Tell(handle.group->pool->watchers, own, [&] { return EventOf(ViewOf(handle)); });
}

void Core::State::TellPoolWatchers(const Pool& pool) const {
  watches.Tell(pool.watchers, nullptr, [&] { return ViewOf(pool); });
}

absl::Status Core::State::WatchPool(SubscriberId call, std::string_view name, bool output) {
  absl::StatusOr<std::shared_ptr<Pool>> found = pools.Find(name);
  if (!found.ok()) return found.status();
  Pool& pool = **found;
  client_port->SendEvent(call, ViewOf(pool));
  if (!pool.live()) {
    client_port->EndWatch(call);
    return absl::OkStatus();
  }
  const auto tell = [&](const Handle& handle) { client_port->SendEvent(call, EventOf(ViewOf(handle))); };
  for (const MapRun* map : pool.maps) tell(*map);
  for (const Worker* worker : pool.workers) {
    for (Node* node = worker->sent.front(); node != nullptr; node = worker->sent.After(node)) {
      if (node->kind == NodeKind::kTask) tell(*AsTask(node));
    }
  }
  for (const ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    ready->ForEach([&](Node* node) {
      if (node->kind == NodeKind::kTask) tell(*AsTask(node));
    });
  }
  for (const PoolFunction& function : pool.functions) {
    if (function.breaker == nullptr) continue;
    for (const auto& [key, line] : function.breaker->lines) {
      for (Node* node = line.waiting.front(); node != nullptr; node = line.waiting.After(node)) {
        if (node->kind == NodeKind::kTask) tell(*AsTask(node));
      }
    }
  }
  for (Node* node = pool.delayed.front(); node != nullptr; node = pool.delayed.After(node)) tell(*AsTask(node));
  watches.WatchPool(pool.watchers, call, output);
  return absl::OkStatus();
}

absl::Status Core::State::WatchHandles(SubscriberId call, std::span<const HandleId> ids, bool output) {
  std::vector<Handle*> handles;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = FindHandle(id);
    if (!handle.ok()) return handle.status();
    if (std::find(handles.begin(), handles.end(), *handle) == handles.end()) handles.push_back(*handle);
  }
  std::vector<HandleWatchers*> watched;
  for (Handle* handle : handles) {
    client_port->SendEvent(call, EventOf(ViewOf(*handle)));
    if (!handle->ended) watched.push_back(&Extras(*handle).watchers);
  }
  watches.WatchHandles(std::move(watched), call, output);
  return absl::OkStatus();
}

}  // namespace poold::core
