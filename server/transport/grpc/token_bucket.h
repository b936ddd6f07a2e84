// TokenBucket: a rate limit for one peer: so many tokens at once, and so many more each second.
//
// Threads: thread-safe, by a mutex of its own. Times are monotonic ns.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/types.h"

namespace poold::transport {

class TokenBucket {
 public:
  // A full bucket of `size` tokens.
  TokenBucket(std::int64_t size, std::int64_t per_second)
      : size_(static_cast<double>(size)), per_second_(static_cast<double>(per_second)), tokens_(size_) {}

  // Takes tokens. False: there are not so many, and all stay.
  bool Take(std::uint64_t tokens, core::Nanos now) {
    absl::MutexLock lock(&mu_);
    Fill(now);
    if (tokens_ < static_cast<double>(tokens)) return false;
    tokens_ -= static_cast<double>(tokens);
    return true;
  }
  // Takes tokens whether they are there or not; at most a bucket of them is owed.
  void Owe(std::uint64_t tokens, core::Nanos now) {
    absl::MutexLock lock(&mu_);
    Fill(now);
    tokens_ = std::max(tokens_ - static_cast<double>(tokens), -size_);
  }
  // The ns until nothing is owed; 0: nothing is.
  core::Nanos OwesFor(core::Nanos now) {
    absl::MutexLock lock(&mu_);
    Fill(now);
    return tokens_ >= 0 ? 0 : static_cast<core::Nanos>(-tokens_ / per_second_ * core::kSecond);
  }

 private:
  void Fill(core::Nanos now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const double seconds = static_cast<double>(std::max<core::Nanos>(now - filled_, 0)) / core::kSecond;
    tokens_ = std::min(size_, tokens_ + seconds * per_second_);
    filled_ = now;
  }

  // The most tokens that the bucket holds, and that may be owed.
  const double size_;
  const double per_second_;
  absl::Mutex mu_;
  double tokens_ ABSL_GUARDED_BY(mu_);
  // The moment up to which tokens were added.
  core::Nanos filled_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace poold::transport
