// HandleRegistry: the pending handles of a client by their ids, and the pools and names that they speak of.
//
// Ownership: owns pools, names, and states that wait to be used again. The session owns the pending states.
// Thread safety: none; guarded by the session's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/container/node_hash_set.h"
#include "absl/functional/function_ref.h"
#include "session/handle_state.h"
#include "wire/handle_shard.h"

namespace poold::client::internal {

// The states of tasks, by the low half of their ids. A client counts its tasks up, so neighbours share a block: one
// look into the hash table, a cache miss with a million tasks, serves 256 tasks. Owns no states.
class TaskTable {
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

class HandleRegistry {
 public:
  // Ids of this client begin at `random`: they differ from those of other clients in the high half, of which a shard
  // takes a part, and in where they begin to count.
  explicit HandleRegistry(const HandleId& random)
      : id_high_(random.high & ~wire::kShardMarkMask), last_stretch_(random.low & kStretchMask) {}
  ~HandleRegistry();
  HandleRegistry(const HandleRegistry&) = delete;
  HandleRegistry& operator=(const HandleRegistry&) = delete;

  // The one copy of a name, valid as long as the registry.
  const std::string* Intern(std::string_view name);
  // The pool's entry, made where there is none. Valid as long as the registry.
  PoolEntry* FindPool(std::string_view name);
  // The daemon said where the pool lies (Pool.shard).
  void SetShard(std::string_view pool, std::uint32_t shard);
  // Another daemon answers, whose pools may lie elsewhere.
  void ForgetShards();
  // The next id of this client for a task of the pool, and a new id for a map. `in_shard`: where the pool's shard is
  // known, the id carries it (wire/handle_shard.h).
  HandleId NextId(std::string_view pool, bool in_shard);
  HandleId NewMapId(std::string_view pool, bool in_shard);

  // A state for a task, new or used before, with one reference.
  TaskHandleState* NewTask();
  // Takes a state that nobody refers to: keeps the state for the next task, or frees it.
  void Recycle(TaskHandleState* task);

  // Notes the names, and counts the state in its pool.
  void Enlist(HandleState* cell, std::string_view pool, std::string_view function);
  // Adds a pending state.
  void Insert(HandleState* cell);
  // Removes a state that Insert added.
  void Remove(const HandleState& cell);
  // The pending state of this id. Null: none.
  HandleState* Find(const HandleId& id) const;
  // Whether a state has this id, which somebody else than NextId has chosen.
  bool IsTaken(const HandleId& id) const { return others_.contains(id); }
  // The pending states that `which` selects, in no order.
  std::vector<HandleState*> Pending(absl::FunctionRef<bool(const HandleState&)> which) const;
  // Whether nothing is pending.
  bool empty() const { return own_.empty() && others_.empty(); }

 private:
  static constexpr std::uint64_t kStretchMask = (std::uint64_t{1} << 43) - 1;

  // Whether NextId made the id, and the number by which own_ knows its task.
  bool IsOwn(const HandleId& id) const { return id.high == id_high_ || id.high == wire::MarkHigh(id_high_); }
  static std::uint64_t NumberOf(const HandleId& id) { return wire::MarkLow(id.low, 0); }

  const std::uint64_t id_high_;
  // The last stretch of numbers that a pool got.
  std::uint64_t last_stretch_;
  // Tasks with ids of this client, and all other pending states.
  TaskTable own_;
  absl::flat_hash_map<HandleId, HandleState*> others_;
  // Both only grow; with each, what was found last.
  absl::node_hash_set<std::string> names_;
  const std::string* last_name_ = nullptr;
  absl::node_hash_map<std::string, PoolEntry> pools_;
  PoolEntry* last_pool_ = nullptr;
  // Task states to use again; owned.
  std::vector<TaskHandleState*> spare_;
};

}  // namespace poold::client::internal
