#include "wire/memory_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/file_size_limit.h"

namespace poold::wire {
namespace {

absl::Status Failed(const char* name, std::uint64_t bytes, const char* why) {
  return absl::ResourceExhaustedError(absl::StrCat("cannot make a ", name, " of ", bytes, " bytes in memory: ", why));
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

}  // namespace poold::wire
