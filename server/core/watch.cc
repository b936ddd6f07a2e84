// Those who look on.
#include <algorithm>

#include "core/state.h"

namespace poold::core {
namespace {

WatchEvent EventOf(HandleView view) {
  if (auto* task = std::get_if<TaskView>(&view)) return std::move(*task);
  return std::move(std::get<MapView>(view));
}

}  // namespace

void Core::State::TellAllWatchers(const Handle& handle) {
  const Pool& pool = *handle.group->pool;
  for (const Pool::Watcher& watcher : pool.watchers) client_port->SendEvent(watcher.id, EventOf(ViewOf(handle)));
  if (handle.extras == nullptr) return;
  for (const SubscriberId watcher : handle.extras->watchers) client_port->SendEvent(watcher, EventOf(ViewOf(handle)));
}

void Core::State::TellPoolWatchers(const Pool& pool) {
  for (const Pool::Watcher& watcher : pool.watchers) client_port->SendEvent(watcher.id, ViewOf(pool));
}

void Core::State::TellOutput(const Handle& handle, OutputStream stream, const Bytes& data) {
  const OutputEvent event{handle.id, stream, data};
  for (const Pool::Watcher& watcher : handle.group->pool->watchers) {
    if (watcher.output) client_port->SendEvent(watcher.id, event);
  }
  for (const SubscriberId watcher : handle.extras->watchers) {
    const auto at = handle_watches.find(watcher);
    if (at != handle_watches.end() && at->second.output) client_port->SendEvent(watcher, event);
  }
}

// After the last handle the watch is over.
void Core::State::NoteHandleWatchEnded(const Handle& handle) {
  for (const SubscriberId watcher : handle.extras->watchers) {
    const auto at = handle_watches.find(watcher);
    if (at == handle_watches.end()) continue;
    std::erase(at->second.handles, &handle);
    if (!at->second.handles.empty()) continue;
    handle_watches.erase(at);
    client_port->EndWatch(watcher);
  }
  handle.extras->watchers.clear();
}

void Core::State::EndPoolWatch(Pool& pool) {
  const std::vector<Pool::Watcher> watchers = std::move(pool.watchers);
  pool.watchers.clear();
  for (const Pool::Watcher& watcher : watchers) {
    pool_watches.erase(watcher.id);
    client_port->EndWatch(watcher.id);
  }
}

void Core::State::RemoveWatcher(SubscriberId id) {
  if (const auto at = handle_watches.find(id); at != handle_watches.end()) {
    for (Handle* handle : at->second.handles) std::erase(handle->extras->watchers, id);
    handle_watches.erase(at);
  }
  if (const auto at = pool_watches.find(id); at != pool_watches.end()) {
    if (const auto pool = pools.find(at->second); pool != pools.end()) {
      std::erase_if(pool->second->watchers, [id](const Pool::Watcher& watcher) { return watcher.id == id; });
    }
    pool_watches.erase(at);
  }
}

absl::Status Core::State::WatchPool(SubscriberId call, std::string_view name, bool output) {
  absl::StatusOr<std::shared_ptr<Pool>> found = FindPool(name);
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
  pool.watchers.push_back({call, output});
  pool_watches[call] = pool.id;
  return absl::OkStatus();
}

absl::Status Core::State::WatchHandles(SubscriberId call, std::span<const HandleId> ids, bool output) {
  std::vector<Handle*> handles;
  for (const HandleId& id : ids) {
    absl::StatusOr<Handle*> handle = FindHandle(id);
    if (!handle.ok()) return handle.status();
    if (std::find(handles.begin(), handles.end(), *handle) == handles.end()) handles.push_back(*handle);
  }
  HandleWatch watch;
  watch.output = output;
  for (Handle* handle : handles) {
    client_port->SendEvent(call, EventOf(ViewOf(*handle)));
    if (handle->ended) continue;
    Extras(*handle).watchers.push_back(call);
    watch.handles.push_back(handle);
  }
  if (watch.handles.empty()) {
    client_port->EndWatch(call);
  } else {
    handle_watches[call] = std::move(watch);
  }
  return absl::OkStatus();
}

}  // namespace poold::core
