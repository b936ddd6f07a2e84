#include "symbolizer.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/debugging/internal/demangle.h"
#include "wire/memory_file.h"

namespace poold::worker {
namespace {

// The first bytes of a file, which hold its headers and build id, and are never written to.
constexpr std::size_t kComparedBytes = 4096;

// A file, mapped as long as this lives.
class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    struct stat stat;
    if (fstat(fd, &stat) == 0 && stat.st_size > 0) {
      void* const mapped = mmap(nullptr, static_cast<std::size_t>(stat.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
      if (mapped != MAP_FAILED) {
        begin_ = static_cast<const char*>(mapped);
        bytes_ = static_cast<std::size_t>(stat.st_size);
      }
    }
    close(fd);
  }
  ~MappedFile() {
    if (begin_ != nullptr) munmap(const_cast<char*>(begin_), bytes_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::size_t bytes() const { return bytes_; }
  // Null if it does not lie in the file.
  template <typename T>
  const T* At(std::uint64_t offset, std::uint64_t count = 1) const {
    if (offset > bytes_ || count > (bytes_ - offset) / sizeof(T) || offset % alignof(T) != 0) return nullptr;
    return reinterpret_cast<const T*>(begin_ + offset);
  }

 private:
  const char* begin_ = nullptr;
  std::size_t bytes_ = 0;
};

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

// A file that was replaced since it was loaded would tell wrong names. Its first page holds the build id, and is never
// written to.
bool IsStill(const MappedFile& file, const void* loaded) {
  const std::size_t bytes = std::min(file.bytes(), kComparedBytes);
  const char* const begin = file.At<char>(0, bytes);
  return bytes >= sizeof(Header) && std::memcmp(begin, ELFMAG, SELFMAG) == 0 && std::memcmp(begin, loaded, bytes) == 0;
}

const char* FindIn(const MappedFile& file, const Section& table, const Section& names, std::uintptr_t offset) {
  const std::uint64_t count = table.sh_size / sizeof(Symbol);
  const Symbol* const symbols = file.At<Symbol>(table.sh_offset, count);
  if (symbols == nullptr) return nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Symbol& symbol = symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (offset < symbol.st_value || offset - symbol.st_value >= symbol.st_size) continue;
    if (symbol.st_name >= names.sh_size) return nullptr;
    const std::uint64_t longest = names.sh_size - symbol.st_name;
    const char* const name = file.At<char>(names.sh_offset + symbol.st_name, longest);
    return name != nullptr && std::memchr(name, 0, longest) != nullptr ? name : nullptr;
  }
  return nullptr;
}

// The mangled name; null if there is none.
const char* FindName(const MappedFile& file, std::uintptr_t offset) {
  const Header* const header = file.At<Header>(0);
  const Section* const sections = file.At<Section>(header->e_shoff, header->e_shnum);
  if (sections == nullptr) return nullptr;
  for (const std::uint32_t wanted : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (std::uint32_t i = 0; i < header->e_shnum; ++i) {
      if (sections[i].sh_type != wanted || sections[i].sh_link >= header->e_shnum) continue;
      if (const char* const name = FindIn(file, sections[i], sections[sections[i].sh_link], offset)) return name;
    }
  }
  return nullptr;
}

template <std::size_t kBytes>
void Copy(const char* text, char (&into)[kBytes]) {
  const std::size_t bytes = std::min(std::strlen(text), kBytes - 1);
  std::memcpy(into, text, bytes);
  into[bytes] = '\0';
}

constexpr char kProgram[] = "/proc/self/exe";
constexpr off_t kMostCopied = 512 << 20;

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

bool FindCode(std::uintptr_t address, CodePlace* place) {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return false;
  place->offset = address - found.dlfo_link_map->l_addr;
  // Of the program itself it is empty.
  const char* const loaded_as = found.dlfo_link_map->l_name;
  const char* const path = loaded_as == nullptr || loaded_as[0] == '\0' ? "/proc/self/exe" : loaded_as;
  const char* const slash = std::strrchr(path, '/');
  Copy(path != loaded_as ? "program" : slash != nullptr ? slash + 1 : path, place->file);
  Copy("??", place->function);
  const MappedFile file(path);
  if (!IsStill(file, found.dlfo_map_start)) return true;
  const char* const name = FindName(file, place->offset);
  if (name == nullptr) return true;
  if (!absl::debugging_internal::Demangle(name, place->function, sizeof place->function)) Copy(name, place->function);
  return true;
}

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
