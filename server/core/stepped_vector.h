// A vector that grows in steps: no element ever moves, so growing to millions costs no insertion more than any other.
//
// Role: blocks of kStep elements behind a short list of pointers, which alone is copied when it grows: 8 bytes for each
// kStep elements. An empty block behind the last one is kept, others are given back.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace poold::core {

// T is default-constructible; elements behind size() are not destroyed before their block.
template <typename T>
class SteppedVector {
 public:
  static constexpr std::size_t kStep = 1024;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return blocks_[i / kStep][i % kStep]; }
  const T& operator[](std::size_t i) const { return blocks_[i / kStep][i % kStep]; }
  // REQUIRES, as of pop_back: not empty.
  T& back() { return (*this)[size_ - 1]; }
  const T& front() const { return blocks_.front()[0]; }

  void push_back(T value) {
    if (size_ == blocks_.size() * kStep) blocks_.push_back(std::make_unique<T[]>(kStep));
    (*this)[size_++] = std::move(value);
  }
  void pop_back() {
    --size_;
    if (size_ + 2 * kStep <= blocks_.size() * kStep) blocks_.pop_back();
  }
  void clear() {
    blocks_.clear();
    size_ = 0;
  }

 private:
  std::vector<std::unique_ptr<T[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace poold::core
