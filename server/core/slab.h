// Objects in numbered slots: no allocation for each, found by number in constant time, empty blocks given back.
//
// Role: allocates, frees and finds. Ownership: owns the objects; those that are left end with the slab. An object keeps
// its address and its slot until Delete; a slot is used again.
// T is default-constructible and has a member `std::uint32_t slot`, which the slab sets. Bounds: 2^32 objects. Thread
// safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace poold::core {

template <typename T>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (auto& block : blocks_) {
      for (std::uint32_t i = 0; block != nullptr && i < kBlock; ++i) {
        if (block->used[i]) block->At(i)->~T();
      }
    }
  }

  // A new object, in a block that is there already if one has room.
  T* New() {
    const std::uint32_t number = BlockWithRoom();
    Block& block = *blocks_[number];
    const std::uint32_t place = block.free_places[--block.free];
    T* item = new (block.Storage(place)) T();
    block.used[place] = true;
    item->slot = number * kBlock + place;
    ++size_;
    return item;
  }

  // REQUIRES: from this slab, and not deleted yet.
  void Delete(T* item) {
    const std::uint32_t number = item->slot / kBlock;
    Block& block = *blocks_[number];
    const std::uint32_t place = item->slot % kBlock;
    item->~T();
    block.used[place] = false;
    block.free_places[block.free++] = static_cast<std::uint16_t>(place);
    --size_;
    if (!listed_[number]) List(number);
    if (block.free == kBlock) DropIfSpare(number);
  }

  // The object in this slot; null: none lives there.
  T* Find(std::uint32_t slot) const {
    const std::uint32_t number = slot / kBlock;
    if (number >= blocks_.size() || blocks_[number] == nullptr) return nullptr;
    Block& block = *blocks_[number];
    return block.used[slot % kBlock] ? block.At(slot % kBlock) : nullptr;
  }

  std::size_t size() const { return size_; }
  // Blocks that are in memory, walked over: for tests and reports.
  std::size_t blocks() const {
    return std::count_if(blocks_.begin(), blocks_.end(), [](const auto& block) { return block != nullptr; });
  }

 private:
  // Objects of a block.
  static constexpr std::uint32_t kBlock = 256;

  struct Block {
    Block() {
      for (std::uint32_t i = 0; i < kBlock; ++i) free_places[i] = static_cast<std::uint16_t>(kBlock - 1 - i);
    }
    void* Storage(std::uint32_t place) { return memory + place * sizeof(T); }
    T* At(std::uint32_t place) { return std::launder(static_cast<T*>(Storage(place))); }

    // Entries of `free_places` that are valid: places that nobody uses, the next one last.
    std::uint32_t free = kBlock;
    std::uint16_t free_places[kBlock];
    bool used[kBlock] = {};
    alignas(T) unsigned char memory[kBlock * sizeof(T)];
  };

  // The number of a block with a free place; makes one if there is none.
  std::uint32_t BlockWithRoom() {
    while (!with_room_.empty()) {
      const std::uint32_t number = with_room_.back();
      if (blocks_[number] != nullptr && blocks_[number]->free > 0) return number;
      with_room_.pop_back();
      listed_[number] = false;
      if (blocks_[number] == nullptr) holes_.push_back(number);
    }
    std::uint32_t number = static_cast<std::uint32_t>(blocks_.size());
    if (holes_.empty()) {
      blocks_.emplace_back();
      listed_.push_back(false);
    } else {
      number = holes_.back();
      holes_.pop_back();
    }
    blocks_[number] = std::make_unique<Block>();
    List(number);
    return number;
  }

  void List(std::uint32_t number) {
    with_room_.push_back(number);
    listed_[number] = true;
  }

  // Gives an empty block back, but keeps the one that is taken from next, and no other empty one. The number of a block
  // that was given back comes free when it is met in with_room_.
  void DropIfSpare(std::uint32_t number) {
    if (with_room_.back() != number) return blocks_[number].reset();
    const bool other = spare_ != number && spare_ < blocks_.size() && blocks_[spare_] != nullptr;
    if (other && blocks_[spare_]->free == kBlock) blocks_[spare_].reset();
    spare_ = number;
  }

  std::vector<std::unique_ptr<Block>> blocks_;
  // Numbers of blocks, each once, the next one to take from last. Some may be full or given back.
  std::vector<std::uint32_t> with_room_;
  // By number of the block: whether it is in with_room_.
  std::vector<bool> listed_;
  // Numbers of blocks that were given back, to be used again.
  std::vector<std::uint32_t> holes_;
  // The last block that was kept though it was empty.
  std::uint32_t spare_ = 0;
  std::size_t size_ = 0;
};

}  // namespace poold::core
