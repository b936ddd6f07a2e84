#include "core/scheduler/ready_queue.h"

namespace poold::core {

ClientQueue* ReadyQueue::Enter(ClientId client, int priority) {
  PriorityLevel& level = levels_[priority];
  level.priority = priority;
  std::unique_ptr<ClientQueue>& queue = level.clients[client];
  if (queue == nullptr) {
    queue = std::make_unique<ClientQueue>();
    queue->level = &level;
    queue->turns = &level.turns;
    queue->client = client;
  }
  ++queue->groups;
  return queue.get();
}

void ReadyQueue::Leave(ClientQueue* queue) {
  if (--queue->groups > 0) return;
  PriorityLevel* level = queue->level;
  level->clients.erase(queue->client);
  if (level->clients.empty() && level->in_flight == 0) levels_.erase(level->priority);
}

void ReadyQueue::Move(ClientQueue* queue, NodeList* turns) {
  if (!queue->waiting.empty()) {
    queue->turns->Remove(queue);
    turns->PushBack(queue);
  }
  queue->turns = turns;
}

void ReadyQueue::HoldUp(ClientQueue* queue) {
  Move(queue, &queue->level->held_up);
  queue->held_up = true;
  waiting_ -= queue->waiting.size();
}

void ReadyQueue::LetGo(ClientQueue* queue) {
  Move(queue, &queue->level->turns);
  queue->held_up = false;
  waiting_ += queue->waiting.size();
}

void ReadyQueue::PushBack(ClientQueue* queue, Node* node) {
  Begin(queue, 1);
  queue->waiting.PushBack(node);
}

void ReadyQueue::PushFront(ClientQueue* queue, Node* node) {
  Begin(queue, 1);
  queue->waiting.PushFront(node);
}

void ReadyQueue::PushAllFront(ClientQueue* queue, NodeList* nodes) {
  if (nodes->empty()) return;
  Begin(queue, nodes->size());
  queue->waiting.SpliceFront(nodes);
}

void ReadyQueue::Remove(ClientQueue* queue, Node* node) {
  queue->waiting.Remove(node);
  if (queue->waiting.empty()) queue->turns->Remove(queue);
  if (!queue->held_up) --waiting_;
}

Node* ReadyQueue::Any() const {
  if (Node* next = Next()) return next;
  for (const auto& [priority, level] : levels_) {
    if (Node* queue = level.held_up.front()) return static_cast<ClientQueue*>(queue)->waiting.front();
  }
  return nullptr;
}

const PriorityLevel* ReadyQueue::Top() const {
  for (const auto& [priority, level] : levels_) {
    if (!level.turns.empty()) return &level;
  }
  return nullptr;
}

Node* ReadyQueue::Next() const {
  const PriorityLevel* top = Top();
  return top == nullptr ? nullptr : static_cast<ClientQueue*>(top->turns.front())->waiting.front();
}

void ReadyQueue::EndTurn(ClientQueue* queue) {
  NodeList& turns = queue->level->turns;
  if (turns.size() < 2 || !queue->linked() || queue->held_up) return;
  turns.Remove(queue);
  turns.PushBack(queue);
}

bool ReadyQueue::LowerInFlight(int priority) const {
  for (auto level = levels_.rbegin(); level != levels_.rend() && level->first < priority; ++level) {
    if (level->second.in_flight > 0) return true;
  }
  return false;
}

}  // namespace poold::core
