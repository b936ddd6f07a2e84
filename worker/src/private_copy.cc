#include "private_copy.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "own_process.h"
#include "wire/memory_file.h"
#include "wire/unique_fd.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POOLD_KEEPS_FILE_MAPPINGS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POOLD_KEEPS_FILE_MAPPINGS 1
#endif

namespace poold::worker {
namespace {

#ifdef POOLD_KEEPS_FILE_MAPPINGS
constexpr bool kCopiesModules = false;
#else
constexpr bool kCopiesModules = true;
#endif

// A library of so much code is installed, not written over.
constexpr std::uintptr_t kMostBytes = 512 << 20;

// A library, where it lies.
struct Loaded {
  std::string path;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// A part of one that shows a file.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  int rights = 0;
  std::size_t bytes() const { return end - begin; }
};

int AddLoaded(dl_phdr_info* info, std::size_t, void* to) {
  Loaded loaded{info->dlpi_name, UINTPTR_MAX, 0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    loaded.begin = std::min<std::uintptr_t>(loaded.begin, info->dlpi_addr + part.p_vaddr);
    loaded.end = std::max<std::uintptr_t>(loaded.end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  if (loaded.begin < loaded.end) static_cast<std::vector<Loaded>*>(to)->push_back(std::move(loaded));
  return 0;
}

std::vector<Loaded> AllLoaded() {
  std::vector<Loaded> all;
  dl_iterate_phdr(AddLoaded, &all);
  return all;
}

std::string RealPath(const std::string& path) {
  char real[PATH_MAX];
  return realpath(path.c_str(), real) == nullptr ? path : real;
}

// With a slash at its end.
std::string FolderOf(const std::string& path) {
  const std::string real = RealPath(path);
  return real.substr(0, real.rfind('/') + 1);
}

std::vector<Mapping> MappingsOf(const Loaded& loaded) {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, inode = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, rights, &inode) != 4) continue;
    if (inode == 0 || end <= loaded.begin || begin >= loaded.end) continue;
    mappings.push_back({begin, end,
                        (rights[0] == 'r' ? PROT_READ : 0) | (rights[1] == 'w' ? PROT_WRITE : 0) |
                            (rights[2] == 'x' ? PROT_EXEC : 0)});
  }
  return mappings;
}

bool WriteAll(int fd, const Mapping& from, off_t at) {
  std::size_t written = 0;
  while (written < from.bytes()) {
    const ssize_t more = pwrite(fd, reinterpret_cast<const char*>(from.begin) + written, from.bytes() - written,
                                at + static_cast<off_t>(written));
    if (more <= 0) return false;
    written += static_cast<std::size_t>(more);
  }
  return true;
}

void CopyOne(const Loaded& loaded, bool also_writable) {
  std::vector<Mapping> mappings = MappingsOf(loaded);
  std::erase_if(mappings, [&](const Mapping& at) { return (at.rights & PROT_WRITE) != 0 && !also_writable; });
  std::size_t bytes = 0;
  for (const Mapping& mapping : mappings) bytes += mapping.bytes();
  if (bytes == 0 || bytes > kMostBytes || !wire::FileMayHave(bytes)) return;
  const std::string name = loaded.path.substr(loaded.path.rfind('/') + 1);
  const wire::UniqueFd copy(memfd_create(name.substr(0, 200).c_str(), MFD_CLOEXEC));
  if (!copy) return;
  off_t at = 0;
  for (const Mapping& mapping : mappings) {
    // Nothing between the two writes to it: there is one thread, and this code lies elsewhere.
    if (!WriteAll(copy.get(), mapping, at)) return;
    mmap(reinterpret_cast<void*>(mapping.begin), mapping.bytes(), mapping.rights, MAP_PRIVATE | MAP_FIXED, copy.get(),
         at);
    at += static_cast<off_t>(mapping.bytes());
  }
}

bool SameState(const struct stat& a, const struct stat& b) {
  const auto same = [](timespec x, timespec y) { return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec; };
  // Another file in its place is no change of the one that was loaded.
  if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) return true;
  return a.st_size == b.st_size && same(a.st_mtim, b.st_mtim) && same(a.st_ctim, b.st_ctim);
}

}  // namespace

PrivateCopies::PrivateCopies() {
  for (const Loaded& loaded : AllLoaded()) seen_.insert(loaded.begin);
}

void PrivateCopies::Before(const std::string& module) {
  const std::string folder = FolderOf(module);
  if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) folders_.push_back(folder);
  struct stat state;
  before_ = stat(module.c_str(), &state) == 0 ? std::optional(state) : std::nullopt;
}

absl::Status PrivateCopies::After(const std::string& module) {
  CopyMore();
  struct stat state;
  if (!before_ || stat(module.c_str(), &state) != 0 || SameState(*before_, state)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("module ", module, " was written to while it was loaded: load it again when it is complete"));
}

void PrivateCopies::CopyMore() {
  if (!kCopiesModules) return;
  const bool alone = IsAlone();
  for (const Loaded& loaded : AllLoaded()) {
    if (!seen_.insert(loaded.begin).second) continue;
    const std::string folder = FolderOf(loaded.path);
    const bool beside =
        std::any_of(folders_.begin(), folders_.end(), [&](const std::string& of) { return folder.starts_with(of); });
    if (beside) CopyOne(loaded, alone);
  }
}

}  // namespace poold::worker
