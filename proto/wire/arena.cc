#include "wire/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "wire/mapped_file.h"
#include "wire/memory_file.h"

namespace poold::wire {
namespace {

// Small slots lie together, so that not each costs a descriptor and two mappings.
constexpr std::uint64_t kTogetherBytes = std::uint64_t{4} << 20;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

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

ArenaShape ArenaShape::For(std::uint64_t payload_bytes) {
  const std::uint64_t least = std::max(payload_bytes, kMinArenaPayloadBytes);
  std::uint64_t power = std::bit_floor(least);
  if (power + kSlotRestBytes < least) power *= 2;
  const std::uint64_t together = std::max<std::uint64_t>(kTogetherBytes / power, 1);
  return {power + kSlotRestBytes, static_cast<std::uint32_t>(std::min<std::uint64_t>(together, kMaxArenaSlots))};
}

absl::StatusOr<UniqueFd> MakeArena(ArenaShape shape) {
  absl::StatusOr<UniqueFd> fd = MakeMemoryFile("poold-arena", shape.bytes());
  if (!fd.ok()) return fd.status();
  if (absl::Status sealed = SealMemoryFile(fd->get(), kSeals); !sealed.ok()) return sealed;
  return fd;
}

absl::StatusOr<ArenaShape> CheckArena(int fd, std::uint64_t slot_bytes) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals || (seals & F_SEAL_WRITE) != 0) {
    return absl::InvalidArgumentError("an arena is sealed by F_SEAL_SHRINK and F_SEAL_GROW, and can be written");
  }
  if (absl::Status memory = CheckMemoryFile(fd); !memory.ok()) return memory;
  struct stat found {};
  if (fstat(fd, &found) != 0) return absl::InvalidArgumentError("an arena that cannot be looked at");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  const bool sense = slot_bytes != 0 && slot_bytes % kArenaHeadBytes == 0 && size > kArenaHeadBytes &&
                     (size - kArenaHeadBytes) % slot_bytes == 0 &&
                     (size - kArenaHeadBytes) / slot_bytes <= kMaxArenaSlots;
  if (!sense) {
    return absl::InvalidArgumentError(
        absl::StrCat("an arena of ", size, " bytes does not have slots of ", slot_bytes, " bytes and a page"));
  }
  return ArenaShape{slot_bytes, static_cast<std::uint32_t>((size - kArenaHeadBytes) / slot_bytes)};
}

void EmptyArena(int fd, ArenaShape shape) {
  constexpr int kHow = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (!IsHeld(fd, shape)) {
    fallocate(fd, kHow, 0, static_cast<off_t>(shape.slots_bytes()));
    return;
  }
  for (std::uint32_t slot = 0; slot < shape.slots; ++slot) {
    if (IsHeld(fd, shape, slot)) continue;
    fallocate(fd, kHow, static_cast<off_t>(slot * shape.slot_bytes), static_cast<off_t>(shape.slot_bytes));
  }
}

absl::StatusOr<ArenaMapping> ArenaMapping::Map(int fd, ArenaShape shape, ArenaAccess access) {
  const int protection = access == ArenaAccess::kAll ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const memory = MapIntoHugeRoom(fd, shape.bytes(), protection, MAP_SHARED | MAP_NORESERVE);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map an arena: ", std::strerror(errno)));
  }
  char* const begin = static_cast<char*>(memory);
  char* const head = begin + shape.slots_bytes();
  ArenaMapping mapping(shape, begin, reinterpret_cast<ArenaHead*>(head));
  if (access == ArenaAccess::kHead && mprotect(head, kArenaHeadBytes, PROT_READ | PROT_WRITE) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map an arena: ", std::strerror(errno)));
  }
  return mapping;
}

// One byte in each huge page, then the kernel makes them whole. Where it does not, there are small ones. Memory for
// small slots comes as they are used.
void ArenaMapping::Gather() const {
  if (shape_.slot_bytes < kHugePageBytes) return;
  const std::uint64_t bytes = shape_.slots_bytes() & ~(kHugePageBytes - 1);
  for (std::uint64_t at = 0; at < bytes; at += kHugePageBytes) *static_cast<volatile char*>(memory_ + at) = 0;
  CollapseHugePages(memory_, bytes);
}

ArenaMapping::~ArenaMapping() {
  if (memory_ != nullptr) munmap(memory_, shape_.bytes());
}

bool ArenaMapping::Advance(ArenaPlace place, SlotState from, SlotState to) const {
  std::uint64_t expected = SlotWord(place.use, from);
  return head_->words[place.slot].compare_exchange_strong(expected, SlotWord(place.use, to));
}

bool ArenaMapping::Is(ArenaPlace place, SlotState state) const {
#ifndef __SANITIZE_THREAD__  // which knows no fences, and sees no other process
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
  return head_->words[place.slot].load() == SlotWord(place.use, state);
}

bool ArenaMapping::AllFree() const {
  for (std::uint32_t slot = 0; slot < shape_.slots; ++slot) {
    if (StateOf(head_->words[slot].load()) != SlotState::kFree) return false;
  }
  return true;
}

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
