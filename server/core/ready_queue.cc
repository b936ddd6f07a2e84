#include "core/ready_queue.h"

namespace poold::core {

ClientQueue* ReadyQueue::Enter(ClientId client, int priority) {
  PriorityLevel& level = levels_[priority];
  level.priority = priority;
  std::unique_ptr<ClientQueue>& queue = level.clients[client];
  if (queue == nullptr) {
    queue = std::make_unique<ClientQueue>();
    queue->level = &level;
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

void ReadyQueue::Begin(ClientQueue* queue) {
  (queue->held_up ? queue->level->held_up : queue->level->turns).PushBack(queue);
}

void ReadyQueue::End(ClientQueue* queue) {
  (queue->held_up ? queue->level->held_up : queue->level->turns).Remove(queue);
}

void ReadyQueue::HoldUp(ClientQueue* queue) {
  if (!queue->waiting.empty()) End(queue);
  queue->held_up = true;
  waiting_ -= queue->waiting.size();
  if (!queue->waiting.empty()) Begin(queue);
}

void ReadyQueue::LetGo(ClientQueue* queue) {
  if (!queue->waiting.empty()) End(queue);
  queue->held_up = false;
  waiting_ += queue->waiting.size();
  if (!queue->waiting.empty()) Begin(queue);
}

void ReadyQueue::PushBack(ClientQueue* queue, Node* node) {
  if (queue->waiting.empty()) Begin(queue);
  queue->waiting.PushBack(node);
  waiting_ += !queue->held_up;
}

void ReadyQueue::PushFront(ClientQueue* queue, Node* node) {
  if (queue->waiting.empty()) Begin(queue);
  queue->waiting.PushFront(node);
  waiting_ += !queue->held_up;
}

void ReadyQueue::PushAllFront(ClientQueue* queue, NodeList* nodes) {
  if (nodes->empty()) return;
  if (queue->waiting.empty()) Begin(queue);
  if (!queue->held_up) waiting_ += nodes->size();
  queue->waiting.SpliceFront(nodes);
}

void ReadyQueue::Remove(ClientQueue* queue, Node* node) {
  queue->waiting.Remove(node);
  if (queue->waiting.empty()) End(queue);
  waiting_ -= !queue->held_up;
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
  if (!queue->linked() || queue->held_up) return;
  queue->level->turns.Remove(queue);
  queue->level->turns.PushBack(queue);
}

bool ReadyQueue::LowerInFlight(int priority) const {
  for (auto level = levels_.rbegin(); level != levels_.rend() && level->first < priority; ++level) {
    if (level->second.in_flight > 0) return true;
  }
  return false;
}

}  // namespace poold::core
