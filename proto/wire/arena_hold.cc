#include "wire/arena_hold.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

namespace poold::wire {
namespace {

struct flock Lock(short type, std::uint64_t begin, std::uint64_t bytes) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(begin);
  lock.l_len = static_cast<off_t>(bytes);
  return lock;
}

bool SomebodyLocks(int fd, std::uint64_t begin, std::uint64_t bytes) {
  struct flock lock = Lock(F_WRLCK, begin, bytes);
  // A kernel that does not know these locks has none.
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return errno != EINVAL;
  return lock.l_type != F_UNLCK;
}

}  // namespace

UniqueFd OpenForHolds(int fd) {
  return UniqueFd(open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
}

bool Hold(int fd, const ArenaShape& shape, std::uint32_t slot) {
  struct flock lock = Lock(F_RDLCK, slot * shape.slot_bytes, 1);
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

void LetGo(int fd, const ArenaShape& shape, std::uint32_t slot) {
  struct flock lock = Lock(F_UNLCK, slot * shape.slot_bytes, 1);
  fcntl(fd, F_OFD_SETLK, &lock);
}

bool IsHeld(int fd, const ArenaShape& shape, std::uint32_t slot) {
  return SomebodyLocks(fd, slot * shape.slot_bytes, 1);
}

bool IsHeld(int fd, const ArenaShape& shape) { return SomebodyLocks(fd, 0, shape.slots_bytes()); }

}  // namespace poold::wire
