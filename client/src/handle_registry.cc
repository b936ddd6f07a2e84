#include "handle_registry.h"

#include "wire/handle_shard.h"

namespace poold::client::internal {
namespace {

constexpr std::size_t kSpareCells = 4096;
constexpr std::size_t kSpareResultBytes = 1024;

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

HandleId HandleRegistry::NextId(std::string_view name) {
  PoolEntry& pool = *FindPool(name);
  if (pool.next_low == pool.end_low) {
    pool.next_low = ++last_stretch_ * wire::kHandleStretch;
    pool.end_low = pool.next_low + wire::kHandleStretch;
  }
  return {id_high_, pool.next_low++};
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
  if (!cell->is_map && cell->id.high == id_high_ && !cell->resumed()) {
    own_.Add(cell->id.low, AsTask(cell));
  } else {
    others_.emplace(cell->id, cell);
  }
}

void HandleRegistry::Remove(const HandleState& cell) {
  if (cell.id.high == id_high_ && own_.Find(cell.id.low) == &cell) {
    own_.Remove(cell.id.low);
  } else {
    others_.erase(cell.id);
  }
}

HandleState* HandleRegistry::Find(const HandleId& id) const {
  if (id.high == id_high_) {
    if (TaskHandleState* const cell = own_.Find(id.low)) return cell;
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
