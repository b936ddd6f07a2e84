#include "wire/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/huge_room.h"

namespace poold::wire {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
// MADV_COLLAPSE; Debian 12's headers do not have it yet.
constexpr int kCollapse = 25;

absl::Status Failed(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat("cannot make a sealed file: ", what, ": ", std::strerror(errno)));
}

// A file above it would cost the process a SIGXFSZ.
bool MayBeSoLarge(std::uint64_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

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

// What is gathered may not be empty: a byte for each huge page.
bool Gather(int fd, char* memory, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += kHugePageBytes) {
    if (!WriteAt(fd, std::string_view("", 1), at)) return false;
  }
  return madvise(memory, bytes, kCollapse) == 0;
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

absl::StatusOr<UniqueFd> MakeSealedFile(std::string_view bytes) { return MakeSealedFile(Pieces({&bytes, 1})); }

absl::StatusOr<UniqueFd> MakeSealedFile(const Pieces& bytes) {
  if (!MayBeSoLarge(bytes.size())) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make a sealed file of ", bytes.size(), " bytes: the limit of file sizes is lower"));
  }
  UniqueFd fd(memfd_create("poold-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return Failed("memfd_create");
  if (ftruncate(fd.get(), static_cast<off_t>(bytes.size())) != 0) return Failed("ftruncate");
  const std::size_t written = WriteHuge(fd.get(), bytes);
  if (!WriteRest(fd.get(), bytes, written)) return Failed("write");
  if (fcntl(fd.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0) return Failed("sealing");
  return fd;
}

absl::Status CheckSealedFile(int fd, std::uint64_t bytes) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return absl::InvalidArgumentError("it is not sealed: F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE are wanted");
  }
  struct stat found {};
  if (fstat(fd, &found) != 0 || static_cast<std::uint64_t>(found.st_size) != bytes) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", found.st_size, " bytes, not ", bytes, " as was told"));
  }
  return absl::OkStatus();
}

}  // namespace poold::wire
