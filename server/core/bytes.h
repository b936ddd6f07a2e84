// Immutable bytes: the arguments of a task, the result of one.
//
// Role: many bytes share their memory with others, as the tasks of a batch share the message that brought them; few lie
// in the object itself, so that nothing is counted for them and they keep nothing else alive.
// Ownership: each copy of many bytes is an owner of the shared memory. The last one never goes under the core's mutex:
// see dropped.h. Builds with assertions hold that.
// Thread safety: as of a plain value. A view of few bytes is good as long as the object stays where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/quiet.h"

namespace poold::core {

class Bytes {
 public:
  // The most bytes that lie in the object itself.
  static constexpr std::size_t kFew = 24;

  Bytes() noexcept : few_{} {}
  explicit Bytes(std::string text) : Bytes(std::make_shared<const std::string>(std::move(text))) {}
  // REQUIRES: `view` lies in memory that `owner` keeps.
  Bytes(std::shared_ptr<const void> owner, std::string_view view)
      : shared_{std::move(owner), view.data()}, size_(view.size()), is_shared_(true) {}
  // A copy in the object itself. REQUIRES: at most kFew.
  static Bytes Few(std::string_view bytes) {
    Bytes few;
    if (!bytes.empty()) std::memcpy(few.few_, bytes.data(), bytes.size());
    few.size_ = bytes.size();
    return few;
  }

  Bytes(const Bytes& other) { Copy(other); }
  Bytes(Bytes&& other) noexcept { Take(other); }
  Bytes& operator=(const Bytes& other) {
    if (this != &other) {
      Drop();
      Copy(other);
    }
    return *this;
  }
  Bytes& operator=(Bytes&& other) noexcept {
    if (this != &other) {
      Drop();
      Take(other);
    }
    return *this;
  }
  ~Bytes() { Drop(); }

  std::string_view view() const { return {is_shared_ ? shared_.data : few_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The keeper of the memory; null: the bytes lie in the object. base/payload_file.h tells from it whether it is a
  // file.
  const std::shared_ptr<const void>& owner() const { return is_shared_ ? shared_.owner : kNobody; }
  bool is_shared() const { return is_shared_; }
  // Gives the owner away; the object is empty after it. REQUIRES: is_shared().
  std::shared_ptr<const void> TakeOwner() {
    std::shared_ptr<const void> owner = std::move(shared_.owner);
    Drop();
    return owner;
  }
  // A part of the bytes: a copy if there are few, else with the same owner. REQUIRES: `begin` is at most size().
  Bytes Slice(std::size_t begin, std::size_t size) const {
    const std::string_view part = view().substr(begin, size);
    return part.size() <= kFew ? Few(part) : Bytes(owner(), part);
  }
  // Appends `next` without copying if it lies right behind in the same memory. False: it does not, and nothing has
  // changed.
  bool Join(const Bytes& next) {
    if (!is_shared_ || !next.is_shared_ || shared_.owner != next.shared_.owner) return false;
    if (shared_.data + size_ != next.shared_.data) return false;
    size_ += next.size_;
    return true;
  }
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view() == b.view(); }

 private:
  struct Shared {
    std::shared_ptr<const void> owner;
    const char* data;
  };
  static_assert(sizeof(Shared) <= kFew);
  inline static const std::shared_ptr<const void> kNobody;

  explicit Bytes(std::shared_ptr<const std::string> text) : Bytes(text, *text) {}
  void Copy(const Bytes& other) {
    if (other.is_shared_) {
      new (&shared_) Shared(other.shared_);
    } else {
      std::memcpy(few_, other.few_, kFew);
    }
    size_ = other.size_;
    is_shared_ = other.is_shared_;
  }
  // REQUIRES: not shared. Leaves the other one empty.
  void Take(Bytes& other) {
    if (other.is_shared_) {
      new (&shared_) Shared(std::move(other.shared_));
    } else {
      std::memcpy(few_, other.few_, kFew);
    }
    size_ = other.size_;
    is_shared_ = other.is_shared_;
    other.Drop();
  }
  void Drop() {
    if (is_shared_) {
#ifndef NDEBUG
      if (shared_.owner.use_count() == 1) base::MustNotBeQuiet("the end of a payload");
#endif
      shared_.~Shared();
    }
    is_shared_ = false;
    size_ = 0;
  }

  union {
    Shared shared_;
    char few_[kFew];
  };
  std::uint64_t size_ : 63 = 0;
  std::uint64_t is_shared_ : 1 = 0;
};
static_assert(sizeof(Bytes) == 32);

}  // namespace poold::core
