// Things that stand in one list at a time: ready tasks, work on a worker, kept outcomes.
//
// Role: an intrusive, doubly linked list without allocation. Non-role: owns nothing. Thread safety: none.
// REQUIRES: a node is taken out of its list before it ends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace poold::core {

// The type that a node is part of: kList for the end of a list, workers, clients and lines, which are told by the list
// that they are in.
enum class NodeKind : std::uint8_t { kList, kTask, kMap, kChunk };

struct Node {
  explicit Node(NodeKind k) : kind(k) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  // Whether the node is in a list.
  bool linked() const { return next != nullptr; }

  Node* prev = nullptr;
  Node* next = nullptr;
  const NodeKind kind;
};

class NodeList {
 public:
  NodeList() : ends_(NodeKind::kList) { ends_.prev = ends_.next = &ends_; }

  bool empty() const { return ends_.next == &ends_; }
  std::size_t size() const { return size_; }
  // All answer null where there is no such node.
  Node* front() const { return Real(ends_.next); }
  Node* back() const { return Real(ends_.prev); }
  Node* After(const Node* node) const { return Real(node->next); }
  Node* Before(const Node* node) const { return Real(node->prev); }

  // REQUIRES, both: the node is in no list.
  void PushBack(Node* node) { InsertBefore(&ends_, node); }
  void PushFront(Node* node) { InsertBefore(ends_.next, node); }
  // Takes all nodes of `other`, before those that are here. Constant time.
  void SpliceFront(NodeList* other) {
    if (other->empty()) return;
    Node* const first = other->ends_.next;
    Node* const last = other->ends_.prev;
    first->prev = &ends_;
    last->next = ends_.next;
    ends_.next->prev = last;
    ends_.next = first;
    size_ += other->size_;
    other->ends_.prev = other->ends_.next = &other->ends_;
    other->size_ = 0;
  }
  // REQUIRES: the node is in this list.
  void Remove(Node* node) {
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = nullptr;
    --size_;
  }

 private:
  Node* Real(Node* node) const { return node == &ends_ ? nullptr : node; }
  void InsertBefore(Node* at, Node* node) {
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
    ++size_;
  }

  Node ends_;
  std::size_t size_ = 0;
};

}  // namespace poold::core
