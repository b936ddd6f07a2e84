// Quota and Reservation: limits of memory and the like, in a tree: an amount that is taken of a quota is also taken of
// the quotas above.
//
// Role: counts before something is made. The daemon's memory budget is such a tree (base/memory_budget.h); its parts
//   are quotas below it, and a connection's or a client's share is a quota below a part.
// Threads: a Quota is thread-safe, without a lock.
// Ownership: a quota owns the quotas above it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace poold::base {

class Quota {
 public:
  // A limit of `max`. `parent` may be null.
  explicit Quota(std::uint64_t max, std::shared_ptr<Quota> parent = nullptr) : max_(max), parent_(std::move(parent)) {}
  // Takes `amount`. False: less is left here or above, and nothing was taken.
  bool Take(std::uint64_t amount) {
    if (!TakeHere(amount)) return false;
    if (parent_ == nullptr || parent_->Take(amount)) return true;
    used_.fetch_sub(amount, std::memory_order_relaxed);
    return false;
  }
  // REQUIRES: so much was taken.
  void GiveBack(std::uint64_t amount) {
    used_.fetch_sub(amount, std::memory_order_relaxed);
    if (parent_ != nullptr) parent_->GiveBack(amount);
  }
  // The amount that is taken now, a snapshot.
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t max() const { return max_; }

  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

 private:
  // Takes of this quota alone. False: less is left.
  bool TakeHere(std::uint64_t amount) {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (amount > max_ - std::min(used, max_)) return false;
    } while (!used_.compare_exchange_weak(used, used + amount, std::memory_order_relaxed));
    return true;
  }

  const std::uint64_t max_;
  const std::shared_ptr<Quota> parent_;
  std::atomic<std::uint64_t> used_ = 0;
};

// The amount that one owner took of a quota; given back when the object is destroyed. Move-only. Thread safety: none.
class Reservation {
 public:
  // Without a quota: Take and Resize always succeed.
  Reservation() = default;
  // Takes nothing yet.
  explicit Reservation(std::shared_ptr<Quota> quota) : quota_(std::move(quota)) {}
  Reservation(Reservation&& other) noexcept
      : quota_(std::exchange(other.quota_, nullptr)), taken_(std::exchange(other.taken_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(quota_, other.quota_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Reservation() { Clear(); }
  // Takes `amount` more; as Quota::Take.
  bool Take(std::uint64_t amount) {
    if (quota_ != nullptr && !quota_->Take(amount)) return false;
    taken_ += amount;
    return true;
  }
  // Changes the amount; less always succeeds. False: nothing changed.
  bool Resize(std::uint64_t amount) {
    if (amount > taken_) return Take(amount - taken_);
    if (quota_ != nullptr && amount < taken_) quota_->GiveBack(taken_ - amount);
    taken_ = amount;
    return true;
  }
  // Gives everything back.
  void Clear() { Resize(0); }
  std::uint64_t taken() const { return taken_; }
  // REQUIRES: the reservation has a quota.
  const Quota& quota() const { return *quota_; }

 private:
  std::shared_ptr<Quota> quota_;
  std::uint64_t taken_ = 0;
};

}  // namespace poold::base
