// The ready queue of a pool: what may run next, by priority, in turns between clients, in order within a client.
//
// Role: holds tasks, and maps that have items to send, until they are taken; passes over clients that are held up.
// Non-role: decides nothing about workers, limits or time. Ownership: owns lines, not the nodes in them. Thread safety:
// none; used under the core's mutex.
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

// The line of one client at one priority. Lives while something waits in it or a group refers to it.
struct ClientQueue : Node {
  ClientQueue() : Node(NodeKind::kList) {}
  PriorityLevel* level = nullptr;
  // The list of the level in which the line is while something waits in it: PriorityLevel::turns or held_up.
  NodeList* turns = nullptr;
  ClientId client{};
  // The client's; null before its first group has entered.
  ClientQuota* quota = nullptr;
  // Tasks and maps of the client, the next one first.
  NodeList waiting;
  // Groups that refer to the line.
  std::uint32_t groups = 0;
  // The line is passed over until LetGo.
  bool held_up = false;
};

// The lines of one priority.
struct PriorityLevel {
  int priority = 0;
  absl::flat_hash_map<ClientId, std::unique_ptr<ClientQueue>> clients;
  // Lines with something waiting that may be taken; the front one is next.
  NodeList turns;
  // Lines with something waiting that are passed over.
  NodeList held_up;
  // Tasks and chunks of this priority that are with workers.
  std::uint64_t in_flight = 0;
};

class ReadyQueue {
 public:
  // The line of this client at this priority, for a group that will refer to it until Leave.
  ClientQueue* Enter(ClientId client, int priority);
  // One group less refers to the line; the last one ends it. REQUIRES for that: it is not held up.
  void Leave(ClientQueue* queue);
  // The line is passed over until LetGo, whatever comes into it. REQUIRES: it is not held up.
  void HoldUp(ClientQueue* queue);
  void LetGo(ClientQueue* queue);

  void PushBack(ClientQueue* queue, Node* node);
  void PushFront(ClientQueue* queue, Node* node);
  // Puts all of `nodes` before what waits there; `nodes` is empty then. Constant time.
  void PushAllFront(ClientQueue* queue, NodeList* nodes);
  void Remove(ClientQueue* queue, Node* node);

  // Whether nothing waits but in lines that are held up.
  bool empty() const { return waiting_ == 0; }
  std::size_t size() const { return waiting_; }
  // The node that is next in turn; null: nothing waits but in lines that are held up.
  Node* Next() const;
  // The turn goes to the next client of this one's priority.
  void EndTurn(ClientQueue* queue);
  // Any node, also of a line that is held up, for emptying the queue; null: nothing waits.
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
  // Whether work of a lower priority than `priority` is with workers.
  bool LowerInFlight(int priority) const;

 private:
  const PriorityLevel* Top() const;
  // Of the queue, before nodes come into it.
  void Begin(ClientQueue* queue, std::size_t nodes) {
    if (queue->waiting.empty()) queue->turns->PushBack(queue);
    if (!queue->held_up) waiting_ += nodes;
  }
  // Puts the line into another list of its level, if something waits in it.
  static void Move(ClientQueue* queue, NodeList* turns);

  std::map<int, PriorityLevel, std::greater<>> levels_;
  std::size_t waiting_ = 0;
};

}  // namespace poold::core
