#include "core/map/open_maps.h"

namespace poold::core {

void OpenMaps::Add(ClientId id, OpenMap* map) {
  std::unique_ptr<Client>& client = clients_[id];
  if (client == nullptr) client = std::make_unique<Client>();
  client->id = id;
  map->number = ++last_;
  client->maps.PushBack(map);
}

void OpenMaps::Remove(ClientId id, OpenMap* map) {
  if (!map->linked()) return;
  const auto at = clients_.find(id);
  at->second->maps.Remove(map);
  if (!at->second->maps.empty()) return;
  timers_.Clear(&at->second->timer);
  clients_.erase(at);
}

void OpenMaps::NotePresence(Nanos now, ClientId id, bool present) {
  const auto at = clients_.find(id);
  if (at == clients_.end()) return;
  Client& client = *at->second;
  client.last = last_;
  timers_.Set(&client.timer, present ? kNever : After(now, grace_), TimerKind::kMapOrphan, &client);
}

MapRun* OpenMaps::NextLost(ClientId id) const {
  const auto at = clients_.find(id);
  if (at == clients_.end()) return nullptr;
  const auto* first = static_cast<const OpenMap*>(at->second->maps.front());
  return first->number > at->second->last ? nullptr : first->map;
}

void OpenMaps::GoOnLater(Nanos now, ClientId id) {
  Client& client = *clients_.find(id)->second;
  timers_.Set(&client.timer, now, TimerKind::kMapOrphan, &client);
}

std::string OpenMaps::Check() const {
  for (const auto& [id, client] : clients_) {
    if (client->maps.empty()) return "a client is known for maps that it does not have";
    std::uint64_t last = 0;
    for (const Node* node = client->maps.front(); node != nullptr; node = client->maps.After(node)) {
      const auto& map = *static_cast<const OpenMap*>(node);
      if (map.number <= last) return "the maps of a client are in another order than that in which they were opened";
      last = map.number;
    }
  }
  return "";
}

}  // namespace poold::core
