// A bound that several threads share, and shares of it that give back what they took.
//
// Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace poold::base {

class Room {
 public:
  explicit Room(std::uint64_t max) : max_(max) {}
  // False: there is not so much left, and nothing was taken.
  bool Take(std::uint64_t amount) {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (amount > max_ - std::min(used, max_)) return false;
    } while (!used_.compare_exchange_weak(used, used + amount, std::memory_order_relaxed));
    return true;
  }
  void GiveBack(std::uint64_t amount) { used_.fetch_sub(amount, std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t max() const { return max_; }

 private:
  const std::uint64_t max_;
  std::atomic<std::uint64_t> used_ = 0;
};

// A part of a room, with one owner. Not thread-safe itself.
class Share {
 public:
  Share() = default;
  explicit Share(std::shared_ptr<Room> room) : room_(std::move(room)) {}
  Share(Share&& other) noexcept : room_(std::exchange(other.room_, nullptr)), taken_(std::exchange(other.taken_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    std::swap(room_, other.room_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Share() {
    if (room_ != nullptr) room_->GiveBack(taken_);
  }
  // As Room::Take. REQUIRES: it has a room.
  bool Take(std::uint64_t amount) {
    if (!room_->Take(amount)) return false;
    taken_ += amount;
    return true;
  }
  const Room& room() const { return *room_; }

 private:
  std::shared_ptr<Room> room_;
  std::uint64_t taken_ = 0;
};

}  // namespace poold::base
