#include "core/task/handle_list.h"

#include "core/handle.h"

namespace poold::core {

void HandleList::Append(Handle* handle) {
  if (last_ == nullptr) {
    auto block = std::make_unique<HandleBlock>();
    block->first = next_;
    last_ = block.get();
    blocks_.emplace_hint(blocks_.end(), next_, std::move(block));
  }
  handle->block = last_;
  handle->place = static_cast<std::uint8_t>(last_->used);
  last_->handles[last_->used++] = handle;
  ++last_->live;
  ++next_;
  if (last_->used == HandleBlock::kPlaces) last_ = nullptr;
}

void HandleList::Remove(Handle* handle) {
  HandleBlock* block = handle->block;
  if (block == nullptr) return;
  handle->block = nullptr;
  block->handles[handle->place] = nullptr;
  if (--block->live == 0 && block != last_) blocks_.erase(block->first);
}

std::uint64_t HandleList::PlaceOf(const Handle& handle) { return handle.block->first + handle.place; }

}  // namespace poold::core
