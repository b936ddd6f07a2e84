// What may run next in one pool: by priority, in turns between clients, in order within a client.
//
// Role: holds tasks, and maps that have items to send, until they are taken; passes over clients that are held up.
// Non-role: decides nothing about workers, limits or time. Does not own the nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "core/node.h"
#include "core/types.h"

namespace poold::core {

struct ClientQuota;
struct PriorityLevel;

// What one client has waiting at one priority. Lives while something waits in it or a group refers to it.
struct ClientQueue : Node {
  ClientQueue() : Node(NodeKind::kList) {}
  PriorityLevel* level = nullptr;
  NodeList* turns = nullptr;  // of the level: where it is while something waits in it
  ClientId client{};
  ClientQuota* quota = nullptr;  // of the client; null before its first group has entered
  NodeList waiting;
  std::uint32_t groups = 0;
  bool held_up = false;
};

struct PriorityLevel {
  int priority = 0;
  absl::flat_hash_map<ClientId, std::unique_ptr<ClientQueue>> clients;
  NodeList turns;               // the clients that have something waiting; the front one is next
  NodeList held_up;             // of them, those that are passed over
  std::uint64_t in_flight = 0;  // tasks and chunks of this priority that are with workers
};

class ReadyQueue {
 public:
  // The queue of this client at this priority, for a group that will refer to it until Leave.
  ClientQueue* Enter(ClientId client, int priority);
  // The last one that leaves ends it. REQUIRES for that: it is not held up.
  void Leave(ClientQueue* queue);
  // It is passed over until it is let go, whatever comes into it.
  void HoldUp(ClientQueue* queue);
  void LetGo(ClientQueue* queue);

  void PushBack(ClientQueue* queue, Node* node);
  void PushFront(ClientQueue* queue, Node* node);
  // All of `nodes`, before what waits there.
  void PushAllFront(ClientQueue* queue, NodeList* nodes);
  void Remove(ClientQueue* queue, Node* node);

  // Without what is held up.
  bool empty() const { return waiting_ == 0; }
  std::size_t size() const { return waiting_; }
  // The next one, null when empty.
  Node* Next() const;
  // The turn goes to the next client of this one's priority.
  void EndTurn(ClientQueue* queue);
  // Any one, also of what is held up, for emptying the queue.
  Node* Any() const;
  // Every node, also of what is held up, in no particular order between clients.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [priority, level] : levels_) {
      for (const NodeList* queues : {&level.turns, &level.held_up}) {
        for (Node* turn = queues->front(); turn != nullptr; turn = queues->After(turn)) {
          const NodeList& waiting = static_cast<ClientQueue*>(turn)->waiting;
          for (Node* node = waiting.front(); node != nullptr; node = waiting.After(node)) visit(node);
        }
      }
    }
  }
  // Every client's line that something waits in and is not held up, of this priority and above.
  template <typename Visit>
  void ForEachLine(int lowest, Visit&& visit) const {
    for (const auto& [priority, level] : levels_) {
      if (priority < lowest) return;
      for (Node* turn = level.turns.front(); turn != nullptr; turn = level.turns.After(turn)) {
        visit(*static_cast<ClientQueue*>(turn));
      }
    }
  }
  // The priority of Next(). REQUIRES: not empty.
  int NextPriority() const { return Top()->priority; }
  // Is work of a lower priority than `priority` with workers?
  bool LowerInFlight(int priority) const;

 private:
  const PriorityLevel* Top() const;
  // Of the queue, before nodes come into it.
  void Begin(ClientQueue* queue, std::size_t nodes) {
    if (queue->waiting.empty()) queue->turns->PushBack(queue);
    if (!queue->held_up) waiting_ += nodes;
  }
  // It waits there from now on, if something waits in it.
  static void Move(ClientQueue* queue, NodeList* turns);

  std::map<int, PriorityLevel, std::greater<>> levels_;
  std::size_t waiting_ = 0;
};

}  // namespace poold::core
