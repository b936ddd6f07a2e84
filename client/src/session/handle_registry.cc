#include "session/handle_registry.h"

namespace poold::client::internal {
namespace {

constexpr std::size_t kSpareCells = 4096;
constexpr std::size_t kSpareResultBytes = 1024;
// Numbers that a pool gets at once: neighbouring ids of one pool travel together.
constexpr std::uint64_t kStretch = 4096;
constexpr std::uint32_t kMaxShard = 255;

HandleId InShardOf(const PoolEntry& pool, bool in_shard, const HandleId& id) {
  if (pool.shard == 0 || !in_shard) return id;
  return {wire::MarkHigh(id.high), wire::MarkLow(id.low, pool.shard)};
}

}  // namespace

TaskTable::Block* TaskTable::FindBlock(std::uint64_t key) const {
  Recent& recent = RecentOf(key);
  if (recent.block != nullptr && recent.key == key) return recent.block;
  const auto at = blocks_.find(key);
  if (at == blocks_.end()) return nullptr;
  recent = {key, at->second.get()};
  return recent.block;
}

void TaskTable::Add(std::uint64_t number, TaskHandleState* cell) {
  const std::uint64_t key = number / kBlock;
  Block* block = FindBlock(key);
  if (block == nullptr) block = (blocks_[key] = std::make_unique<Block>()).get();
  TaskHandleState*& place = block->cells[number % kBlock];
  if (place != nullptr) return;
  place = cell;
  ++block->used;
  ++size_;
}

TaskHandleState* TaskTable::Find(std::uint64_t number) const {
  const Block* const block = FindBlock(number / kBlock);
  return block != nullptr ? block->cells[number % kBlock] : nullptr;
}

void TaskTable::Remove(std::uint64_t number) {
  const std::uint64_t key = number / kBlock;
  Block* const block = FindBlock(key);
  if (block == nullptr || block->cells[number % kBlock] == nullptr) return;
  block->cells[number % kBlock] = nullptr;
  --size_;
  if (--block->used > 0) return;
  RecentOf(key) = {};
  blocks_.erase(key);
}

HandleRegistry::~HandleRegistry() {
  for (TaskHandleState* task : spare_) delete task;
}

const std::string* HandleRegistry::Intern(std::string_view name) {
  if (last_name_ == nullptr || *last_name_ != name) last_name_ = &*names_.emplace(name).first;
  return last_name_;
}

PoolEntry* HandleRegistry::FindPool(std::string_view name) {
  if (last_pool_ != nullptr && last_pool_->name == name) return last_pool_;
  auto [at, created] = pools_.try_emplace(std::string(name));
  if (created) at->second.name = at->first;
  return last_pool_ = &at->second;
}

void HandleRegistry::SetShard(std::string_view pool, std::uint32_t shard) {
  FindPool(pool)->shard = shard <= kMaxShard ? shard : 0;
}

void HandleRegistry::ForgetShards() {
  for (auto& [name, pool] : pools_) pool.shard = 0;
}

HandleId HandleRegistry::NextId(std::string_view name, bool in_shard) {
  PoolEntry& pool = *FindPool(name);
  if (pool.next_number == pool.end_number) {
    pool.next_number = ++last_stretch_ * kStretch;
    pool.end_number = pool.next_number + kStretch;
  }
  return InShardOf(pool, in_shard, {id_high_, pool.next_number++});
}

HandleId HandleRegistry::NewMapId(std::string_view pool, bool in_shard) {
  return InShardOf(*FindPool(pool), in_shard, HandleId::Random());
}

TaskHandleState* HandleRegistry::NewTask() {
  if (spare_.empty()) return new TaskHandleState;
  TaskHandleState* const task = spare_.back();
  spare_.pop_back();
  return task;
}

void HandleRegistry::Recycle(TaskHandleState* task) {
  if (spare_.size() >= kSpareCells || task->result.capacity() > kSpareResultBytes) {
    delete task;
    return;
  }
  task->Reset();
  spare_.push_back(task);
}

void HandleRegistry::Enlist(HandleState* cell, std::string_view pool, std::string_view function) {
  cell->function = Intern(function);
  cell->pool = FindPool(pool);
  ++cell->pool->unfinished;
}

void HandleRegistry::Insert(HandleState* cell) {
  if (!cell->is_map && IsOwn(cell->id) && !cell->resumed()) {
    own_.Add(NumberOf(cell->id), AsTask(cell));
  } else {
    others_.emplace(cell->id, cell);
  }
}

void HandleRegistry::Remove(const HandleState& cell) {
  if (IsOwn(cell.id) && own_.Find(NumberOf(cell.id)) == &cell) {
    own_.Remove(NumberOf(cell.id));
  } else {
    others_.erase(cell.id);
  }
}

HandleState* HandleRegistry::Find(const HandleId& id) const {
  if (IsOwn(id)) {
    if (TaskHandleState* const cell = own_.Find(NumberOf(id)); cell != nullptr && cell->id == id) return cell;
  }
  const auto at = others_.find(id);
  return at != others_.end() ? at->second : nullptr;
}

std::vector<HandleState*> HandleRegistry::Pending(absl::FunctionRef<bool(const HandleState&)> which) const {
  std::vector<HandleState*> cells;
  own_.ForEach([&](TaskHandleState* cell) {
    if (which(*cell)) cells.push_back(cell);
  });
  for (const auto& [id, cell] : others_) {
    if (which(*cell)) cells.push_back(cell);
  }
  return cells;
}

}  // namespace poold::client::internal
