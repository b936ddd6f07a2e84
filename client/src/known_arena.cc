#include "known_arena.h"

#include <unistd.h>

#include <utility>

#include "wire/arena_hold.h"

namespace poold::client::internal {

bool KnownArena::WantsDescriptor() const {
  absl::MutexLock lock(&mu_);
  return wants_descriptor_;
}

void KnownArena::SetDescriptor(int fd) {
  absl::MutexLock lock(&mu_);
  // Not another one for this: it would be the end of what is held by the first.
  if (!std::exchange(wants_descriptor_, false)) return;
  fd_ = wire::OpenForHolds(fd);
  process_ = getpid();
}

bool KnownArena::Hold(std::uint32_t slot) {
  absl::MutexLock lock(&mu_);
  if (!fd_ || process_ != getpid()) return false;
  if (holds_[slot] == 0 && !wire::Hold(fd_.get(), mapping_.shape(), slot)) return false;
  ++holds_[slot];
  return true;
}

void KnownArena::LetGo(std::uint32_t slot) {
  absl::MutexLock lock(&mu_);
  if (--holds_[slot] == 0 && process_ == getpid()) wire::LetGo(fd_.get(), mapping_.shape(), slot);
}

}  // namespace poold::client::internal
