#include "wire/memory_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/mapped_file.h"

namespace poold::wire {
namespace {

absl::Status Failed(const char* name, std::uint64_t bytes, const char* why) {
  return absl::ResourceExhaustedError(absl::StrCat("cannot make a ", name, " of ", bytes, " bytes in memory: ", why));
}

constexpr int kPayloadSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool WriteAt(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

// What is gathered may not be empty: a byte for each huge page. Written, not touched: that there is no memory for it is
// an error so, and no signal.
bool Gather(int fd, char* memory, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += kHugePageBytes) {
    if (!WriteAt(fd, std::string_view("", 1), at)) return false;
  }
  return CollapseHugePages(memory, bytes);
}

// Through a mapping in huge pages: one fault for each. Returns how many bytes of the beginning it wrote.
std::size_t WriteHuge(int fd, const Pieces& bytes) {
  const std::size_t size = bytes.size() & ~(kHugePageBytes - 1);
  if (size == 0) return 0;
  void* const memory = MapIntoHugeRoom(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
  if (memory == MAP_FAILED) return 0;
  const bool gathered = Gather(fd, static_cast<char*>(memory), size);
  if (gathered) bytes.CopyTo(static_cast<char*>(memory), size);
  munmap(memory, size);
  return gathered ? size : 0;
}

// What is behind the first `written` bytes.
bool WriteRest(int fd, const Pieces& bytes, std::size_t written) {
  std::size_t at = 0;
  for (const std::string_view piece : bytes.all()) {
    const std::size_t there = std::min(written - std::min(written, at), piece.size());
    if (!WriteAt(fd, piece.substr(there), at + there)) return false;
    at += piece.size();
  }
  return true;
}

}  // namespace

absl::StatusOr<UniqueFd> MakeMemoryFile(const char* name, std::uint64_t bytes) {
  if (!FileMayHave(bytes)) return Failed(name, bytes, "the limit of file sizes is lower");
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return Failed(name, bytes, std::strerror(errno));
  return fd;
}

absl::Status CheckMemoryFile(int fd) {
  struct statfs found {};
  if (fstatfs(fd, &found) == 0 && found.f_type == TMPFS_MAGIC) return absl::OkStatus();
  return absl::InvalidArgumentError("its memory is not that of tmpfs: make it with memfd_create, without MFD_HUGETLB");
}

absl::Status SealMemoryFile(int fd, int seals) {
  if (fcntl(fd, F_ADD_SEALS, seals) == 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("cannot seal a file in memory: ", std::strerror(errno)));
}

absl::StatusOr<UniqueFd> MakeSealedFile(std::string_view bytes) { return MakeSealedFile(Pieces({&bytes, 1})); }

absl::StatusOr<UniqueFd> MakeSealedFile(const Pieces& bytes) {
  absl::StatusOr<UniqueFd> fd = MakeMemoryFile("poold-payload", bytes.size());
  if (!fd.ok()) return fd.status();
  const std::size_t written = WriteHuge(fd->get(), bytes);
  if (!WriteRest(fd->get(), bytes, written)) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot write a payload into memory: ", std::strerror(errno)));
  }
  if (absl::Status sealed = SealMemoryFile(fd->get(), kPayloadSeals | F_SEAL_SEAL); !sealed.ok()) return sealed;
  return fd;
}

absl::Status CheckSealedFile(int fd, std::uint64_t bytes) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kPayloadSeals) != kPayloadSeals) {
    return absl::InvalidArgumentError("it is not sealed: F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE are wanted");
  }
  if (absl::Status memory = CheckMemoryFile(fd); !memory.ok()) return memory;
  struct stat found {};
  if (fstat(fd, &found) != 0 || static_cast<std::uint64_t>(found.st_size) != bytes) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", found.st_size, " bytes, not ", bytes, " as was told"));
  }
  return absl::OkStatus();
}

}  // namespace poold::wire
