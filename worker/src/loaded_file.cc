#include "loaded_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "wire/file_size_limit.h"

namespace poold::worker {
namespace {

constexpr char kProgram[] = "/proc/self/exe";
constexpr off_t kMostCopied = 512 << 20;
// Of the first bytes, which hold the headers and the build id, and are never written to.
constexpr std::size_t kComparedBytes = 4096;

// A running program cannot be written to, and what packages install is replaced as a whole.
bool StaysAsItIs(std::string_view path) {
  if (path.starts_with("/usr/local/")) return false;
  return path == kProgram || path.starts_with("/usr/") || path.starts_with("/lib");
}

// A copy that nobody else knows.
wire::UniqueFd CopyOf(int fd, off_t bytes) {
  if (!wire::FileMayHave(static_cast<std::uint64_t>(bytes))) return {};
  wire::UniqueFd copy(memfd_create("poold-symbols", MFD_CLOEXEC));
  while (copy && bytes > 0) {
    const ssize_t sent = sendfile(copy.get(), fd, nullptr, static_cast<std::size_t>(bytes));
    if (sent <= 0) return {};
    bytes -= sent;
  }
  return copy;
}

}  // namespace

std::optional<LoadedFile> LoadedFile::At(std::uintptr_t address) {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return std::nullopt;
  const char* const name = found.dlfo_link_map->l_name;
  LoadedFile file;
  file.path = name == nullptr || name[0] == '\0' ? kProgram : name;
  file.begin = reinterpret_cast<std::uintptr_t>(found.dlfo_map_start);
  file.bias = found.dlfo_link_map->l_addr;
  if (file.path.find('/') == std::string::npos) return std::nullopt;  // the kernel's own
  return file;
}

wire::UniqueFd LoadedFile::OpenToRead() const {
  wire::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat stat;
  if (!fd || fstat(fd.get(), &stat) != 0 || !S_ISREG(stat.st_mode)) return {};
  if (!StaysAsItIs(path)) fd = stat.st_size <= kMostCopied ? CopyOf(fd.get(), stat.st_size) : wire::UniqueFd();
  char head[kComparedBytes];
  const ssize_t got = fd ? pread(fd.get(), head, sizeof head, 0) : -1;
  if (got < static_cast<ssize_t>(sizeof(ElfW(Ehdr)))) return {};
  const bool same = std::memcmp(head, reinterpret_cast<const void*>(begin), static_cast<std::size_t>(got)) == 0;
  return same ? std::move(fd) : wire::UniqueFd();
}

}  // namespace poold::worker
