// Cells of tasks by number. A client counts its tasks up, so neighbours share a block: one look into the hash table, a
// cache miss with a million tasks, serves a whole block of them. Not thread-safe; owns no cells.
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
  // Where a number is taken, nothing happens.
  void Add(std::uint64_t number, TaskHandleState* cell);
  // Null: there is none.
  TaskHandleState* Find(std::uint64_t number) const;
  void Remove(std::uint64_t number);
  bool empty() const { return size_ == 0; }

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
  // Tasks are submitted at one end and come back at the other.
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
