// HandleRegistry: the states of tasks, by the low half of their ids.
//
// A client counts its tasks up, so neighbours share a block: one look into the hash table, a cache miss with a million
// tasks, serves 256 tasks.
// Ownership: owns no states. Thread safety: none; guarded by the session's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"

namespace poold::client::internal {

struct TaskHandleState;

class HandleRegistry {
 public:
  // Adds a state. A number that is taken keeps its state.
  void Add(std::uint64_t number, TaskHandleState* cell);
  // Null: there is none.
  TaskHandleState* Find(std::uint64_t number) const;
  // Removes a number; an unknown number has no effect.
  void Remove(std::uint64_t number);
  bool empty() const { return size_ == 0; }

  // Calls `visit` with each state, in no order. `visit` must not add or remove.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, block] : blocks_) {
      for (TaskHandleState* cell : block->cells) {
        if (cell != nullptr) visit(cell);
      }
    }
  }

 private:
  static constexpr std::uint64_t kBlock = 256;
  struct Block {
    std::size_t used = 0;
    std::array<TaskHandleState*, kBlock> cells{};
  };
  // The blocks that were found last: tasks are submitted at one end and end at the other.
  struct Recent {
    std::uint64_t key = 0;
    Block* block = nullptr;
  };

  Recent& RecentOf(std::uint64_t key) const { return recent_[key % recent_.size()]; }
  Block* FindBlock(std::uint64_t key) const;

  absl::flat_hash_map<std::uint64_t, std::unique_ptr<Block>> blocks_;
  std::size_t size_ = 0;
  mutable std::array<Recent, 16> recent_;
};

}  // namespace poold::client::internal
