#include "transport/known_arena.h"

#include <utility>

#include "wire/arena.h"

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
}

bool KnownArena::Hold(std::uint32_t slot) {
  if (!process_.here()) return false;
  absl::MutexLock lock(&mu_);
  if (!fd_) return false;
  if (holds_[slot] == 0 && !wire::Hold(fd_.get(), mapping_.shape(), slot)) return false;
  ++holds_[slot];
  return true;
}

void KnownArena::LetGo(std::uint32_t slot) {
  if (!process_.here()) return;
  absl::MutexLock lock(&mu_);
  if (--holds_[slot] == 0) wire::LetGo(fd_.get(), mapping_.shape(), slot);
}

}  // namespace poold::client::internal
